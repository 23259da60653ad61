/* What libxml2 tells, with the limits of each element, and what it is allowed to do. */
#include "ews/ews_parser_private.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

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
        ews_element_find(ews_parser_current(parser), (const char *)name, (const char *)uri);
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
    enum ews_element element = ews_parser_current(parser);
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
    enum ews_element element = ews_parser_current(parser);
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
    else if (ews_parser_current(parser) == EWS_ELEMENT_MIME_CONTENT &&
             parser->handler->mime != NULL)
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
    char words[EWS_PARSER_WORDS_SIZE];
    snprintf(words, sizeof words, "line %d: %.*s", error->line, (int)strcspn(message, "\r\n"),
             message);
    ews_parser_stop(parser, "XmlMalformed", words);
}

/* XML_PARSE_IGNORE_ENC: by the name of an encoding an answer would choose which of the C library's
 * converters are loaded from the disk, on the loop, and run on its bytes. */
xmlParserCtxt *ews_parser_open_context(struct ews_parser *parser)
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
    xmlSAXHandler copy = calls;
    xmlParserCtxt *context = xmlCreatePushParserCtxt(&copy, parser, NULL, 0, NULL);
    if (context == NULL)
        memory_resize(NULL, SIZE_MAX); /* ends the process: there is no memory */
    xmlCtxtUseOptions(context, XML_PARSE_RECOVER | XML_PARSE_NONET | XML_PARSE_IGNORE_ENC);
    return context;
}
