/* Who may send as which mailbox, which mailbox sends for whom, and who gets mail for local users.
 */
#include "config/config_build.h"
#include "config/config_suggest.h"
#include "config/config_value.h"

#include "base/memory.h"

#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { HOST_SIZE = 256 };

/* --- submitters --- */

struct config_submitters {
    struct config_submitters *next;
    const char *text;
    const struct config_submitter *array;
    size_t count;
};

static bool find_user(const char *name, uint32_t *id, struct buffer *wrong)
{
    size_t digits = strspn(name, "0123456789"), size = 4096;
    if (digits > 0 && name[digits] == '\0') {
        unsigned long long number = strtoull(name, NULL, 10);
        *id = (uint32_t)number;
        if (digits <= 10 && number < UINT32_MAX)
            return true;
        buffer_append_format(wrong, "'%s' is too large for a user; write its name", name);
        return false;
    }
    char *memory = NULL;
    struct passwd entry, *found = NULL;
    int error;
    do {
        size *= 2;
        memory = memory_resize(memory, size);
        error = getpwnam_r(name, &entry, memory, size, &found);
    } while (error == ERANGE && size < 16 * 1024 * 1024);
    if (found != NULL)
        *id = found->pw_uid;
    memory_free(memory);
    if (found != NULL)
        return true;
    if (error == 0 || error == ENOENT || error == ESRCH)
        buffer_append_format(
            wrong, "there is no user '%s'; name another, or @GROUP for the members of a group",
            name);
    else
        buffer_append_format(wrong, "the user '%s' cannot be looked up: %s; try again", name,
                             strerror(error));
    return false;
}

static void read_submitters(struct config_builder *builder, struct config_chosen given, char *list,
                            struct config_submitters *submitters)
{
    size_t most = 1;
    for (const char *at = list; *at != '\0'; at++)
        most += *at == ',';
    struct config_submitter *array = config_arena_allocate(builder->arena, most * sizeof *array);
    char *rest = list, *word;
    while ((word = config_build_next_word(&rest)) != NULL) {
        struct config_submitter *submitter = &array[submitters->count];
        struct buffer wrong = {0};
        gid_t group = 0;
        submitter->is_group = word[0] == '@';
        bool good = submitter->is_group ? config_build_group(builder, word + 1, &group, &wrong)
                                        : find_user(word, &submitter->id, &wrong);
        if (submitter->is_group)
            submitter->id = group;
        if (good)
            submitters->count++;
        else if (given.entry != NULL)
            config_build_error(builder, given, "%s", buffer_string(&wrong));
        buffer_release(&wrong);
    }
    submitters->array = array;
}

void config_build_submitters(struct config_builder *builder,
                             const struct config_chosen chosen[CONFIG_KEY_COUNT],
                             struct config_mailbox_settings *settings)
{
    struct config_chosen given = chosen[CONFIG_KEY_SUBMITTERS];
    char *list = config_build_join_lines(builder, given, CONFIG_KEY_SUBMITTERS);
    struct config_submitters *submitters = builder->submitters;
    while (submitters != NULL && strcmp(submitters->text, list) != 0)
        submitters = submitters->next;
    if (submitters == NULL) {
        submitters = config_arena_allocate(builder->scratch, sizeof *submitters);
        submitters->text = config_arena_copy_string(builder->scratch, list);
        submitters->next = builder->submitters;
        builder->submitters = submitters;
        read_submitters(builder, given, list, submitters);
    }
    settings->submitters = submitters->array;
    settings->submitter_count = submitters->count;
}

bool config_may_submit(const struct config_mailbox_settings *settings, uid_t user,
                       const gid_t *groups, size_t group_count)
{
    for (size_t i = 0; i < settings->submitter_count; i++) {
        const struct config_submitter *submitter = &settings->submitters[i];
        if (!submitter->is_group && submitter->id == user)
            return true;
        for (size_t j = 0; submitter->is_group && j < group_count; j++) {
            if (submitter->id == groups[j])
                return true;
        }
    }
    return false;
}

/* --- maps --- */

static void check_sends(struct config_builder *builder, struct config_chosen given,
                        const struct config *config, const char *address)
{
    const struct config_mailbox *mailbox = config_find_mailbox(config, address);
    if (mailbox == NULL) {
        struct config_suggestion suggestion = config_suggestion_start(address);
        for (size_t i = 0; i < config->mailbox_count; i++)
            config_suggestion_consider(&suggestion, config->mailboxes[i].address);
        if (suggestion.best != NULL)
            config_build_error(builder, given, "there is no mailbox %s; did you mean %s?", address,
                               suggestion.best);
        else
            config_build_error(builder, given,
                               "there is no mailbox %s; write a section [mailbox %s]", address,
                               address);
    } else if (!mailbox->settings->outgoing) {
        config_build_error(builder, given, "%s does not send; write outgoing = yes in [mailbox %s]",
                           address, address);
    }
}

/* A star stands for all other users of this machine, in recipient_map alone, and by itself. */
static bool check_star(struct config_builder *builder, struct config_chosen given,
                       enum config_key_id id, const char *local)
{
    bool is_star = strcmp(local, "*") == 0;
    if (strchr(local, '*') == NULL || (is_star && id == CONFIG_KEY_RECIPIENT_MAP))
        return true;
    if (id == CONFIG_KEY_RECIPIENT_MAP)
        config_build_error(
            builder, given,
            "'%s' matches nobody: a star stands alone, as '*: ADDRESS', for all other "
            "recipients without a domain or @localhost; name the others one by one, "
            "as USER or USER@HOST",
            local);
    else
        config_build_error(
            builder, given,
            "'%s' matches nobody: name senders one by one, as USER or USER@HOST; all "
            "others are given the mailbox of default_sender",
            local);
    return false;
}

/* USER: ADDRESS. */
static bool read_mapping(struct config_builder *builder, struct config_chosen given,
                         enum config_key_id id, char *word, struct config_mapping *mapping)
{
    struct buffer wrong = {0};
    char *colon = strchr(word, ':');
    char *address = colon == NULL ? NULL : colon + 1;
    while (address != NULL && isspace((unsigned char)*address))
        address++;
    if (colon == NULL || colon == word) {
        config_build_error(builder, given,
                           "'%s' is no USER: ADDRESS; write it such as www-data: web@contoso.com",
                           word);
        return false;
    }
    *colon = '\0';
    for (char *at = word; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    if (!check_star(builder, given, id, word))
        return false;
    bool good = config_read_address(address, &wrong);
    if (good)
        *mapping = (struct config_mapping){
            .local = config_strings_intern(&builder->strings, word),
            .address = config_strings_intern(&builder->strings, address),
        };
    else
        config_build_error(builder, given, "%s", buffer_string(&wrong));
    buffer_release(&wrong);
    return good;
}

/* Returns how many there are. */
static size_t read_map(struct config_builder *builder, struct config_chosen given,
                       enum config_key_id id, const struct config_mapping **map)
{
    if (given.entry == NULL)
        return 0;
    char *rest = config_build_join_lines(builder, given, id), *word;
    size_t most = 1, count = 0;
    for (const char *at = rest; *at != '\0'; at++)
        most += *at == ',';
    struct config_mapping *mappings =
        config_arena_allocate(builder->arena, most * sizeof *mappings);
    while ((word = config_build_next_word(&rest)) != NULL)
        count += read_mapping(builder, given, id, word, &mappings[count]);
    *map = mappings;
    return count;
}

/* What programs write behind the @ of local senders, exsync-submit among them. */
static const char *read_mail_name(struct config_builder *builder)
{
    char line[HOST_SIZE] = "";
    FILE *stream = fopen("/etc/mailname", "re");
    if (stream == NULL)
        return NULL;
    bool read = fgets(line, sizeof line, stream) != NULL;
    fclose(stream);
    line[strcspn(line, " \t\r\n")] = '\0';
    return read && line[0] != '\0' ? config_strings_intern(&builder->strings, line) : NULL;
}

void config_build_maps(struct config_builder *builder,
                       const struct config_chosen chosen[CONFIG_KEY_COUNT], struct config *config)
{
    struct config_chosen senders = chosen[CONFIG_KEY_SENDER_MAP];
    config->mail_name = read_mail_name(builder);
    if (config->default_sender != NULL)
        check_sends(builder, chosen[CONFIG_KEY_DEFAULT_SENDER], config, config->default_sender);
    config->sender_count = read_map(builder, senders, CONFIG_KEY_SENDER_MAP, &config->senders);
    for (size_t i = 0; i < config->sender_count; i++)
        check_sends(builder, senders, config, config->senders[i].address);
    config->recipient_count = read_map(builder, chosen[CONFIG_KEY_RECIPIENT_MAP],
                                       CONFIG_KEY_RECIPIENT_MAP, &config->recipients);
}

/* "db1" and "db1.contoso.com" name the same machine when one of them has no domain. */
static bool is_same_host(const char *a, const char *b)
{
    size_t length = strcspn(a, ".");
    if (strcasecmp(a, b) == 0)
        return a[0] != '\0';
    return length > 0 && length == strcspn(b, ".") && strncasecmp(a, b, length) == 0 &&
           (a[length] == '\0' || b[length] == '\0');
}

/* A sender without a domain, or whose domain is this machine. */
static bool is_local(const struct config *config, const char *from)
{
    char host[HOST_SIZE] = "";
    const char *domain = strrchr(from, '@');
    if (domain == NULL || strcmp(domain, "@localhost") == 0 ||
        strcmp(domain, "@localhost.localdomain") == 0)
        return true;
    domain++;
    gethostname(host, sizeof host - 1);
    return is_same_host(domain, host) ||
           (config->mail_name != NULL && strcasecmp(domain, config->mail_name) == 0);
}

static const char *find_mapping(const struct config_mapping *map, size_t count, const char *local,
                                size_t length)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(map[i].local) == length && strncasecmp(map[i].local, local, length) == 0)
            return map[i].address;
    }
    return NULL;
}

const char *config_map_sender(const struct config *config, const char *from)
{
    const struct config_mapping *map = config->senders;
    size_t count = config->sender_count;
    const char *address = find_mapping(map, count, from, strlen(from));
    if (address != NULL || !is_local(config, from))
        return address;
    address = find_mapping(map, count, from, strcspn(from, "@"));
    return address != NULL ? address : config->default_sender;
}

/* The machine's name is no sign of a local recipient: it may be the domain of everybody's mail, and
 * * would divert all of it. */
const char *config_map_recipient(const struct config *config, const char *recipient)
{
    const struct config_mapping *map = config->recipients;
    size_t count = config->recipient_count, length = strlen(recipient);
    const char *address = find_mapping(map, count, recipient, length);
    const char *domain = strrchr(recipient, '@');
    if (address != NULL || (domain != NULL && strcasecmp(domain, "@localhost") != 0))
        return address;
    address =
        find_mapping(map, count, recipient, domain == NULL ? length : (size_t)(domain - recipient));
    return address != NULL ? address : find_mapping(map, count, "*", 1);
}
