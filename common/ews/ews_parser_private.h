/* Between the files of the parser: ews_parser.c (an answer's course: its bytes go through libxml2
 * or past it), ews_parser_events.c (what libxml2 tells of them), ews_parsers.c (a parser's life).
 */
#ifndef EXSYNC_EWS_EWS_PARSER_PRIVATE_H
#define EXSYNC_EWS_EWS_PARSER_PRIVATE_H

#include "base/buffer.h"
#include "ews/ews_parser.h"

#include <libxml/parser.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

enum { EWS_PARSER_WORDS_SIZE = 160 };

struct ews_parser {
    xmlParserCtxt *context; /* its own; lives as long as the parser */

    /* The answer, from ews_parser_begin on. */
    const struct ews_parser_handler *handler;
    void *argument;
    struct ews_limits limits;
    enum ews_element stack[EWS_DEPTH_MAX + 1]; /* [0] is the document */
    unsigned depth;
    struct buffer text;  /* of the element that is read at the moment */
    uint64_t total;      /* bytes that were fed */
    uint64_t text_total; /* bytes of text outside MimeContent */
    uint32_t invalid_characters;
    bool began;          /* an element was seen */
    bool ended;          /* the end of the outermost one was seen */
    const char *failure; /* static code; NULL while all is well */
    char words[EWS_PARSER_WORDS_SIZE];

    SLIST_ENTRY(ews_parser) idle; /* in struct ews_parsers, while it has no answer */
};

/* The element that the next text is in. Inline: asked for each piece of text. */
static inline enum ews_element ews_parser_current(const struct ews_parser *parser)
{
    return parser->stack[parser->depth];
}

/* A context of libxml2 at the beginning of a document, which tells `parser`; the caller frees it.
 * Never NULL: without memory the process ends. */
xmlParserCtxt *ews_parser_open_context(struct ews_parser *parser);

#endif
