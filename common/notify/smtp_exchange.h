/* What is known of an SMTP exchange while libcurl leads it: the command that went out last, the
 * server's answer to it, and how much of the message has gone. Private to notify/. */
#ifndef EXSYNC_NOTIFY_SMTP_EXCHANGE_H
#define EXSYNC_NOTIFY_SMTP_EXCHANGE_H

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum smtp_stage {
    SMTP_STAGE_CONNECT, /* up to the server's greeting */
    SMTP_STAGE_EHLO,
    SMTP_STAGE_STARTTLS,
    SMTP_STAGE_AUTH,
    SMTP_STAGE_MAIL,
    SMTP_STAGE_RCPT,
    SMTP_STAGE_DATA,
    SMTP_STAGE_MESSAGE, /* behind the answer 354 */
    SMTP_STAGE_QUIT,
    SMTP_STAGE_COUNT,
};

enum { SMTP_ANSWER_SIZE = 1024 };

struct smtp_exchange {
    const char *message;
    size_t length;
    size_t taken;          /* bytes of the message that libcurl has taken */
    bool whole;            /* it has taken them all, and written all but the dot at their end */
    enum smtp_stage stage; /* never SMTP_STAGE_QUIT: what comes behind it does not count */
    unsigned code;         /* of the answer to the last command; 0: none so far */
    bool continued;        /* the answer has more lines */
    char answer[SMTP_ANSWER_SIZE]; /* its lines as one: "550 5.7.1 no relaying" */
    size_t answer_length;
    uint64_t quit_ms; /* when QUIT went out; 0: not yet */
    atomic_bool cancelled;
};

/* Sets libcurl's callbacks; the exchange must stay where it is. */
void smtp_exchange_attach(struct smtp_exchange *exchange, CURL *easy);

/* "EHLO", "message", ... */
const char *smtp_stage_name(enum smtp_stage stage);

#endif
