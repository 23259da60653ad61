/* The configuration: read, checked, and then never changed.
 *
 * Words as in the files: an [exsyncd] section, profiles ("email server profiles"), mailboxes. A
 * struct config is an immutable value: loading makes one, a reload makes another, and nothing in it
 * points outside it. What mailboxes have in common is stored once: ten thousand mailboxes that
 * differ in nothing but their address cost their address and 24 bytes each.
 *
 * Loading blocks (files, name services) and therefore runs before the loop or as a job. It takes
 * any thread and has no state of its own.
 *
 * Units: milliseconds and bytes. Every key, its unit, range and default stands in config_keys.h,
 * which the reader, the example file and the documentation's test share. */
#ifndef EXSYNC_CONFIG_CONFIG_H
#define EXSYNC_CONFIG_CONFIG_H

#include "base/buffer.h"
#include "base/secret.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum config_auth {
    CONFIG_AUTH_NEGOTIATE,
    CONFIG_AUTH_NTLM,
    CONFIG_AUTH_BASIC,
};

enum config_connecting_sid {
    CONFIG_SID_PRIMARY_SMTP,
    CONFIG_SID_SMTP,
    CONFIG_SID_UPN,
    CONFIG_SID_SID, /* the mailbox's `identity` key holds the SID */
};

enum config_line_endings {
    CONFIG_LINE_ENDINGS_LF,
    CONFIG_LINE_ENDINGS_CRLF,
};

enum config_after_processing {
    CONFIG_AFTER_LEAVE,
    CONFIG_AFTER_MARK_READ,
    CONFIG_AFTER_MOVE,   /* to move_folder */
    CONFIG_AFTER_DELETE, /* to Deleted Items */
    CONFIG_AFTER_PURGE,  /* for good */
};

enum config_send_method {
    CONFIG_SEND_AUTO,
    CONFIG_SEND_DRAFT,
    CONFIG_SEND_DIRECT,
};

/* Ways to the owner of a profile; a set of bits. */
enum config_notify {
    CONFIG_NOTIFY_EXCHANGE = 1,
    CONFIG_NOTIFY_SMTP = 2,
    CONFIG_NOTIFY_COMMAND = 4,
};

enum config_starttls {
    CONFIG_STARTTLS_REQUIRED,
    CONFIG_STARTTLS_OFFERED, /* when the server offers it */
    CONFIG_STARTTLS_NEVER,
};

/* The server that takes notifications. */
struct config_smtp {
    const char *url;               /* smtp://HOST:PORT or smtps://HOST:PORT, without a path */
    enum config_starttls starttls; /* means nothing to smtps:// */
    const char *username;          /* NULL: without signing in */
    struct secret *password;       /* NULL without a username, never NULL with one */
    const char *tls_ca_file;       /* NULL: the system's */
    bool tls_verify;
    const char *from; /* the sender's address; never NULL */
};

struct config_profile {
    const char *name;
    const char *url; /* https://HOST/EWS/Exchange.asmx */
    const char
        *username; /* "CONTOSO\svc-sync" or "svc-sync@contoso.com"; NULL with a ticket cache */
    struct secret *password;     /* NULL when Negotiate uses a ticket cache */
    const char *owner;           /* the address that is told about failures; NULL when not given */
    const char *tls_ca_file;     /* NULL: the system's */
    const char *http_user_agent; /* NULL: the program's own */
    enum config_auth auth;
    enum config_connecting_sid connecting_sid;
    bool impersonation;
    bool tls_verify; /* false only by tls_verification = dangerously-disabled */
    uint32_t max_connections;
    uint32_t page_size;        /* items asked for in one FindItem, 10..1000 */
    uint32_t batch_size;       /* items asked for in one GetItem, 1..100 */
    uint64_t batch_bytes;      /* a batch is cut when the sizes that the server told exceed this */
    uint64_t max_message_size; /* bytes of one message that are taken; 0 means no limit */
    uint64_t poll_interval_ms;
    uint64_t request_timeout_ms; /* no byte moved for so long: given up */
    uint64_t connect_timeout_ms;
    uint64_t retry_min_ms; /* first wait after a transient failure; doubles up to retry_max_ms */
    uint64_t retry_max_ms;
    uint32_t item_attempts;      /* tries of one item before it is left failed for a person */
    uint32_t transient_attempts; /* so many failures in a row that may pass are one that stays */
    const uint64_t *probe_intervals_ms; /* waits before a stopped direction is probed; the last
                                           repeats */
    size_t probe_interval_count;        /* 1 at least */
    unsigned notify_channels;           /* bits of enum config_notify; 0 without an owner */
    const char *const *notify_command;  /* its path and words, NULL-terminated; NULL: none */
    uint64_t notify_delay_ms;           /* what opens within it is told in one message */
    uint32_t notify_limit;              /* messages an hour to one owner */
    enum config_send_method send_method;
    uint64_t doubt_window_ms;
    bool delivery_notifications;
    bool has_process_from;
    int64_t process_from_ms; /* wall time; meaningful with has_process_from */
};

/* Who may send as a mailbox: a user, or the members of a group. */
struct config_submitter {
    bool is_group;
    uint32_t id;
};

/* What a mailbox shares with others that are configured alike. */
struct config_mailbox_settings {
    const struct config_profile *profile;
    bool incoming;
    bool outgoing;
    const char *const *folders; /* paths such as "Inbox" or "Inbox/Orders"; NULL-terminated */
    const char *maildir; /* template with %u (the address), %n (before the @), %d (behind it), %% */
    bool has_deliver_group;
    gid_t deliver_group;
    mode_t deliver_mode; /* of message files, 0600 by default */
    enum config_line_endings line_endings;
    enum config_after_processing after_processing;
    bool undeliverable_folder; /* what cannot be delivered is moved to "Undeliverable" */
    const char *move_folder;   /* NULL unless after_processing moves */
    bool has_process_from;     /* the mailbox's own, or the profile's; false means now */
    int64_t process_from_ms;
    const struct config_submitter *submitters;
    size_t submitter_count;
};

struct config_mailbox {
    const char *address; /* lower case */
    const struct config_mailbox_settings *settings;
    const struct config_mailbox_rare *rare; /* NULL for almost all */
};

/* What hardly any mailbox has. */
struct config_mailbox_rare {
    const char *renamed_from; /* lower case; NULL when not renamed */
    const char *identity;     /* UPN or SID when it is not the address; NULL otherwise */
};

/* A part of sender_map or recipient_map. */
struct config_mapping {
    const char *local;   /* USER or USER@HOST, in lower case */
    const char *address; /* for a sender a mailbox with outgoing = yes */
};

struct config {
    const char *state_directory; /* NULL: $STATE_DIRECTORY or /var/lib/exsyncd */
    const char *control_socket;  /* "none": no socket; NULL: see CONTROL_DEFAULT_SOCKET */
    int log_level;               /* enum log_priority */
    uint64_t forget_after_ms; /* state of a mailbox that left the configuration is kept so long */
    uint64_t ledger_keep_ms;  /* a ledger row is kept so long after its item left the folder */
    uint64_t failure_keep_ms; /* failures and alerts are kept so long after they were resolved */
    uint64_t summary_interval_ms;
    uint32_t file_threads;
    const char *default_sender; /* a mailbox with outgoing = yes; NULL when not given */
    const struct config_mapping *senders;
    size_t sender_count;
    const struct config_mapping *recipients; /* `local` "*": all USERs that are not named */
    size_t recipient_count;
    const char *mail_name; /* /etc/mailname: the domain of local senders on Debian; NULL: none */
    bool recipients_rewrite;
    uint64_t max_submission_size; /* bytes */
    uint64_t outbox_min_free;     /* bytes that exsync-submit leaves free; 0: none */
    uint64_t outbox_scan_interval_ms;

    const struct config_smtp *smtp; /* NULL: none; there when a profile notifies by it */
    bool uses_credentials;          /* a password comes from systemd, which reads it once */

    const struct config_profile *profiles; /* sorted by name */
    size_t profile_count;
    const struct config_mailbox *mailboxes; /* sorted by address */
    size_t mailbox_count;
};

/* Reads `main_path` and then the *.conf files of the folder conf.d beside it, in the order of their
 * names. All mistakes are appended to `report`, one line each:
 *   FILE:LINE: [SECTION] KEY: what is wrong; what would be right
 * Warnings begin with "warning: " behind the place and do not fail the load.
 * Returns NULL when there was a mistake; the configuration, which the caller frees, otherwise. */
struct config *config_load(const char *main_path, struct buffer *report);

/* Reads the same files for the control_socket alone, for tools: the rest may have mistakes, and the
 * files of passwords are not looked at. `*path` is the caller's (memory_free); "none": no socket;
 * NULL: the key is not given. False: it cannot be told, for the mistakes that are appended to
 * `report`. */
bool config_read_control_socket(const char *main_path, char **path, struct buffer *report);

/* The same for the state_directory. */
bool config_read_state_directory(const char *main_path, char **path, struct buffer *report);

/* Whether a line of a report (`length` bytes) is a warning. */
bool config_is_warning(const char *line, size_t length);

/* NULL is allowed. */
void config_free(struct config *config);

/* Bytes that the configuration takes, all that belongs to it counted but the passwords. */
size_t config_memory(const struct config *config);

/* NULL when there is none. `address` in lower case. */
const struct config_mailbox *config_find_mailbox(const struct config *config, const char *address);
const struct config_profile *config_find_profile(const struct config *config, const char *name);

/* Whether a user, who is a member of these groups, may send as the mailbox. */
bool config_may_submit(const struct config_mailbox_settings *settings, uid_t user,
                       const gid_t *groups, size_t group_count);

/* The mailbox that sends for a From (in lower case) that is no mailbox: by sender_map, or for a
 * local sender (USER, USER@localhost, USER@ this machine's name) default_sender. NULL: none. */
const char *config_map_sender(const struct config *config, const char *from);

/* The address that recipient_map gives a recipient of this machine (USER, USER@localhost, or one
 * that is named with its host), whatever its case. NULL: none. */
const char *config_map_recipient(const struct config *config, const char *recipient);

/* The Maildir of a mailbox: the template with its letters filled in. Caller frees (memory_free). */
char *config_maildir_path(const struct config_mailbox *mailbox);

/* The part of the template before its first letter, without a trailing slash: "/srv/mail". All
 * Maildirs of the template lie below it. Caller frees. */
char *config_maildir_root(const struct config_mailbox_settings *settings);

#endif
