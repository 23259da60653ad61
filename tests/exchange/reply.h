/* An answer while it is put together.
 *
 * The text stands in one buffer; MimeContent is not copied into it but remembered by the place
 * where it belongs, with a reference to its message, and goes from there straight to the socket. */
#ifndef EXCHANGE_REPLY_H
#define EXCHANGE_REPLY_H

#include "base/buffer.h"
#include "message.h"

#include <stdbool.h>
#include <stddef.h>

/* MimeContent that stands in the text at an offset. */
struct reply_insertion {
    size_t offset;
    struct message *message; /* a reference */
};

struct reply {
    struct buffer text;
    struct reply_insertion *insertions;
    size_t insertion_count;
    size_t insertion_capacity;
    unsigned status; /* HTTP */
    bool is_spoiled; /* a fault has made it invalid on purpose */
};

/* A run of bytes of the finished answer. */
struct reply_run {
    const char *bytes;
    size_t length;
};

void reply_append_content(struct reply *reply, struct message *message);

/* Bytes of the whole answer. */
size_t reply_length(const struct reply *reply);

/* The answer as runs in order; `count` of them, freed by the caller, valid as long as the reply. */
struct reply_run *reply_runs(const struct reply *reply, size_t *count);

/* Appends the whole answer in one piece: for what has to look at it. */
void reply_flatten(const struct reply *reply, struct buffer *buffer);

/* Forgets what was put together, keeps the memory of the text. */
void reply_clear(struct reply *reply);
void reply_release(struct reply *reply);

/* -- SOAP ------------------------------------------------------------------ */

/* Opens the envelope and <m:OPERATIONResponse><m:ResponseMessages>; and closes them. */
void reply_open(struct reply *reply, const char *operation);
void reply_close(struct reply *reply, const char *operation);

/* Opens <m:OPERATIONResponseMessage ResponseClass="Success"> with its NoError; and closes it. */
void reply_open_message(struct reply *reply, const char *operation);
void reply_close_message(struct reply *reply, const char *operation);

/* An error of one item or folder. */
struct reply_error {
    const char *code;
    const char *text;     /* NULL: what Exchange says with this code */
    unsigned back_off_ms; /* 0: none; else as BackOffMilliseconds */
};

/* A whole message that says the error, with the empty container that the schema wants. */
void reply_error_message(struct reply *reply, const char *operation,
                         const struct reply_error *error);

/* How a SOAP fault looks. */
struct reply_fault {
    const char *code;
    const char *text;   /* NULL: what Exchange says with this code */
    const char *prefix; /* namespace prefix for all elements; NULL: as Exchange */
    bool without_detail;
    unsigned status;      /* HTTP; 0: 500 */
    unsigned back_off_ms; /* 0: none */
    long line;            /* of a schema violation; 0: none */
    const char *violation;
};

/* Makes the reply a SOAP fault, whatever stood in it. */
void reply_soap_fault(struct reply *reply, const struct reply_fault *fault);

#endif
