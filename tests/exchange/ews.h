/* One EWS request from its bytes to its answer. */
#ifndef EXCHANGE_EWS_H
#define EXCHANGE_EWS_H

#include "header_checks.h"
#include "mailbox_store.h"
#include "reply.h"

#include <stdbool.h>
#include <stddef.h>

struct account;
struct fault;
struct simulator;

struct ews_request {
    const char *body;
    size_t length;
    const struct account *account; /* who has signed in */
    struct checked_headers headers;
    unsigned server; /* the one that the connection has come to */
    bool is_reused;  /* the connection has carried an answer before */
};

/* What became of it, beside the answer. */
struct ews_outcome {
    struct mailbox *mailbox;     /* whose request it was; NULL: nobody's. Counted as running */
    const struct fault *fault;   /* that the answer must be treated with; or NULL */
    enum item_breakage breakage; /* the same, of an item in it */
    bool needs_cookie;
};

/* Answers the request. Call ews_finish when the answer has gone out. */
void ews_answer(struct simulator *simulator, struct header_checks *checks,
                const struct ews_request *request, struct reply *reply,
                struct ews_outcome *outcome);
void ews_finish(const struct ews_outcome *outcome);

#endif
