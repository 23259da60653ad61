/* How the owner of a profile is told, and when what has stopped is tried again. */
#define _GNU_SOURCE /* eaccess */
#include "config/config_build.h"
#include "config/config_suggest.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the ways --- */

static unsigned read_channel(struct config_builder *builder, struct config_chosen given,
                             const char *word)
{
    struct config_suggestion suggestion = config_suggestion_start(word);
    const struct config_choice *choice = config_keys[CONFIG_KEY_NOTIFY].choices;
    for (; choice->name != NULL; choice++) {
        if (strcmp(choice->name, word) == 0)
            return choice->value;
        config_suggestion_consider(&suggestion, choice->name);
    }
    if (suggestion.best != NULL)
        config_build_error(builder, given,
                           "'%s' is not known; did you mean %s? It can be exchange, smtp and "
                           "command",
                           word, suggestion.best);
    else
        config_build_error(builder, given,
                           "'%s' is not known; it can be exchange, smtp and command", word);
    return 0;
}

static unsigned read_channels(struct config_builder *builder, struct config_chosen given)
{
    unsigned channels = 0;
    bool empty = true;
    char *rest = config_build_join_lines(builder, given, CONFIG_KEY_NOTIFY), *word;
    while ((word = config_build_next_word(&rest)) != NULL) {
        unsigned channel = read_channel(builder, given, word);
        empty = false;
        if ((channels & channel) != 0)
            config_build_error(builder, given, "'%s' is there twice; delete one of them", word);
        channels |= channel;
    }
    if (empty && given.entry->good)
        config_build_error(builder, given,
                           "names no way; write exchange, smtp or command, or several of them");
    return channels;
}

static void check_channels(struct config_builder *builder,
                           const struct config_chosen chosen[CONFIG_KEY_COUNT], unsigned channels)
{
    struct config_chosen notify = chosen[CONFIG_KEY_NOTIFY];
    struct config_chosen command = chosen[CONFIG_KEY_NOTIFY_COMMAND];
    if ((channels & CONFIG_NOTIFY_SMTP) != 0 &&
        builder->document->sections[CONFIG_SECTION_SMTP].count == 0)
        config_build_error(builder, notify,
                           "names smtp, and there is no section [smtp]; write one with url = "
                           "smtp://HOST:PORT");
    if ((channels & CONFIG_NOTIFY_COMMAND) != 0 && command.entry == NULL)
        config_build_error(builder, notify,
                           "names command, and there is no notify_command; write notify_command = "
                           "/PATH/OF/PROGRAM");
    if ((channels & CONFIG_NOTIFY_COMMAND) == 0 && command.entry != NULL)
        config_build_error(builder, command,
                           "is not run, since notify does not name command; write notify = "
                           "command, or delete it");
}

/* --- the command --- */

/* What only a shell understands shows that one was expected. */
static bool needs_shell(const char *word)
{
    static const char *const operators[] = {"|", "||", "&", "&&", ">", ">>", "<", "2>", "2>&1"};
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (strcmp(word, operators[i]) == 0)
            return true;
    }
    return strchr("\"'$`", word[0]) != NULL;
}

static void check_program(struct config_builder *builder, struct config_chosen given,
                          const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        config_build_error(builder, given,
                           "'%s' cannot be executed: %s; write the path of a program, and words "
                           "for it behind a space",
                           path, strerror(errno));
    else if (!S_ISREG(status.st_mode))
        config_build_error(builder, given, "'%s' is no regular file; write the path of a program",
                           path);
    else if (eaccess(path, X_OK) != 0)
        config_build_error(builder, given,
                           "'%s' cannot be executed: %s; chmod 755 it, or let the user who runs "
                           "exsyncd execute it in another way",
                           path, strerror(errno));
}

static const char *const *read_command(struct config_builder *builder, struct config_chosen given)
{
    char *rest = config_arena_copy_string(builder->arena, given.entry->value.text), *word;
    size_t most = 2;
    for (const char *at = rest; *at != '\0'; at++)
        most += *at == ' ' || *at == '\t';
    const char **words = config_arena_allocate(builder->arena, most * sizeof *words);
    size_t count = 0;
    while ((word = strsep(&rest, " \t")) != NULL) {
        if (*word == '\0')
            continue;
        if (needs_shell(word))
            config_build_error(builder, given,
                               "'%s' needs a shell, and none is there; put the command into a "
                               "script and name that",
                               word);
        words[count++] = word;
    }
    check_program(builder, given, words[0]);
    return words;
}

/* --- the waits --- */

static void read_probe_intervals(struct config_builder *builder,
                                 const struct config_chosen chosen[CONFIG_KEY_COUNT],
                                 struct config_profile *profile)
{
    const char *list = config_build_value(builder, chosen, CONFIG_KEY_PROBE_INTERVALS)->text;
    size_t most = 1;
    for (const char *at = list; *at != '\0'; at++)
        most += *at == ',';
    uint64_t *intervals = config_arena_allocate(builder->arena, most * sizeof *intervals);
    while (profile->probe_interval_count < most &&
           config_next_duration(&list, &intervals[profile->probe_interval_count]))
        profile->probe_interval_count++;
    profile->probe_intervals_ms = intervals;
}

void config_build_notify(struct config_builder *builder,
                         const struct config_chosen chosen[CONFIG_KEY_COUNT],
                         struct config_profile *profile)
{
    struct config_chosen notify = chosen[CONFIG_KEY_NOTIFY];
    struct config_chosen command = chosen[CONFIG_KEY_NOTIFY_COMMAND];
    unsigned channels = read_channels(builder, notify);
    read_probe_intervals(builder, chosen, profile);
    if (command.entry != NULL && command.entry->good)
        profile->notify_command = read_command(builder, command);
    if (chosen[CONFIG_KEY_OWNER].entry != NULL) {
        profile->notify_channels = channels;
        check_channels(builder, chosen, channels);
    } else if (notify.entry != NULL || command.entry != NULL) {
        config_build_error(builder, notify.entry != NULL ? notify : command,
                           "has no owner who could be told; write owner = ADDRESS, too");
    }
}
