#include "ews/ews_parser_private.h"

#include <stdio.h>
#include <string.h>

enum {
    LONG_TEXT = 256, /* bytes of text from which on going past libxml2 pays */
    PLAIN_BLOCK = 64,
};

void ews_parser_stop(struct ews_parser *parser, const char *code, const char *text)
{
    if (parser->failure != NULL)
        return;
    parser->failure = code;
    snprintf(parser->words, sizeof parser->words, "%s", text);
    xmlStopParser(parser->context);
}

void ews_parser_begin(struct ews_parser *parser, const struct ews_parser_handler *handler,
                      void *argument, const struct ews_limits *limits)
{
    parser->handler = handler;
    parser->argument = argument;
    parser->limits = *limits;
    parser->stack[0] = EWS_ELEMENT_NONE;
    parser->depth = 0;
    buffer_clear(&parser->text);
    parser->total = 0;
    parser->text_total = 0;
    parser->invalid_characters = 0;
    parser->began = false;
    parser->ended = false;
    parser->failure = NULL;
}

/* --- through libxml2 --- */

/* libxml2 takes a NUL for the end of what it has; as another invalid character it is one more that
 * is left out. */
static void feed_without_nul(struct ews_parser *parser, const char *bytes, size_t length)
{
    char copy[EWS_FEED_MAX];
    const char *given = bytes;
    if (memchr(bytes, '\0', length) != NULL) {
        for (size_t i = 0; i < length; i++)
            copy[i] = bytes[i] == '\0' ? '\x01' : bytes[i];
        given = copy;
    }
    xmlParseChunk(parser->context, given, (int)length, 0);
}

static ptrdiff_t pending(const struct ews_parser *parser)
{
    const xmlParserInput *input = parser->context->input;
    return input == NULL ? 0 : input->end - input->cur;
}

/* Of a CDATA section that has not come to its end libxml2 tells one small piece a call, and keeps
 * the rest: it is asked until it has nothing more to tell. */
static void drain_section(struct ews_parser *parser)
{
    ptrdiff_t before = PTRDIFF_MAX;
    while (parser->failure == NULL && parser->context->instate == XML_PARSER_CDATA_SECTION &&
           pending(parser) < before) {
        before = pending(parser);
        xmlParseChunk(parser->context, NULL, 0, 0);
    }
}

/* What libxml2 keeps of an answer is not more than this. */
static void check_kept(struct ews_parser *parser)
{
    if (parser->failure == NULL && pending(parser) > EWS_PENDING_MAX)
        ews_parser_stop(parser, "XmlTooLarge", "a tag or comment of the answer is too long");
    if (parser->failure == NULL && xmlDictSize(parser->context->dict) > EWS_NAMES_MAX)
        ews_parser_stop(parser, "XmlTooLarge", "the answer has too many different names");
}

/* A piece of at most EWS_FEED_MAX bytes. */
static void feed_libxml2(struct ews_parser *parser, const char *bytes, size_t length)
{
    feed_without_nul(parser, bytes, length);
    drain_section(parser);
    check_kept(parser);
}

/* --- past libxml2 --- */

/* Most of an answer with messages is base64, and libxml2 would copy each byte of it and look at it
 * three times. What it would tell just as it is, is told without it. */

/* Whether the byte is a character of its own that means nothing in XML, wherever it stands: all of
 * base64's are. */
static bool is_plain(char character)
{
    return character >= '+' && character <= 'z' && character != '<' && character != '>' &&
           character != ']';
}

static bool is_plain_block(const char *bytes)
{
    unsigned char other = 0;
    for (size_t i = 0; i < PLAIN_BLOCK; i++)
        other |= (unsigned char)!is_plain(bytes[i]);
    return other == 0;
}

static size_t plain_length(const char *bytes, size_t length)
{
    size_t plain = 0;
    /* Blocks of one size: compilers look at many bytes at once then. */
    while (length - plain >= PLAIN_BLOCK && is_plain_block(bytes + plain))
        plain += PLAIN_BLOCK;
    while (plain < length && is_plain(bytes[plain]))
        plain++;
    return plain;
}

/* Whether the next byte is text of a MimeContent, and libxml2 has nothing left that stands before
 * it. It decodes what it is given when it has an encoder: those bytes are no text yet. */
static bool is_in_mime(const struct ews_parser *parser)
{
    const xmlParserCtxt *context = parser->context;
    return ews_parser_current(parser) == EWS_ELEMENT_MIME_CONTENT &&
           context->instate == XML_PARSER_CONTENT && context->input != NULL &&
           context->input->buf != NULL && context->input->buf->encoder == NULL &&
           pending(parser) == 0;
}

/* Where the first text begins that is long enough to go past libxml2, behind a tag; the length when
 * there is none. */
static size_t long_text_place(const char *bytes, size_t length)
{
    const char *end = bytes + length, *place = bytes;
    while ((place = memchr(place, '>', (size_t)(end - place))) != NULL) {
        const char *text = place + 1;
        place = memchr(text, '<', (size_t)(end - text));
        if (place == NULL)
            place = end;
        if (place - text >= LONG_TEXT)
            return (size_t)(text - bytes);
    }
    return length;
}

/* Feeds the beginning of a piece, one way or the other. Returns how much of it. */
static size_t feed_some(struct ews_parser *parser, const char *bytes, size_t length)
{
    if (parser->handler->mime == NULL) {
        feed_libxml2(parser, bytes, length);
        return length;
    }
    size_t fed = is_in_mime(parser) ? plain_length(bytes, length) : 0;
    if (fed > 0) {
        parser->handler->mime(parser->argument, bytes, fed);
        return fed;
    }
    fed = long_text_place(bytes, length);
    feed_libxml2(parser, bytes, fed);
    return fed;
}

/* --- feeding --- */

bool ews_parser_feed(struct ews_parser *parser, const char *bytes, size_t length)
{
    while (length > 0 && parser->failure == NULL) {
        size_t piece = length < EWS_FEED_MAX ? length : EWS_FEED_MAX;
        if (parser->total + piece > parser->limits.total_bytes) {
            ews_parser_stop(parser, "XmlTooLarge", "the answer is too large");
            break;
        }
        size_t fed = feed_some(parser, bytes, piece);
        parser->total += fed;
        bytes += fed;
        length -= fed;
    }
    return parser->failure == NULL;
}

static const char *why_not_whole(const struct ews_parser *parser)
{
    if (parser->began)
        return "the answer ends too early";
    return parser->total > 0 ? "the answer is not XML" : "the answer is empty";
}

/* Of a whole answer nothing is left by now. What was cut off is not even looked at: at the end
 * libxml2 makes an element of half a tag before it finds the error. */
bool ews_parser_finish(struct ews_parser *parser)
{
    if (parser->failure == NULL && !parser->ended)
        ews_parser_stop(parser, "XmlMalformed", why_not_whole(parser));
    if (parser->failure == NULL)
        xmlParseChunk(parser->context, NULL, 0, 1);
    return parser->failure == NULL;
}

const char *ews_parser_error(const struct ews_parser *parser, const char **text)
{
    *text = parser->words;
    return parser->failure;
}
