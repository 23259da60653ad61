/* What all operations have in common: a request under way, its answer, and an end that comes once.
 *
 * An operation is a struct of its own that begins with struct backend_operation; its kind says what
 * to do at the end. `busy` is set while the operation or what it calls is on the stack: a cancel
 * that comes then (from a receiver's callback) is only noted and carried out when the stack is
 * free. */
#ifndef EXSYNC_EWS_EWS_OPERATION_H
#define EXSYNC_EWS_EWS_OPERATION_H

#include "base/executor.h"
#include "ews/ews.h"
#include "ews/ews_request.h"
#include "ews/ews_response.h"

struct backend {
    struct executor *executor;
    struct http_pool *pool;
    struct ews_settings settings;
    struct ews_parsers parsers;
    bool has_version;
    struct backend_version version; /* of the server that answered last */
};

struct backend_operation;

struct ews_operation_kind {
    size_t size; /* of the whole struct */
    /* Whether more of the answer can be taken now; NULL: always. */
    bool (*ready)(struct backend_operation *operation);
    /* The answer is over. `failure` NULL: it came whole and without a fault. Either tells the
     * caller and returns true, or sends another request and returns false. */
    bool (*answered)(struct backend_operation *operation, const struct failure *failure);
    /* Frees what the operation owns beyond its own struct; may be NULL. */
    void (*release)(struct backend_operation *operation);
};

struct backend_operation {
    const struct ews_operation_kind *kind;
    struct backend *backend;
    const struct backend_mailbox *mailbox;
    struct http_request request;
    struct ews_response response;
    struct executor_call local; /* an end without a request */
    bool holding;               /* the answer is held as long as it may be one that is known */
    struct buffer held;
    struct digest known;
    struct digest answer;   /* of all bytes that were held; zero when not all were */
    bool known_again;       /* the answer was the known one, and was not read */
    uint32_t ignored_bytes; /* of the answer, after enough of it was seen */
    bool busy;
    bool cancelled;
};

/* A zeroed struct of the kind's size. */
void *ews_operation_create(struct backend *backend, const struct ews_operation_kind *kind,
                           const struct backend_mailbox *mailbox);

struct ews_expectation {
    const char *step; /* static */
    const struct ews_reader *reader;
    struct ews_limits limits;
    size_t messages; /* response messages at most */
    bool items;      /* the request is for items */
    bool changes;    /* the request changes something on the server */
    /* The digest of an answer that was read before, or zero. NULL: none will ever be known. */
    const struct digest *known;
};

/* Sends what was written into operation->request.body; the reader's argument is the operation. */
void ews_operation_send(struct backend_operation *operation,
                        const struct ews_expectation *expectation);

/* The same for a request whose answer says little of each of `count` items. */
void ews_operation_send_for_items(struct backend_operation *operation, const char *step,
                                  const struct ews_reader *reader, size_t count, bool changes);

/* Ends in the loop's next turn, without a request: `answered` is called without a failure. */
void ews_operation_end_locally(struct backend_operation *operation);

struct ews_sender ews_operation_sender(const struct backend_operation *operation);

#endif
