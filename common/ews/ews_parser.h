/* An XML answer, read as it arrives: libxml2's push SAX parser with what this program allows.
 *
 * Nothing outside is ever loaded, and a DOCTYPE ends the answer: without one no entity can be
 * declared, so nothing can grow. An answer is UTF-8, whatever encoding it names; bytes that are not
 * end it. libxml2 recovers from errors, so that an invalid character (which Exchange really sends,
 * raw and by reference) need not end everything, and a handler of this parser's own context sees
 * every error: an invalid character is left out, all others end the answer. Everything has a limit,
 * and the end must have been seen. libxml2's global state is never touched. Long runs of base64 in
 * MimeContent are told without libxml2, which would tell the same.
 *
 * A parser is used for one answer after another (ews_parsers.h), on one thread at a time. */
#ifndef EXSYNC_EWS_EWS_PARSER_H
#define EXSYNC_EWS_EWS_PARSER_H

#include "ews/ews_element.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    EWS_DEPTH_MAX = 64,       /* elements within each other; Exchange needs about 12 */
    EWS_NAME_MAX = 256,       /* bytes of an element's or attribute's name */
    EWS_ATTRIBUTES_MAX = 32,  /* of one element, namespace declarations not counted */
    EWS_NAMESPACES_MAX = 32,  /* declared by one element */
    EWS_ATTRIBUTE_MAX = 8192, /* bytes of one value */
    EWS_TEXT_MAX = 65536,     /* bytes of text in one element that is read */
    EWS_PENDING_MAX = 16384,  /* bytes that are not a whole tag or comment yet */
    EWS_NAMES_MAX = 16384,    /* different names and namespaces; EWS has about 2000 */
    EWS_INVALID_CHARACTERS_MAX = 65536,
    EWS_FEED_MAX = 16384, /* bytes that are given to libxml2 at once */
};

/* The attributes of the element that begins: libxml2's own array of five pointers each. */
struct ews_attributes {
    const unsigned char **values;
    int count;
};

/* The value of the attribute `name` without a namespace; NULL when there is none. Not terminated.
 */
const char *ews_attribute(const struct ews_attributes *attributes, const char *name,
                          size_t *length);

/* What is told of an answer. All are called from within ews_parser_feed and ews_parser_finish. */
struct ews_parser_handler {
    void (*start)(void *argument, enum ews_element element,
                  const struct ews_attributes *attributes);
    /* `text` is that of an element with text (ews_element_has_text); length 0 otherwise. It is
     * NUL-terminated. */
    void (*end)(void *argument, enum ews_element element, const char *text, size_t length);
    /* Text of MimeContent, in pieces cut anywhere. NULL: it is nothing special. */
    void (*mime)(void *argument, const char *text, size_t length);
    /* An invalid character was left out of the MimeContent: what is left is not what was sent. */
    void (*mime_damaged)(void *argument);
};

struct ews_limits {
    uint64_t total_bytes; /* of the whole answer */
    uint64_t text_bytes;  /* of all text outside MimeContent */
};

struct ews_parser;

/* The beginning of an answer. What the pointers lead to must stay until it is over; `limits` are
 * copied. */
void ews_parser_begin(struct ews_parser *parser, const struct ews_parser_handler *handler,
                      void *argument, const struct ews_limits *limits);

/* The next bytes, cut anywhere; they are not needed afterwards. False when the answer has failed:
 * nothing more is told then. */
bool ews_parser_feed(struct ews_parser *parser, const char *bytes, size_t length);

/* The answer is over. True when it was one whole document without an error. */
bool ews_parser_finish(struct ews_parser *parser);

/* From a handler: the answer is of no more use (its element is too much, say). `code` is static,
 * `text` is copied. The first failure stays. */
void ews_parser_stop(struct ews_parser *parser, const char *code, const char *text);

/* Why it failed: a static code, and words that stay until the next answer; NULL when it did not. */
const char *ews_parser_error(const struct ews_parser *parser, const char **text);

#endif
