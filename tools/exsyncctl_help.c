#include "tools/exsyncctl_help.h"

#include "tools/exsyncctl_commands.h"
#include "tools/exsyncctl_options.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { NAME_WIDTH = 33 /* of what stands beside a summary */, LINE_WIDTH = 80, NAME_SIZE = 160 };

/* A name, and its summary beside it, filled into lines. */
static void print_item(const char *name, const char *summary)
{
    int column = 2 + NAME_WIDTH + 1;
    bool beside = strlen(name) <= NAME_WIDTH;
    printf("  %-*s%s", NAME_WIDTH, name, beside ? " " : "");
    if (!beside)
        column = LINE_WIDTH;
    for (size_t length; *summary != '\0'; summary += length + strspn(summary + length, " ")) {
        length = strcspn(summary, " ");
        if (column + 1 + (int)length > LINE_WIDTH) {
            column = 2 + NAME_WIDTH + 1;
            printf("\n%*s", column, "");
        }
        printf(" %.*s", (int)length, summary);
        column += 1 + (int)length;
    }
    putchar('\n');
}

static void print_options(const struct exsyncctl_option *options)
{
    char name[NAME_SIZE];
    for (; options != NULL && options->name != NULL; options++) {
        snprintf(name, sizeof name, "--%s%s%s", options->name, options->argument == NULL ? "" : " ",
                 options->argument == NULL ? "" : options->argument);
        print_item(name, options->summary);
    }
}

void help_usage(const struct exsyncctl_command *command, FILE *stream)
{
    fprintf(stream, "Usage: exsyncctl %s%s%s", command->name,
            command->arguments[0] == '\0' ? "" : " ", command->arguments);
    for (const struct exsyncctl_option *option = command->options;
         option != NULL && option->name != NULL; option++) {
        char name[NAME_SIZE];
        snprintf(name, sizeof name, "--%s", option->name);
        if (strstr(command->arguments, name) == NULL)
            fprintf(stream, " [%s%s%s]", name, option->argument == NULL ? "" : " ",
                    option->argument == NULL ? "" : option->argument);
    }
    fputc('\n', stream);
}

static void print_global_hint(void)
{
    printf("\nWith every command: --json, --socket PATH, --config FILE (exsyncctl --help).\n");
}

void help_of_command(const struct exsyncctl_command *command)
{
    help_usage(command, stdout);
    printf("\n%c%s.\n", toupper((unsigned char)command->summary[0]), command->summary + 1);
    if (command->options != NULL)
        printf("\nOptions:\n");
    print_options(command->options);
    print_global_hint();
}

/* Those of a table; of a group alone when there is one. */
static void print_commands(const struct exsyncctl_command *command, const char *group)
{
    for (; command->name != NULL; command++) {
        char name[NAME_SIZE];
        snprintf(name, sizeof name, "%s%s%s", command->name,
                 command->arguments[0] == '\0' ? "" : " ", command->arguments);
        if (group == NULL || commands_is_of(command, group))
            print_item(name, command->summary);
    }
}

void help_of_group(const char *group)
{
    printf("Usage: exsyncctl %s COMMAND ...\n\nCommands:\n", group);
    for (const struct exsyncctl_theme *theme = exsyncctl_commands; theme->commands != NULL; theme++)
        print_commands(theme->commands, group);
    printf("\nexsyncctl %s COMMAND --help tells the options of one.\n", group);
    print_global_hint();
}

void help_of_all(void)
{
    printf("Usage: exsyncctl [--json] [--socket PATH] [--config FILE] COMMAND [ARGUMENT ...]\n"
           "       exsyncctl [COMMAND] --help\n\n"
           "Shows and steers exsyncd, which syncs Exchange mailboxes with this server.\n"
           "For root and the group " CONTROL_GROUP ".\n");
    for (const struct exsyncctl_theme *theme = exsyncctl_commands; theme->commands != NULL;
         theme++) {
        if (theme->title != NULL)
            printf("\nCommands %s:\n", theme->title);
        print_commands(theme->commands, NULL);
    }
    printf("\nOptions:\n");
    print_options(exsyncctl_global_options);
    printf("\nexsyncctl COMMAND --help tells the options of a command, exsyncctl(8) the rest.\n"
           "Exit status: 0 it worked, 1 trace has found nothing, 64 wrong use,\n"
           "65 and 66 a file or message is not as it must be or not there, 67 no such\n"
           "mailbox, profile or alert, 69 exsyncd does not run or it did not work, 70, 71\n"
           "and 74 this machine failed, 73 a file cannot be made, 75 try again later, 76\n"
           "another version of exsyncd, 77 you may not, 78 wrong configuration; of check:\n"
           "0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.\n");
}
