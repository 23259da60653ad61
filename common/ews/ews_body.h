/* The body of a request that carries messages: XML with gaps in it, each filled on the way out with
 * the base64 of a message's bytes. Nothing of a message is kept; how long the whole will be is
 * known from the start, since base64 without line ends has one length. */
#ifndef EXSYNC_EWS_EWS_BODY_H
#define EXSYNC_EWS_EWS_BODY_H

#include "base/buffer.h"
#include "ews/backend.h"
#include "ews/base64.h"
#include "http/http.h"

enum {
    EWS_BODY_PIECE = 12288, /* bytes of a message that are encoded at once */
    EWS_BODY_CODED = BASE64_ENCODED_LENGTH(EWS_BODY_PIECE + 2) + 4,
};

struct ews_gap {
    size_t place; /* in the text */
    struct backend_content content;
};

/* Zeroed at first. */
struct ews_body {
    struct buffer text; /* all but the messages */
    struct ews_gap *gaps;
    size_t count;

    struct http_source source; /* after ews_body_seal */
    struct failure *failure;   /* where the source says why it failed */

    size_t offset;  /* in the text */
    size_t current; /* the gap that comes next, or is being filled */
    uint64_t taken; /* bytes of its message */
    struct base64_encoder encoder;
    size_t coded_offset; /* of what is encoded and did not yet go out */
    size_t coded_length;
    char coded[EWS_BODY_CODED];
};

/* A gap at the end of what the text is by now. */
void ews_body_add_gap(struct ews_body *body, const struct backend_content *content);

/* The text is written: makes the source. `failure` is set before HTTP_SOURCE_FAILED. */
void ews_body_seal(struct ews_body *body, struct failure *failure);

void ews_body_release(struct ews_body *body);

#endif
