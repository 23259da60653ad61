/* One answer to one request: the SOAP envelope, a fault, the response messages with their classes
 * and codes. It knows nothing of HTTP but the status, so that it can be tested with bytes alone.
 *
 *   reader    what an operation reads out of its response messages
 *   message   one response message: the answer to one thing that was asked for
 *
 * A fault is a fault under any HTTP status. Without one, the status decides first and then the
 * body. Sources: SOAP 1.1, section 4.4; MS-OXWSCDATA, ResponseMessageType. */
#ifndef EXSYNC_EWS_EWS_RESPONSE_H
#define EXSYNC_EWS_EWS_RESPONSE_H

#include "base/failure.h"
#include "ews/backend.h"
#include "ews/ews_parsers.h"

struct ews_response;

struct ews_reader {
    /* The elements within a response message. Each may be NULL. */
    void (*start)(void *argument, enum ews_element element,
                  const struct ews_attributes *attributes);
    void (*end)(void *argument, enum ews_element element, const char *text, size_t length);
    void (*mime)(void *argument, const char *text, size_t length);
    void (*mime_damaged)(void *argument);
    /* A response message, counted from 0, is over. `failure` NULL: it says success. Otherwise its
     * scope is what the table of codes says of it; nothing of the message may be used. */
    void (*message_end)(void *argument, size_t index, const struct failure *failure);
};

struct ews_response {
    /* Set by ews_response_begin. */
    const struct ews_reader *reader;
    void *argument;
    const char *step; /* static: FindItem, ... */
    struct ews_limits limits;
    size_t expected; /* response messages at most */
    bool items;      /* the request was for items: one of them may be the cause of its failure */
    bool changes;    /* the request changes something: its failures say whether it may be done */

    struct ews_parser *parser; /* from the first byte on */
    size_t messages;           /* begun */
    bool in_message;
    bool in_fault;
    bool fault; /* a whole fault was seen */
    bool back_off;
    enum { EWS_CLASS_NONE, EWS_CLASS_SUCCESS, EWS_CLASS_WARNING, EWS_CLASS_ERROR } message_class;
    char code[FAILURE_CODE_SIZE];
    char fault_code[FAILURE_CODE_SIZE];
    char text[FAILURE_TEXT_SIZE];
    uint32_t back_off_ms;
    bool has_version;
    struct backend_version version;
};

void ews_response_begin(struct ews_response *response, const char *step,
                        const struct ews_reader *reader, void *argument,
                        const struct ews_limits *limits, size_t expected, bool items);

/* False when nothing more needs to be read. */
bool ews_response_feed(struct ews_response *response, struct ews_parsers *parsers,
                       const char *bytes, size_t length);

/* From within a reader. `code` is static. */
void ews_response_stop(struct ews_response *response, const char *code, const char *text);

/* What the other side of HTTP knows of the exchange. */
struct ews_exchange {
    uint16_t status;
    uint32_t retry_after_ms;
    uint64_t sent_bytes;
};

/* The answer is over: what it says as a whole. A failure that is not set means a complete answer
 * without a fault; every response message was told then. */
struct failure ews_response_finish(struct ews_response *response,
                                   const struct ews_exchange *exchange);

/* Gives the parser back; may be called at any time but from within a reader. */
void ews_response_release(struct ews_response *response, struct ews_parsers *parsers);

#endif
