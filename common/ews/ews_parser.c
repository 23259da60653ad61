#include "ews/ews_parser.h"

#include "base/buffer.h"
#include "base/memory.h"

#include <libxml/parser.h>
#include <stdio.h>
#include <string.h>

enum {
    PARSERS_MAX = 8,
    ERROR_SIZE = 160,
    LONG_TEXT = 256, /* bytes of text from which on going past libxml2 pays */
    PLAIN_BLOCK = 64,
};

struct ews_parser {
    xmlParserCtxt *context;
    const struct ews_parser_handler *handler;
    void *argument;
    struct ews_limits limits;
    enum ews_element stack[EWS_DEPTH_MAX + 1]; /* [0] is the document */
    unsigned depth;
    struct buffer text; /* of the element that is read at the moment */
    uint64_t total;
    uint64_t text_total;
    uint32_t invalid_characters;
    bool began;          /* an element was seen */
    bool ended;          /* the end of the outermost one was seen */
    const char *failure; /* static code; NULL while all is well */
    char words[ERROR_SIZE];
    SLIST_ENTRY(ews_parser) idle;
};

const char *ews_attribute(const struct ews_attributes *attributes, const char *name, size_t *length)
{
    for (int i = 0; i < attributes->count; i++) {
        const unsigned char **attribute = attributes->values + 5 * i;
        if (attribute[2] != NULL || strcmp((const char *)attribute[0], name) != 0)
            continue;
        *length = (size_t)(attribute[4] - attribute[3]);
        return (const char *)attribute[3];
    }
    return NULL;
}

void ews_parser_stop(struct ews_parser *parser, const char *code, const char *text)
{
    if (parser->failure != NULL)
        return;
    parser->failure = code;
    snprintf(parser->words, sizeof parser->words, "%s", text);
    xmlStopParser(parser->context);
}

static enum ews_element current(const struct ews_parser *parser)
{
    return parser->stack[parser->depth];
}

/* --- what libxml2 calls --- */

/* Returns false when something of the element is larger than anything that is needed. */
static bool attributes_fit(const struct ews_attributes *attributes)
{
    for (int i = 0; i < attributes->count; i++) {
        const unsigned char **attribute = attributes->values + 5 * i;
        if (attribute[4] - attribute[3] > EWS_ATTRIBUTE_MAX ||
            strnlen((const char *)attribute[0], EWS_NAME_MAX + 1) > EWS_NAME_MAX)
            return false;
    }
    return true;
}

static void on_start(void *argument, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int namespace_count, const xmlChar **namespaces, int attribute_count,
                     int defaulted_count, const xmlChar **values)
{
    (void)prefix;
    (void)namespaces;
    (void)defaulted_count;
    struct ews_parser *parser = argument;
    const struct ews_attributes attributes = {.values = values, .count = attribute_count};
    if (parser->failure != NULL)
        return;
    if (parser->depth == EWS_DEPTH_MAX) {
        ews_parser_stop(parser, "XmlTooDeep", "the answer's elements are nested too deeply");
        return;
    }
    if (attribute_count > EWS_ATTRIBUTES_MAX || namespace_count > EWS_NAMESPACES_MAX ||
        strnlen((const char *)name, EWS_NAME_MAX + 1) > EWS_NAME_MAX ||
        !attributes_fit(&attributes)) {
        ews_parser_stop(parser, "XmlTooLarge", "an element of the answer is too large");
        return;
    }
    enum ews_element element =
        ews_element_find(current(parser), (const char *)name, (const char *)uri);
    parser->began = true;
    parser->stack[++parser->depth] = element;
    buffer_clear(&parser->text);
    if (element != EWS_ELEMENT_OTHER)
        parser->handler->start(parser->argument, element, &attributes);
}

static void on_end(void *argument, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    (void)name;
    (void)prefix;
    (void)uri;
    struct ews_parser *parser = argument;
    if (parser->failure != NULL || parser->depth == 0)
        return;
    enum ews_element element = current(parser);
    parser->depth--;
    parser->ended = parser->depth == 0;
    if (element != EWS_ELEMENT_OTHER)
        parser->handler->end(parser->argument, element, buffer_string(&parser->text),
                             parser->text.length);
    buffer_clear(&parser->text);
}

static void on_text(void *argument, const xmlChar *text, int length)
{
    struct ews_parser *parser = argument;
    if (parser->failure != NULL || length <= 0)
        return;
    enum ews_element element = current(parser);
    if (element == EWS_ELEMENT_MIME_CONTENT && parser->handler->mime != NULL) {
        parser->handler->mime(parser->argument, (const char *)text, (size_t)length);
        return;
    }
    parser->text_total += (uint64_t)length;
    if (parser->text_total > parser->limits.text_bytes) {
        ews_parser_stop(parser, "XmlTooLarge", "the answer has too much text");
        return;
    }
    if (!ews_element_has_text(element))
        return;
    if (parser->text.length + (size_t)length > EWS_TEXT_MAX) {
        ews_parser_stop(parser, "XmlTooLarge", "a text in the answer is too long");
        return;
    }
    buffer_append(&parser->text, text, (size_t)length);
}

static void on_doctype(void *argument, const xmlChar *name, const xmlChar *external_id,
                       const xmlChar *system_id)
{
    (void)name;
    (void)external_id;
    (void)system_id;
    ews_parser_stop(argument, "XmlDoctype", "the answer declares a document type");
}

static void on_invalid_character(struct ews_parser *parser)
{
    if (++parser->invalid_characters > EWS_INVALID_CHARACTERS_MAX)
        ews_parser_stop(parser, "XmlTooLarge", "the answer has too many invalid characters");
    else if (current(parser) == EWS_ELEMENT_MIME_CONTENT && parser->handler->mime != NULL)
        parser->handler->mime_damaged(parser->argument);
}

static void on_error(void *argument, xmlErrorPtr error)
{
    struct ews_parser *parser = argument;
    if (parser->failure != NULL || error->level == XML_ERR_NONE || error->level == XML_ERR_WARNING)
        return;
    /* Bytes that are no UTF-8 have the same code, but tell the bytes (str1): libxml2 reads the rest
     * as Latin-1 then, which nobody asked for. */
    if (error->code == XML_ERR_INVALID_CHAR && error->str1 == NULL) {
        on_invalid_character(parser);
        return;
    }
    const char *message = error->message == NULL ? "" : error->message;
    char words[ERROR_SIZE];
    snprintf(words, sizeof words, "line %d: %.*s", error->line, (int)strcspn(message, "\r\n"),
             message);
    ews_parser_stop(parser, "XmlMalformed", words);
}

/* --- parsers --- */

static struct ews_parser *parser_create(void)
{
    static const xmlSAXHandler calls = {
        .initialized = XML_SAX2_MAGIC,
        .internalSubset = on_doctype,
        .startElementNs = on_start,
        .endElementNs = on_end,
        .characters = on_text,
        .ignorableWhitespace = on_text, /* the same: libxml2 need not find out which it is */
        .cdataBlock = on_text,
        .serror = on_error,
    };
    struct ews_parser *parser = memory_allocate(sizeof *parser);
    xmlSAXHandler copy = calls;
    parser->context = xmlCreatePushParserCtxt(&copy, parser, NULL, 0, NULL);
    if (parser->context == NULL)
        memory_resize(NULL, SIZE_MAX); /* ends the process: there is no memory */
    xmlCtxtUseOptions(parser->context, XML_PARSE_RECOVER | XML_PARSE_NONET);
    return parser;
}

static void parser_free(struct ews_parser *parser)
{
    buffer_release(&parser->text);
    xmlFreeParserCtxt(parser->context);
    memory_free(parser);
}

struct ews_parser *ews_parser_take(struct ews_parsers *parsers)
{
    struct ews_parser *parser = SLIST_FIRST(&parsers->idle);
    if (parser == NULL)
        return parser_create();
    SLIST_REMOVE_HEAD(&parsers->idle, idle);
    parsers->count--;
    return parser;
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

/* Only a parser that came to the regular end of an answer is used again, and only while it does not
 * remember too many names: then nothing of an answer can be left in it. */
void ews_parser_give(struct ews_parsers *parsers, struct ews_parser *parser)
{
    if (parser == NULL)
        return;
    bool clean = parser->failure == NULL && parser->ended &&
                 parser->text.capacity <= EWS_TEXT_MAX && parser->context->nsNr == 0 &&
                 xmlDictSize(parser->context->dict) < EWS_NAMES_MAX;
    if (!clean || parsers->count >= PARSERS_MAX ||
        xmlCtxtResetPush(parser->context, NULL, 0, NULL, NULL) != 0) {
        parser_free(parser);
        return;
    }
    SLIST_INSERT_HEAD(&parsers->idle, parser, idle);
    parsers->count++;
}

void ews_parsers_free(struct ews_parsers *parsers)
{
    struct ews_parser *parser;
    while ((parser = SLIST_FIRST(&parsers->idle)) != NULL) {
        SLIST_REMOVE_HEAD(&parsers->idle, idle);
        parser_free(parser);
    }
    parsers->count = 0;
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

static void check_pending(struct ews_parser *parser)
{
    if (parser->failure == NULL && pending(parser) > EWS_PENDING_MAX)
        ews_parser_stop(parser, "XmlTooLarge", "a tag or comment of the answer is too long");
}

/* A piece of at most EWS_FEED_MAX bytes. */
static void feed_libxml2(struct ews_parser *parser, const char *bytes, size_t length)
{
    feed_without_nul(parser, bytes, length);
    drain_section(parser);
    check_pending(parser);
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
    return current(parser) == EWS_ELEMENT_MIME_CONTENT && context->instate == XML_PARSER_CONTENT &&
           context->input != NULL && context->input->buf != NULL &&
           context->input->buf->encoder == NULL && pending(parser) == 0;
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
