#include "ews/ews_parsers.h"

#include "base/memory.h"
#include "ews/ews_parser_private.h"

enum {
    PARSERS_MAX = 8,   /* kept */
    NAMES_KEPT = 4096, /* names that one of them may remember of its answers */
};

static struct ews_parser *parser_create(void)
{
    struct ews_parser *parser = memory_allocate(sizeof *parser);
    parser->context = ews_parser_open_context(parser);
    return parser;
}

static void parser_free(struct ews_parser *parser)
{
    buffer_release(&parser->text);
    xmlFreeParserCtxt(parser->context);
    memory_free(parser);
}

struct ews_parser *ews_parsers_take(struct ews_parsers *parsers)
{
    struct ews_parser *parser = SLIST_FIRST(&parsers->idle);
    if (parser == NULL)
        return parser_create();
    SLIST_REMOVE_HEAD(&parsers->idle, idle);
    parsers->count--;
    return parser;
}

/* Only a parser that came to the regular end of an answer is used again, and only while it does not
 * remember too many names: then nothing of an answer can be left in it. */
void ews_parsers_give(struct ews_parsers *parsers, struct ews_parser *parser)
{
    if (parser == NULL)
        return;
    bool clean = parser->failure == NULL && parser->ended &&
                 parser->text.capacity <= EWS_TEXT_MAX && parser->context->nsNr == 0 &&
                 xmlDictSize(parser->context->dict) < NAMES_KEPT;
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
