#include "tools/exsyncctl_options.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

/* --- help --- */

enum { WIDEST_NAME = 34 /* of what stands beside a summary; more gets a line of its own */ };

const struct exsyncctl_option exsyncctl_global_options[] = {
    {"json", NULL, "print the answers as they come, one JSON object a line"},
    {"socket", "PATH", "the daemon's control_socket (default: " CONTROL_DEFAULT_SOCKET ")"},
    {"config", "FILE",
     "the daemon's configuration, for what works without it\n"
     "(default: " EXSYNCCTL_DEFAULT_CONFIG ")"},
    {"help", NULL, "print this, or the help of a command, and exit"},
    {"version", NULL, "print the version of this program and exit"},
    {NULL, NULL, NULL},
};

static void print_item(FILE *stream, const char *name, const char *summary)
{
    fprintf(stream, "  %-*s", WIDEST_NAME, name);
    if (strlen(name) > WIDEST_NAME)
        fprintf(stream, "\n  %*s", WIDEST_NAME, "");
    for (size_t length; *summary != '\0'; summary += length) {
        length = strcspn(summary, "\n");
        fprintf(stream, "  %.*s\n", (int)length, summary);
        if (summary[length] == '\n') {
            fprintf(stream, "  %*s", WIDEST_NAME, "");
            length++;
        }
    }
}

static void print_options(const struct exsyncctl_option *options, FILE *stream)
{
    char name[80];
    for (; options != NULL && options->name != NULL; options++) {
        snprintf(name, sizeof name, "--%s%s%s", options->name, options->argument == NULL ? "" : " ",
                 options->argument == NULL ? "" : options->argument);
        print_item(stream, name, options->summary);
    }
}

void exsyncctl_print_usage(const struct exsyncctl_command *command, FILE *stream)
{
    fprintf(stream, "Usage: exsyncctl %s%s%s", command->name,
            command->arguments[0] == '\0' ? "" : " ", command->arguments);
    for (const struct exsyncctl_option *option = command->options;
         option != NULL && option->name != NULL; option++) {
        char name[80];
        snprintf(name, sizeof name, "--%s", option->name);
        if (strstr(command->arguments, name) == NULL)
            fprintf(stream, " [%s%s%s]", name, option->argument == NULL ? "" : " ",
                    option->argument == NULL ? "" : option->argument);
    }
    fputc('\n', stream);
}

static void print_command_help(const struct exsyncctl_command *command)
{
    exsyncctl_print_usage(command, stdout);
    printf("\n%c%s.\n", toupper((unsigned char)command->summary[0]), command->summary + 1);
    if (command->options != NULL)
        printf("\nOptions:\n");
    print_options(command->options, stdout);
    printf("\nOptions of exsyncctl --help may be given, too.\n");
}

static void print_help(void)
{
    printf("Usage: exsyncctl [--json] [--socket PATH] COMMAND ...\n\n"
           "Shows and steers exsyncd, which keeps Exchange mailboxes in step with this server.\n"
           "For root and the group " CONTROL_GROUP ".\n\nCommands:\n");
    for (const struct exsyncctl_command *const *table = exsyncctl_commands; *table != NULL;
         table++) {
        for (const struct exsyncctl_command *command = *table; command->name != NULL; command++) {
            char name[160];
            snprintf(name, sizeof name, "%s%s%s", command->name,
                     command->arguments[0] == '\0' ? "" : " ", command->arguments);
            print_item(stdout, name, command->summary);
        }
    }
    printf("\nOptions:\n");
    print_options(exsyncctl_global_options, stdout);
    printf("\nexsyncctl COMMAND --help tells the options of a command. Exit status: 0 when it "
           "worked, else\none of sysexits.h: 64 for wrong use, 67 for a mailbox or profile that "
           "is not there, 69 when\nexsyncd is not running, 75 to try again later, 77 when you may "
           "not, 78 for mistakes in the\nconfiguration.\n");
}

/* --- options --- */

struct reading {
    struct exsyncctl *tool;
    char **words; /* what is left */
    char **end;
    bool help;
    bool version;
};

static const struct exsyncctl_option *find_option(const struct exsyncctl_option *options,
                                                  const char *name, size_t length)
{
    for (; options != NULL && options->name != NULL; options++) {
        if (strlen(options->name) == length && strncmp(options->name, name, length) == 0)
            return options;
    }
    return NULL;
}

static void take_global(struct reading *reading, const char *name, const char *value)
{
    if (strcmp(name, "json") == 0)
        reading->tool->json = true;
    else if (strcmp(name, "socket") == 0)
        reading->tool->socket = value;
    else if (strcmp(name, "config") == 0)
        reading->tool->config_path = value;
    else if (strcmp(name, "help") == 0)
        reading->help = true;
    else
        reading->version = true;
}

/* `word` without its dashes. Returns 0, or the exit status. */
static int take_option(struct reading *reading, const char *word)
{
    struct exsyncctl *tool = reading->tool;
    size_t length = strcspn(word, "=");
    const char *value = word[length] == '=' ? word + length + 1 : NULL;
    const struct exsyncctl_option *own = tool->command == NULL ? NULL : tool->command->options;
    const struct exsyncctl_option *first = own;
    const struct exsyncctl_option *option = find_option(own, word, length);
    if (option == NULL) {
        first = NULL;
        option = find_option(exsyncctl_global_options, word, length);
    }
    if (option == NULL)
        return exsyncctl_misused(tool, "there is no option --%.*s here", (int)length, word);
    if (option->argument == NULL && value != NULL)
        return exsyncctl_misused(tool, "--%s takes no value", option->name);
    if (option->argument != NULL && value == NULL && reading->words < reading->end)
        value = *reading->words++;
    if (option->argument != NULL && (value == NULL || value[0] == '\0'))
        return exsyncctl_misused(tool, "--%s needs a value: --%s %s", option->name, option->name,
                                 option->argument);
    if (first != NULL)
        tool->values[option - first] = value == NULL ? "" : value;
    else
        take_global(reading, option->name, value);
    return 0;
}

/* --- commands --- */

/* Whether the command's name is these words; the second is NULL where there is none. */
static bool is_named(const struct exsyncctl_command *command, const char *first, const char *second)
{
    size_t length = strcspn(command->name, " ");
    if (strlen(first) != length || strncmp(command->name, first, length) != 0)
        return false;
    return command->name[length] == '\0' ||
           (second != NULL && strcmp(command->name + length + 1, second) == 0);
}

static const struct exsyncctl_command *find_command(const char *first, const char *second)
{
    for (const struct exsyncctl_command *const *table = exsyncctl_commands; *table != NULL;
         table++) {
        for (const struct exsyncctl_command *command = *table; command->name != NULL; command++) {
            if (is_named(command, first, second))
                return command;
        }
    }
    return NULL;
}

/* "sync" alone, or with a second word that does not go with it. */
static int unknown_command(struct exsyncctl *tool, const char *first, const char *second)
{
    size_t length = strlen(first);
    char several[512] = "";
    for (const struct exsyncctl_command *const *table = exsyncctl_commands; *table != NULL;
         table++) {
        for (const struct exsyncctl_command *command = *table; command->name != NULL; command++) {
            size_t used = strlen(several);
            if (strncmp(command->name, first, length) == 0 && command->name[length] == ' ')
                snprintf(several + used, sizeof several - used, "%s%s", used == 0 ? "" : ", ",
                         command->name);
        }
    }
    if (several[0] == '\0')
        return exsyncctl_misused(tool, "there is no command \"%s\"", first);
    return exsyncctl_misused(tool, "\"%s%s%s\" is no command; there is %s", first,
                             second == NULL ? "" : " ", second == NULL ? "" : second, several);
}

/* Returns 0, or the exit status. */
static int take_command(struct reading *reading, const char *first)
{
    const char *second = reading->words < reading->end ? *reading->words : NULL;
    reading->tool->command = find_command(first, second);
    if (reading->tool->command == NULL)
        return reading->help ? -1 : unknown_command(reading->tool, first, second);
    if (strchr(reading->tool->command->name, ' ') != NULL)
        reading->words++;
    return 0;
}

static int check_arguments(struct exsyncctl *tool, int count, char **arguments)
{
    const struct exsyncctl_command *command = tool->command;
    if (count < command->least)
        return exsyncctl_misused(tool, "something is missing behind \"%s\": %s", command->name,
                                 command->arguments);
    if (command->most >= 0 && count > command->most)
        return exsyncctl_misused(tool, "\"%s\" is too much behind \"%s\"", arguments[command->most],
                                 command->name);
    return -1;
}

static int finish(struct reading *reading, int count, char **arguments)
{
    struct exsyncctl *tool = reading->tool;
    if (reading->version) {
        puts("exsyncctl " EXSYNC_VERSION);
        return EX_OK;
    }
    if (reading->help && tool->command != NULL) {
        print_command_help(tool->command);
        return EX_OK;
    }
    if (reading->help) {
        print_help();
        return EX_OK;
    }
    if (tool->command == NULL)
        return exsyncctl_misused(tool, "say what to do: exsyncctl COMMAND");
    return check_arguments(tool, count, arguments);
}

int exsyncctl_read_options(struct exsyncctl *tool, int count, char **words, char **arguments,
                           int *argument_count)
{
    struct reading reading = {.tool = tool, .words = words, .end = words + count};
    bool options = true;
    int status = 0;
    *argument_count = 0;
    while (status == 0 && reading.words < reading.end) {
        char *word = *reading.words++;
        if (options && strcmp(word, "--") == 0)
            options = false;
        else if (options && strcmp(word, "-h") == 0)
            reading.help = true;
        else if (options && strncmp(word, "--", 2) == 0)
            status = take_option(&reading, word + 2);
        else if (options && word[0] == '-' && word[1] != '\0')
            status = exsyncctl_misused(tool, "there is no option %s here", word);
        else if (tool->command == NULL)
            status = take_command(&reading, word);
        else
            arguments[(*argument_count)++] = word;
    }
    return status > 0 ? status : finish(&reading, *argument_count, arguments);
}
