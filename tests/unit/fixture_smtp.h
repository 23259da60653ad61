/* An SMTP server that does as it is told at one stage, and what is right at all others.
 *
 * The script is written before the start; what was received is read after fixture_smtp_stop. */
#ifndef EXSYNC_TESTS_FIXTURE_SMTP_H
#define EXSYNC_TESTS_FIXTURE_SMTP_H

#include "base/buffer.h"
#include "fixture_server.h"

enum fixture_smtp_stage {
    FIXTURE_SMTP_GREETING,
    FIXTURE_SMTP_EHLO,
    FIXTURE_SMTP_STARTTLS,
    FIXTURE_SMTP_AUTH,
    FIXTURE_SMTP_MAIL,
    FIXTURE_SMTP_RCPT,
    FIXTURE_SMTP_DATA,
    FIXTURE_SMTP_MESSAGE, /* when it has come whole */
    FIXTURE_SMTP_QUIT,
    FIXTURE_SMTP_NOWHERE,
};

enum fixture_smtp_action {
    FIXTURE_SMTP_ANSWER, /* with `answer` */
    FIXTURE_SMTP_CLOSE,
    FIXTURE_SMTP_RESET,
    FIXTURE_SMTP_HANG, /* until the client has had enough */
};

struct fixture_smtp {
    /* The script. */
    enum fixture_smtp_stage stage;
    enum fixture_smtp_action action;
    const char *answer; /* complete lines */
    bool offers_starttls;
    bool offers_auth;
    size_t take; /* closes in the message, behind so many lines; 0: takes it whole */
    struct fixture_certificate certificate; /* without a host: none; `later` for STARTTLS */

    /* What came. */
    struct buffer commands; /* "EHLO STARTTLS EHLO ..." */
    struct buffer mail;     /* the lines of MAIL and RCPT */
    struct buffer message;  /* with the dots that were put before dots taken away */
    bool encrypted;         /* the message came over TLS */
    bool wrong_line_end;    /* a line of the message did not end in CRLF */

    struct fixture_server *server;
};

void fixture_smtp_start(struct fixture_smtp *smtp);
void fixture_smtp_stop(struct fixture_smtp *smtp);

/* After fixture_smtp_stop. */
void fixture_smtp_release(struct fixture_smtp *smtp);

#endif
