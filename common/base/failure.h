/* What went wrong, in words that every layer shares.
 *
 * Whatever refuses (Exchange, the network, the disk, SQLite) is told as one struct failure. The
 * layer that sees the refusal fills it in; the daemon decides by scope, permanence and retry alone
 * and never by comparing codes.
 *
 *   scope      how far the trouble reaches: one item, one mailbox, one profile, or the whole server
 *   permanent  it stays until a person acts; otherwise waiting may help
 *   divisible  a request for several items failed as a whole and one of them may be the cause:
 *              asking again for fewer of them can find out which
 *   gone       the item asked for is not there any more: there is nothing left to do for it
 *   in doubt   the request was to change something, and the other side may have done it all the
 *              same: to be found out before it is asked again
 *   account unasked  signing in failed before anybody judged the account: its key table cannot be
 *              read, or the server does not offer the way; nothing about the account is to be mended
 *
 * A failure is a plain value without pointers to owned memory: copy it freely. */
#ifndef EXSYNC_BASE_FAILURE_H
#define EXSYNC_BASE_FAILURE_H

#include <stdbool.h>
#include <stdint.h>

enum failure_scope {
    FAILURE_SCOPE_NONE, /* no failure */
    FAILURE_SCOPE_ITEM,
    FAILURE_SCOPE_MAILBOX,
    FAILURE_SCOPE_PROFILE,
    FAILURE_SCOPE_SERVER, /* this machine: its disk, its database */
};

enum failure_category {
    FAILURE_NONE,
    FAILURE_IMPERSONATION,
    FAILURE_AUTHENTICATION,
    FAILURE_AUTHORIZATION,
    FAILURE_THROTTLING,
    FAILURE_MAILBOX, /* gone, moving, or not available */
    FAILURE_ITEM,
    FAILURE_NETWORK,
    FAILURE_TLS,
    FAILURE_PROTOCOL, /* an answer that cannot be understood */
    FAILURE_CONFIGURATION,
    FAILURE_SERVER,
    FAILURE_STORAGE,
    FAILURE_CANCELLED, /* by ourselves: stop or reload; never recorded */
};

enum { FAILURE_CODE_SIZE = 64, FAILURE_STEP_SIZE = 32, FAILURE_TEXT_SIZE = 384 };

struct failure {
    enum failure_category category;
    enum failure_scope scope;
    bool permanent;
    bool divisible;
    bool gone;
    bool in_doubt;
    bool account_unasked;
    uint16_t http_status;         /* 0 when there was no HTTP answer */
    uint32_t retry_after_ms;      /* what the server asks for at least; 0 when it does not say */
    char code[FAILURE_CODE_SIZE]; /* stable name: "ErrorServerBusy", "HTTP 503", "EACCES", ... */
    char step[FAILURE_STEP_SIZE]; /* the step in which it happened: "FindItem", "deliver", ... */
    char text[FAILURE_TEXT_SIZE]; /* the other side's own words, or the detail; one line, UTF-8 */
    const char *sentence;         /* static: what happened, for people; "" never NULL when set */
    const char *remedy;           /* static: what to do; "" when nothing needs to be done */
};

/* True when there is a failure at all. */
bool failure_is_set(const struct failure *failure);

/* Static names for logs and the store: "impersonation", "mailbox", ... */
const char *failure_category_name(enum failure_category category);
const char *failure_scope_name(enum failure_scope scope);

/* Copies words from outside into failure->text: control characters become spaces, invalid UTF-8
 * becomes '?', what is too long is cut at a character. `text` need not be NUL-terminated. */
void failure_set_text(struct failure *failure, const char *text, uint64_t length);
void failure_format_text(struct failure *failure, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void failure_set_code(struct failure *failure, const char *code);
void failure_set_step(struct failure *failure, const char *step);

/* A failure of a system call of ours on this machine: category storage, transient, code the errno's
 * name. Scope is the caller's to say. `what` names the action and object: "create /srv/mail/x". */
struct failure failure_from_errno(enum failure_scope scope, const char *step, int error,
                                  const char *what);

/* A failure that stands for work we gave up ourselves. */
struct failure failure_cancelled(void);

#endif
