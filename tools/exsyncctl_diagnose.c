/* diagnose: which case a refused impersonation is, and what mends it. */
#include "tools/exsyncctl_commands.h"
#include "tools/exsyncctl_output.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static void show_commands(struct exsyncctl *tool, const char *commands)
{
    output_print(tool, OUTPUT_PLAIN, "\n");
    while (*commands != '\0') {
        int length = (int)strcspn(commands, "\n");
        output_print(tool, commands[0] == '#' ? OUTPUT_FAINT : OUTPUT_PLAIN, "  %.*s\n", length,
                     commands);
        commands += length;
        commands += *commands == '\n';
    }
}

static void take(struct exsyncctl *tool, const json_t *answer, void *argument)
{
    (void)argument;
    const char *kind = output_text(answer, "kind"), *text = output_text(answer, "text");
    const char *commands = output_text(answer, "commands");
    if (kind == NULL || strcmp(kind, "diagnosis") != 0 || text == NULL)
        return;
    output_paragraph(tool, OUTPUT_PLAIN, 0, text);
    if (commands != NULL && commands[0] != '\0')
        show_commands(tool, commands);
    fflush(stdout);
}

static int run_diagnose(struct exsyncctl *tool, int count, char **arguments)
{
    (void)count; /* one: the table says so */
    json_t *request = json_pack("{s:s,s:s,s:b}", "command", "diagnose", "address", arguments[0],
                                "sign_in", exsyncctl_flag(tool, "sign-in"));
    return exsyncctl_each(tool, request, take, NULL);
}

static const struct exsyncctl_option diagnose_options[] = {
    {"sign-in", NULL, "try at once to sign in, though the server has refused it"},
    {NULL, NULL, NULL},
};

const struct exsyncctl_command exsyncctl_diagnose_commands[] = {
    {"diagnose", "ADDRESS", "find out why a mailbox is refused", diagnose_options, 1, 1,
     run_diagnose},
    {.name = NULL},
};
