#include "tools/exsyncctl_options.h"

#include "config/config_suggest.h"
#include "tools/exsyncctl_commands.h"
#include "tools/exsyncctl_help.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

enum { NAME_SIZE = 160 };

const struct exsyncctl_option exsyncctl_global_options[] = {
    {"json", NULL, "print answers as JSON, one object a line"},
    {"socket", "PATH",
     "the daemon's control_socket; without it: as the configuration says, "
     "or " CONTROL_DEFAULT_SOCKET},
    {"config", "FILE",
     "the daemon's configuration, for its socket and its database "
     "(default: " EXSYNCCTL_DEFAULT_CONFIG ")"},
    {"help", NULL, "print this, or the help of a command"},
    {"version", NULL, "print the version of exsyncctl"},
    {NULL, NULL, NULL},
};

/* --- options --- */

struct reading {
    struct exsyncctl *tool;
    char **words; /* what is left */
    char **end;
    const char *group;  /* "queue", without a second word that goes with it */
    const char *second; /* that word; NULL: there was none */
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

static void suggest_options(struct config_suggestion *suggestion,
                            const struct exsyncctl_option *options)
{
    for (; options != NULL && options->name != NULL; options++)
        config_suggestion_consider(suggestion, options->name);
}

/* `word` without its dashes, and its name's length. */
static int unknown_option(const struct reading *reading, const char *word, size_t length)
{
    struct exsyncctl *tool = reading->tool;
    char name[NAME_SIZE];
    snprintf(name, sizeof name, "%.*s", (int)length, word);
    const struct exsyncctl_command *other = commands_with_option(name);
    struct config_suggestion suggestion = config_suggestion_start(name);
    if (reading->group != NULL)
        return commands_unknown(tool, reading->group, reading->second);
    if (tool->command == NULL && other != NULL)
        return exsyncctl_misused(tool, "--%s stands behind its command: exsyncctl %s --%s", name,
                                 other->name, name);
    suggest_options(&suggestion, tool->command == NULL ? NULL : tool->command->options);
    suggest_options(&suggestion, exsyncctl_global_options);
    if (suggestion.best != NULL)
        return exsyncctl_misused(tool, "there is no option --%s here; did you mean --%s?", name,
                                 suggestion.best);
    if (tool->command == NULL)
        return exsyncctl_misused(tool, "there is no option --%s", name);
    return exsyncctl_misused(tool, "\"%s\" has no option --%s", tool->command->name, name);
}

/* What stands behind an option that needs a value; NULL: the mistake was told. An option there
 * means that the value was forgotten: no name of anything begins so. */
static const char *take_value(struct reading *reading, const struct exsyncctl_option *option)
{
    const char *value = reading->words < reading->end ? *reading->words : "";
    if (value[0] == '\0' || strncmp(value, "--", 2) == 0) {
        exsyncctl_misused(reading->tool, "--%s needs a value: --%s %s", option->name, option->name,
                          option->argument);
        return NULL;
    }
    reading->words++;
    return value;
}

/* `word` without its dashes. Returns 0, or the exit status. */
static int take_option(struct reading *reading, const char *word)
{
    struct exsyncctl *tool = reading->tool;
    size_t length = strcspn(word, "=");
    const char *value = word[length] == '=' && word[length + 1] != '\0' ? word + length + 1 : NULL;
    const struct exsyncctl_option *own = tool->command == NULL ? NULL : tool->command->options;
    const struct exsyncctl_option *first = own;
    const struct exsyncctl_option *option = find_option(own, word, length);
    if (option == NULL) {
        first = NULL;
        option = find_option(exsyncctl_global_options, word, length);
    }
    if (option == NULL)
        return unknown_option(reading, word, length);
    if (option->argument == NULL && word[length] == '=')
        return exsyncctl_misused(tool, "--%s takes no value", option->name);
    if (option->argument != NULL && value == NULL && (value = take_value(reading, option)) == NULL)
        return EX_USAGE;
    if (first != NULL)
        tool->values[option - first] = value == NULL ? "" : value;
    else
        take_global(reading, option->name, value);
    return 0;
}

/* --- the command line --- */

/* Returns 0, or the exit status. */
static int take_command(struct reading *reading, const char *first)
{
    const char *second = reading->words < reading->end ? *reading->words : NULL;
    reading->tool->command = commands_find(first, second);
    if (reading->tool->command == NULL && !commands_is_group(first))
        return commands_unknown(reading->tool, first, second);
    if (reading->tool->command == NULL) {
        reading->group = first; /* --help may still come */
        reading->second = second != NULL && second[0] != '-' ? second : NULL;
    } else if (strchr(reading->tool->command->name, ' ') != NULL) {
        reading->words++;
    }
    return 0;
}

static int check_arguments(struct exsyncctl *tool, int count, char **arguments)
{
    const struct exsyncctl_command *command = tool->command;
    if (count < command->least)
        return exsyncctl_misused(tool, "something is missing behind \"%s\": %s", command->name,
                                 command->arguments);
    if (command->most >= 0 && count > command->most)
        return exsyncctl_misused(
            tool, "\"%s\" is too much behind \"%s\"%s", arguments[command->most], command->name,
            command->most == 0 ? "" : "; put quotation marks around what has spaces in it");
    for (int i = 0; i < count; i++) {
        if (arguments[i][0] == '\0')
            return exsyncctl_misused(tool, "what stands behind \"%s\" is empty: %s", command->name,
                                     command->arguments);
    }
    return -1;
}

static int finish(struct reading *reading, int count, char **arguments)
{
    struct exsyncctl *tool = reading->tool;
    if (reading->version) {
        puts("exsyncctl " EXSYNC_VERSION);
        return EX_OK;
    }
    if (reading->help) {
        if (tool->command != NULL)
            help_of_command(tool->command);
        else if (reading->group != NULL)
            help_of_group(reading->group);
        else
            help_of_all();
        return EX_OK;
    }
    if (reading->group != NULL)
        return commands_unknown(tool, reading->group, reading->second);
    if (tool->command == NULL)
        return exsyncctl_misused(tool, "say what to do: exsyncctl COMMAND, such as status");
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
            status = exsyncctl_misused(tool, "there is no option %s; options begin with two dashes",
                                       word);
        else if (tool->command == NULL && reading.group == NULL)
            status = take_command(&reading, word);
        else
            arguments[(*argument_count)++] = word;
    }
    return status > 0 ? status : finish(&reading, *argument_count, arguments);
}
