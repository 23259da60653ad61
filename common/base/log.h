/* What the daemon says: to the journal when standard error is connected to it, to standard error
 * otherwise, the same sentence in both.
 *
 * Writers never wait: a message is put into a bounded queue and a thread of its own writes it. When
 * the queue is full, messages of priority info and below are dropped and counted, and the count is
 * logged once there is room. More urgent ones have a reserve and are dropped only when that is
 * full, too. Messages are single lines of at most LOG_LINE_SIZE bytes; control characters are
 * replaced. A field has at most LOG_FIELD_SIZE bytes, or LOG_LONG_FIELD_SIZE where it says so; what
 * does not fit is cut at a character. On standard error a line is the sentence alone. Source:
 * sd_journal_sendv(3); systemd.exec(5) on JOURNAL_STREAM. */
#ifndef EXSYNC_BASE_LOG_H
#define EXSYNC_BASE_LOG_H

#include <stdint.h>

struct log;

/* With the NUL. */
enum { LOG_LINE_SIZE = 2048, LOG_FIELD_SIZE = 512, LOG_LONG_FIELD_SIZE = 4096 };

/* The values of syslog(3), so that they can be passed to the journal. */
enum log_priority {
    LOG_PRIORITY_CRITICAL = 2,
    LOG_PRIORITY_ERROR = 3,
    LOG_PRIORITY_WARNING = 4,
    LOG_PRIORITY_NOTICE = 5,
    LOG_PRIORITY_INFO = 6,
    LOG_PRIORITY_DEBUG = 7,
};

/* Fields that go with a message; every one may be NULL. Copied before log_write returns. */
struct log_fields {
    const char *message_id; /* 32 hexadecimal digits: MESSAGE_ID, see daemon/messages.h */
    const char *profile;    /* EXSYNC_PROFILE */
    const char *mailbox;    /* EXSYNC_MAILBOX */
    const char *direction;  /* EXSYNC_DIRECTION: "incoming" or "outgoing" */
    const char *step;       /* EXSYNC_STEP: "FindItem", "deliver", ... */
    const char *activity;   /* EXSYNC_ACTIVITY: the cycle's activity id */
    const char *code;       /* EXSYNC_CODE: the response code or the like */
    const char *account;    /* EXSYNC_ACCOUNT: the account of the profile */
    const char *alert;      /* EXSYNC_ALERT: the alert's number */
    const char *subject;    /* EXSYNC_SUBJECT: of the message that was being sent */
    const char *cause;      /* EXSYNC_CAUSE: what happened, for people; long */
    const char *remedy;     /* EXSYNC_REMEDY: what to do, several lines; long */
    const char *details;    /* EXSYNC_DETAILS: of an alert, several lines; long */
};

/* Starts the thread. Messages less urgent than `level` are dropped at the door. */
struct log *log_create(enum log_priority level);

/* Writes out what is queued (for at most two seconds) and ends the thread. */
void log_free(struct log *log);

void log_set_level(struct log *log, enum log_priority level);
int log_enabled(const struct log *log, enum log_priority priority);

/* Any thread. `fields` may be NULL. */
void log_write(struct log *log, enum log_priority priority, const struct log_fields *fields,
               const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
