#include "tools/exsyncctl_commands.h"

#include "config/config_suggest.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

const struct exsyncctl_theme exsyncctl_commands[] = {
    {"that show how mailboxes are", exsyncctl_status_commands},
    {NULL, exsyncctl_view_commands},
    {NULL, exsyncctl_alert_commands},
    {NULL, exsyncctl_check_commands},
    {"that find out why, and where mail is", exsyncctl_test_commands},
    {NULL, exsyncctl_diagnose_commands},
    {NULL, exsyncctl_trace_commands},
    {NULL, exsyncctl_log_commands},
    {"that steer mailboxes and profiles", exsyncctl_sync_commands},
    {NULL, exsyncctl_act_commands},
    {"for outgoing messages", exsyncctl_queue_commands},
    {"for the daemon and its database", exsyncctl_daemon_commands},
    {NULL, exsyncctl_backup_commands},
    {NULL, exsyncctl_verify_commands},
    {NULL, NULL},
};

enum { NAME_SIZE = 160, LIST_SIZE = 512 };

/* --- all, one after the other --- */

struct commands_cursor {
    const struct exsyncctl_theme *theme;
    const struct exsyncctl_command *command;
};

/* NULL behind the last; a cursor of zeroes begins. */
static const struct exsyncctl_command *next_command(struct commands_cursor *cursor)
{
    if (cursor->theme == NULL)
        *cursor = (struct commands_cursor){exsyncctl_commands, exsyncctl_commands->commands};
    while (cursor->command != NULL && cursor->command->name == NULL)
        cursor->command = (++cursor->theme)->commands;
    return cursor->command == NULL ? NULL : cursor->command++;
}

/* --- finding --- */

bool commands_is_of(const struct exsyncctl_command *command, const char *group)
{
    size_t length = strlen(group);
    return strncmp(command->name, group, length) == 0 && command->name[length] == ' ';
}

/* Whether the command's name is these words; the second is NULL where there is none. */
static bool is_named(const struct exsyncctl_command *command, const char *first, const char *second)
{
    if (strcmp(command->name, first) == 0)
        return strchr(first, ' ') == NULL;
    return second != NULL && commands_is_of(command, first) &&
           strcmp(command->name + strlen(first) + 1, second) == 0;
}

const struct exsyncctl_command *commands_find(const char *first, const char *second)
{
    struct commands_cursor cursor = {0};
    const struct exsyncctl_command *command;
    do
        command = next_command(&cursor);
    while (command != NULL && !is_named(command, first, second));
    return command;
}

bool commands_is_group(const char *word)
{
    struct commands_cursor cursor = {0};
    const struct exsyncctl_command *command;
    do
        command = next_command(&cursor);
    while (command != NULL && !commands_is_of(command, word));
    return command != NULL;
}

static bool has_option(const struct exsyncctl_command *command, const char *name)
{
    const struct exsyncctl_option *option = command->options;
    while (option != NULL && option->name != NULL && strcmp(option->name, name) != 0)
        option++;
    return option != NULL && option->name != NULL;
}

const struct exsyncctl_command *commands_with_option(const char *name)
{
    struct commands_cursor cursor = {0};
    const struct exsyncctl_command *command;
    do
        command = next_command(&cursor);
    while (command != NULL && !has_option(command, name));
    return command;
}

/* --- what was meant --- */

/* All whose first or second word it is: "queue list, queue show". */
static void list_with(char list[LIST_SIZE], const char *word)
{
    struct commands_cursor cursor = {0};
    const struct exsyncctl_command *command;
    list[0] = '\0';
    while ((command = next_command(&cursor)) != NULL) {
        const char *second = strchr(command->name, ' ');
        size_t used = strlen(list);
        if (commands_is_of(command, word) || (second != NULL && strcmp(second + 1, word) == 0))
            snprintf(list + used, LIST_SIZE - used, "%s%s", used == 0 ? "" : ", ", command->name);
    }
}

/* The command that was meant by one word or by two; NULL: none is near. */
static const char *find_near(const char *typed)
{
    struct commands_cursor cursor = {0};
    const struct exsyncctl_command *command;
    struct config_suggestion suggestion = config_suggestion_start(typed);
    while ((command = next_command(&cursor)) != NULL)
        config_suggestion_consider(&suggestion, command->name);
    return suggestion.best;
}

/* The group that was meant: "mailbox" for "mailboxes". False: none is near. */
static bool find_near_group(const char *typed, char group[NAME_SIZE])
{
    struct commands_cursor cursor = {0};
    const struct exsyncctl_command *command;
    size_t distance = SIZE_MAX;
    while ((command = next_command(&cursor)) != NULL) {
        char word[NAME_SIZE];
        struct config_suggestion suggestion = config_suggestion_start(typed);
        snprintf(word, sizeof word, "%.*s", (int)strcspn(command->name, " "), command->name);
        config_suggestion_consider(&suggestion, word);
        if (suggestion.distance < distance && strchr(command->name, ' ') != NULL) {
            distance = suggestion.distance;
            snprintf(group, NAME_SIZE, "%s", word);
        }
    }
    return distance < SIZE_MAX;
}

int commands_unknown(struct exsyncctl *tool, const char *first, const char *second)
{
    char list[LIST_SIZE], both[NAME_SIZE], group[NAME_SIZE];
    snprintf(both, sizeof both, "%s%s%s", first, second == NULL ? "" : " ",
             second == NULL ? "" : second);
    const char *near = find_near(both);
    if (near == NULL)
        near = find_near(first);
    list_with(list, first);
    if (strcmp(first, "help") == 0)
        return exsyncctl_misused(tool, "there is no command \"help\"; did you mean --help?");
    if (commands_is_group(first) && (second == NULL || near == NULL))
        return exsyncctl_misused(tool, "\"%s\" is no command; there is %s", both, list);
    if (near != NULL)
        return exsyncctl_misused(tool, "\"%s\" is no command; did you mean \"%s\"?",
                                 strchr(near, ' ') == NULL ? first : both, near);
    if (list[0] == '\0' && find_near_group(first, group))
        list_with(list, group);
    if (list[0] != '\0')
        return exsyncctl_misused(tool, "there is no command \"%s\"; there is %s", first, list);
    return exsyncctl_misused(tool, "there is no command \"%s\"", first);
}
