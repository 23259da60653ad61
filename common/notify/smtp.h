/* One mail, handed to an SMTP server.
 *
 *   delivery  one message on its way to one recipient: a connection of its own, in a job off the
 *             loop. A slow server, or name service, holds a thread of the pool and nothing else.
 *   whole     the message has gone out to its last byte; what is then missing is only the answer
 *   in doubt  it went out whole and no answer came: the server may have taken it all the same
 *
 * Certificates are checked as in http/. Nothing is read from the environment, the user's files or
 * the url but the server and its port; redirects do not exist. The message is sent as it is, lines
 * that begin with a dot as RFC 5321, 4.5.2 wants it; it must be 7-bit, with CRLF at the end of each
 * line and lines of 998 bytes at most.
 *
 * A delivery's memory is given back by its job's end on the loop: cancel, and free the pool when it
 * has no job left. */
#ifndef EXSYNC_NOTIFY_SMTP_H
#define EXSYNC_NOTIFY_SMTP_H

#include "base/executor.h"
#include "base/failure.h"
#include "base/secret.h"

#include <stdbool.h>
#include <stdint.h>

enum smtp_starttls {
    SMTP_STARTTLS_REQUIRED,
    SMTP_STARTTLS_OFFERED, /* when the server offers it */
    SMTP_STARTTLS_NEVER,
};

/* How long a server may take for its answer to the end of a message: RFC 5321, 4.5.3.2.6. */
enum { SMTP_TIME_LIMIT_MS = 11 * 60 * 1000 };

/* Copied by smtp_send, the secret included. */
struct smtp_settings {
    const char *url;             /* smtp://HOST[:PORT] or smtps://HOST[:PORT], without a path */
    enum smtp_starttls starttls; /* means nothing to smtps:// */
    const char *username;        /* NULL: without signing in */
    const struct secret *password;
    const char *tls_ca_file; /* NULL: the system's */
    bool tls_verify;
    uint64_t time_limit_ms; /* for everything, from the look-up of the name to the last answer */
};

struct smtp_delivery;

/* Called on the loop, once, unless the delivery was cancelled; it is gone afterwards. `failure` is
 * NULL when the server has taken the message, and valid during the call otherwise:
 *   scope       always the profile's
 *   code        "SMTP 550" for an answer of the server's, or libcurl's name: "CURLE_..."
 *   step        the command that failed ("connect", "EHLO", "RCPT", ... , "message")
 *   text        the server's own words, or libcurl's
 *   permanent   a 5xx answer, and what only a person can put right
 *   in_doubt    see above */
typedef void smtp_done(void *argument, const struct failure *failure);

/* `from` and `to` are single addresses without angle brackets; `message` is copied. */
struct smtp_delivery *smtp_send(struct executor *executor, struct executor_pool *pool,
                                const struct smtp_settings *settings, const char *from,
                                const char *to, const char *message, smtp_done *done,
                                void *argument);

/* `done` is not called. The job ends within about a second, or, when the name service hangs, when
 * that gives up; the message may still be taken. Not after `done` was called. */
void smtp_cancel(struct smtp_delivery *delivery);

#endif
