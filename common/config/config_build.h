/* From sections to a configuration: defaults filled in, what must hold between keys checked, what
 * is alike stored once. */
#ifndef EXSYNC_CONFIG_BUILD_H
#define EXSYNC_CONFIG_BUILD_H

#include "config/config.h"
#include "config/config_arena.h"
#include "config/config_read.h"

#include <stdbool.h>

/* A configuration and the memory that it lives in. */
struct config_holder {
    struct config config; /* first: a pointer to it is a pointer to the holder */
    struct config_arena arena;
};

/* The entry that holds for a key, and the section that it stands in. */
struct config_chosen {
    const struct config_entry *entry; /* NULL when the key is not given */
    const struct config_section *section;
};

struct config_group;      /* a group that was looked up */
struct config_submitters; /* a list of submitters that was read */

/* A place in the table of settings: those that are alike are there once. */
struct config_settings_place {
    const struct config_mailbox_settings *settings; /* NULL where free */
    const char *folders;                            /* as one interned string */
};

struct config_builder {
    struct config_document *document;
    struct config_report *report;
    struct config_arena *arena;         /* the configuration's own */
    struct config_arena *scratch;       /* gone when it is built */
    struct config_strings strings;      /* in the configuration's arena */
    struct config_strings folder_lists; /* in the scratch arena: "Inbox,Inbox/Orders" */
    struct config_value defaults[CONFIG_KEY_COUNT];
    struct config_profile *profiles; /* sorted by name */
    bool *profile_used;              /* beside profiles */
    size_t profile_count;
    struct config_group *groups;
    struct config_submitters *submitters;
    struct config_settings_place *settings; /* open addressing */
    size_t settings_capacity;               /* a power of two, or 0 */
    size_t settings_count;
    bool uses_credentials;
};

/* Reads the defaults out of the table of keys. */
void config_build_defaults(struct config_builder *builder);

/* Lays the entries of `section` (may be NULL) over those chosen so far. */
void config_build_choose(struct config_chosen chosen[CONFIG_KEY_COUNT],
                         const struct config_section *section);

/* The value that holds for a key: the chosen entry's when it could be read, or else the default.
 * NULL when there is neither. */
const struct config_value *config_build_value(const struct config_builder *builder,
                                              const struct config_chosen chosen[CONFIG_KEY_COUNT],
                                              enum config_key_id id);

/* Stores every key of that kind of section that is one field of `target`. */
void config_build_fields(struct config_builder *builder,
                         const struct config_chosen chosen[CONFIG_KEY_COUNT],
                         enum config_section_kind kind, void *target);

/* A mistake in a given key. */
void config_build_error(struct config_builder *builder, struct config_chosen chosen,
                        const char *format, ...) __attribute__((format(printf, 3, 4)));
void config_build_warning(struct config_builder *builder, struct config_chosen chosen,
                          const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Stores the time of process_email_from; false when it is "now". Warns when it is still to come. */
bool config_build_process_from(struct config_builder *builder, struct config_chosen chosen,
                               int64_t *time_ms);

/* A mistake: a key that a section must have is not there. */
void config_build_missing(struct config_builder *builder, const struct config_section *section,
                          enum config_key_id id, const char *sentence);

/* config_list.c: all lines of a key that is a list, or its default, as one text with commas that
 * may be changed. */
char *config_build_join_lines(struct config_builder *builder, struct config_chosen given,
                              enum config_key_id id);
/* The next word of such a text, without white space around it; NULL behind the last. `*rest` is
 * changed. */
char *config_build_next_word(char **rest);

/* config_sign_in.c: an account as it is given, each of its keys or none of them. */
struct config_account {
    struct config_chosen username, file, credential;
    const char *form; /* how a username is written, for people */
};

/* The account's password; NULL when there is none. What does not fit together is reported. */
struct secret *config_build_password(struct config_builder *builder,
                                     const struct config_account *account);

/* Whether the server's certificate is checked; warns when it is not (`prey`: what can then be taken
 * beside the password), and reports certificates that cannot be read. */
bool config_build_tls(struct config_builder *builder,
                      const struct config_chosen chosen[CONFIG_KEY_COUNT],
                      enum config_key_id verification, enum config_key_id ca_file,
                      const char *prey);

/* config_notify.c: how the profile's owner is told, and probe_intervals. */
void config_build_notify(struct config_builder *builder,
                         const struct config_chosen chosen[CONFIG_KEY_COUNT],
                         struct config_profile *profile);

/* config_smtp.c: fills config->smtp from the section [smtp], when there is one; when the mail name
 * is known. */
void config_build_smtp(struct config_builder *builder, struct config *config);

/* config_profile.c: fills builder->profiles from the [profile] sections. */
void config_build_profiles(struct config_builder *builder);

/* config_settings.c: what a mailbox shares with others; NULL when its profile is not known. */
const struct config_mailbox_settings *
config_build_settings(struct config_builder *builder, const struct config_section *mailbox,
                      const struct config_chosen chosen[CONFIG_KEY_COUNT]);

/* config_group.c: the number of a group, by name or as a number. */
bool config_build_group(struct config_builder *builder, const char *name, gid_t *group,
                        struct buffer *wrong);

/* config_outgoing.c: what a mailbox's submitters are; alike lists have one array. */
void config_build_submitters(struct config_builder *builder,
                             const struct config_chosen chosen[CONFIG_KEY_COUNT],
                             struct config_mailbox_settings *settings);

/* config_outgoing.c: sender_map, whether the mailboxes that it and default_sender name send, and
 * recipient_map; when the mailboxes are known. */
void config_build_maps(struct config_builder *builder,
                       const struct config_chosen chosen[CONFIG_KEY_COUNT], struct config *config);

/* config_mailbox.c: fills config->mailboxes from the [mailbox] sections. */
void config_build_mailboxes(struct config_builder *builder, struct config *config);

#endif
