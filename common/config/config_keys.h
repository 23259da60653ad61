/* Every section and key of the configuration, once: name, kind of value, range, default and the
 * sentences that document it. The reader, conf/exsyncd.conf and the manual page follow this table;
 * a test compares the example file with it.
 *
 * Values are written as people write them and stored in milliseconds and bytes; see enum
 * config_kind for how each kind is written. */
#ifndef EXSYNC_CONFIG_KEYS_H
#define EXSYNC_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum config_section_kind {
    CONFIG_SECTION_DAEMON,           /* [exsyncd] */
    CONFIG_SECTION_PROFILE,          /* [profile NAME] */
    CONFIG_SECTION_SMTP,             /* [smtp] */
    CONFIG_SECTION_MAILBOX_DEFAULTS, /* [mailbox-defaults] */
    CONFIG_SECTION_MAILBOX,          /* [mailbox ADDRESS] */
    CONFIG_SECTION_COUNT,
};

struct config_section_description {
    const char *keyword; /* "profile" */
    const char *name;    /* what the name behind the keyword is: "NAME", "ADDRESS", NULL for none */
    const char *example; /* the section's title in the example file */
    const char *text;
    bool optional; /* an empty one would be a mistake: the example file shows it as a comment */
};

enum config_kind {
    CONFIG_KIND_BOOLEAN,    /* yes no true false on off 1 0; a bool */
    CONFIG_KIND_CHOICE,     /* one of `choices`; an enum */
    CONFIG_KIND_NUMBER,     /* minimum..maximum; a uint32_t */
    CONFIG_KIND_DURATION,   /* 500ms 30s 5m 1h 90d 2w, or several: 1h 30m; a uint64_t, ms */
    CONFIG_KIND_DURATIONS,  /* 5m, 15m, 1h: each within minimum..maximum */
    CONFIG_KIND_SIZE,       /* 1000 64K 25MB 25MiB 1G; a uint64_t, bytes */
    CONFIG_KIND_TEXT,       /* any; a string */
    CONFIG_KIND_PATH,       /* begins with a slash; a string */
    CONFIG_KIND_SOCKET,     /* a path of at most 107 bytes, or none; a string */
    CONFIG_KIND_ADDRESS,    /* anna@contoso.com; a string in lower case */
    CONFIG_KIND_URL,        /* https://HOST/PATH; a string */
    CONFIG_KIND_SMTP_URL,   /* smtp://HOST:PORT or smtps://HOST:PORT; a string */
    CONFIG_KIND_COMMAND,    /* the path of a program, and words for it, with spaces between them */
    CONFIG_KIND_CREDENTIAL, /* the name of a systemd credential */
    CONFIG_KIND_TIMESTAMP,  /* now, 2026-01-31 or 2026-01-31T08:00:00Z */
    CONFIG_KIND_FOLDERS,    /* Inbox, Inbox/Orders; the key may be given several times */
    CONFIG_KIND_LIST,       /* words with commas; the key may be given several times */
    CONFIG_KIND_MAILDIR,    /* maildir:PATH with %u %d %n %% */
    CONFIG_KIND_GROUP,      /* the name or number of a group */
    CONFIG_KIND_MODE,       /* 0640 */
    CONFIG_KIND_AFTER,      /* leave mark_read move:FOLDER delete purge */
    CONFIG_KIND_PROFILE,    /* the name of a profile */
    CONFIG_KIND_IDENTITY,   /* a user principal name or a SID */
};

enum config_key_id {
    CONFIG_KEY_STATE_DIRECTORY,
    CONFIG_KEY_CONTROL_SOCKET,
    CONFIG_KEY_LOG_LEVEL,
    CONFIG_KEY_FORGET_AFTER,
    CONFIG_KEY_LEDGER_KEEP,
    CONFIG_KEY_FAILURE_KEEP,
    CONFIG_KEY_SUMMARY_INTERVAL,
    CONFIG_KEY_FILE_THREADS,
    CONFIG_KEY_DEFAULT_SENDER,
    CONFIG_KEY_SENDER_MAP,
    CONFIG_KEY_RECIPIENT_MAP,
    CONFIG_KEY_RECIPIENTS_REWRITE,
    CONFIG_KEY_MAX_SUBMISSION_SIZE,
    CONFIG_KEY_OUTBOX_MIN_FREE,
    CONFIG_KEY_OUTBOX_SCAN_INTERVAL,

    CONFIG_KEY_URL,
    CONFIG_KEY_AUTH,
    CONFIG_KEY_USERNAME,
    CONFIG_KEY_PASSWORD_FILE,
    CONFIG_KEY_PASSWORD_CREDENTIAL,
    CONFIG_KEY_OWNER,
    CONFIG_KEY_NOTIFY,
    CONFIG_KEY_NOTIFY_COMMAND,
    CONFIG_KEY_NOTIFY_DELAY,
    CONFIG_KEY_NOTIFY_LIMIT,
    CONFIG_KEY_IMPERSONATION,
    CONFIG_KEY_CONNECTING_SID,
    CONFIG_KEY_POLL_INTERVAL,
    CONFIG_KEY_PROFILE_PROCESS_FROM,
    CONFIG_KEY_MAX_CONNECTIONS,
    CONFIG_KEY_PAGE_SIZE,
    CONFIG_KEY_BATCH_SIZE,
    CONFIG_KEY_BATCH_BYTES,
    CONFIG_KEY_MAX_MESSAGE_SIZE,
    CONFIG_KEY_REQUEST_TIMEOUT,
    CONFIG_KEY_CONNECT_TIMEOUT,
    CONFIG_KEY_RETRY_MIN,
    CONFIG_KEY_RETRY_MAX,
    CONFIG_KEY_ITEM_ATTEMPTS,
    CONFIG_KEY_TRANSIENT_ATTEMPTS,
    CONFIG_KEY_PROBE_INTERVALS,
    CONFIG_KEY_TLS_CA_FILE,
    CONFIG_KEY_TLS_VERIFICATION,
    CONFIG_KEY_HTTP_USER_AGENT,
    CONFIG_KEY_SEND_METHOD,
    CONFIG_KEY_DOUBT_WINDOW,
    CONFIG_KEY_DELIVERY_NOTIFICATIONS,

    CONFIG_KEY_SMTP_URL,
    CONFIG_KEY_SMTP_STARTTLS,
    CONFIG_KEY_SMTP_USERNAME,
    CONFIG_KEY_SMTP_PASSWORD_FILE,
    CONFIG_KEY_SMTP_PASSWORD_CREDENTIAL,
    CONFIG_KEY_SMTP_TLS_CA_FILE,
    CONFIG_KEY_SMTP_TLS_VERIFICATION,
    CONFIG_KEY_SMTP_FROM,

    CONFIG_KEY_PROFILE,
    CONFIG_KEY_INCOMING,
    CONFIG_KEY_OUTGOING,
    CONFIG_KEY_SUBMITTERS,
    CONFIG_KEY_FOLDERS,
    CONFIG_KEY_DELIVER,
    CONFIG_KEY_DELIVER_GROUP,
    CONFIG_KEY_DELIVER_MODE,
    CONFIG_KEY_LINE_ENDINGS,
    CONFIG_KEY_AFTER_PROCESSING,
    CONFIG_KEY_UNDELIVERABLE_FOLDER,
    CONFIG_KEY_MAILBOX_PROCESS_FROM,
    CONFIG_KEY_RENAMED_FROM,
    CONFIG_KEY_IDENTITY,
    CONFIG_KEY_COUNT,
};

enum { CONFIG_CHOICE_LIMIT = 8 };

struct config_choice {
    const char *name; /* NULL behind the last */
    unsigned value;
};

struct config_key {
    const char *name;
    enum config_section_kind section; /* keys of [mailbox-defaults] may stand in [mailbox] too */
    enum config_kind kind;
    uint64_t minimum, maximum; /* of numbers, durations (ms) and sizes (bytes) */
    size_t field; /* offset in struct config, config_profile or config_mailbox_settings; SIZE_MAX
                     where the value is more than one field */
    const char *initial; /* the default as it would be written; NULL when there is none */
    const char *example; /* where there is no default */
    const char *text;
    struct config_choice choices[CONFIG_CHOICE_LIMIT];
};

extern const struct config_section_description config_sections[CONFIG_SECTION_COUNT];
extern const struct config_key config_keys[CONFIG_KEY_COUNT];

/* True when the key may stand in sections of that kind. */
bool config_key_allowed(const struct config_key *key, enum config_section_kind section);

/* The key of that name that may stand in the section; NULL when there is none. */
const struct config_key *config_key_find(enum config_section_kind section, const char *name);

#endif
