/* An alert as it is read for those who are to be told of it: joined with the failure that opened
 * it. Strings are never NULL; times are wall times in milliseconds. */
#ifndef EXSYNC_DAEMON_ALERT_ROW_H
#define EXSYNC_DAEMON_ALERT_ROW_H

#include <stdbool.h>
#include <stdint.h>

enum store_alert_level {
    STORE_ALERT_INFORMATION = 1,
    STORE_ALERT_WARNING,
    STORE_ALERT_ERROR,
};

/* Whether the owner knows. */
enum store_alert_told {
    STORE_TOLD_NOBODY, /* nobody is to be told */
    STORE_TOLD_BEING,  /* the owner is to be told */
    STORE_TOLD_DONE,   /* has been */
    STORE_TOLD_NOT,    /* could not be so far, and why */
};

struct store_alert_row {
    int64_t id;
    enum store_alert_level level;
    enum store_alert_told told;
    const char *told_reason; /* "" unless STORE_TOLD_NOT */
    const char *scope;
    const char *profile;
    const char *mailbox; /* its address; "" for a profile's */
    const char *direction;
    const char *category;
    const char *code;
    const char *step;
    const char *subject; /* of the message that was being sent; "" for none */
    const char *opening;
    const char *sentence;
    const char *remedy;
    const char *text; /* the server's words */
    const char *activity;
    const char *trace;
    int http_status;
    int64_t opened_ms;
    int64_t last_seen_ms;
    int64_t resolved_ms; /* 0: open */
    uint32_t count;
    bool absorbs;
};

#endif
