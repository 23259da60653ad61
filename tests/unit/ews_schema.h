/* Requests against Exchange's schema. */
#ifndef EXSYNC_TESTS_UNIT_EWS_SCHEMA_H
#define EXSYNC_TESTS_UNIT_EWS_SCHEMA_H

#include "base/buffer.h"

#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static inline void *load_schema(void)
{
    xmlSchemaParserCtxt *parser = xmlSchemaNewParserCtxt("tests/schema/soap.xsd");
    assert_non_null(parser);
    xmlSchema *schema = xmlSchemaParse(parser);
    xmlSchemaFreeParserCtxt(parser);
    assert_non_null(schema);
    return schema;
}

static inline int schema_set_up(void **state)
{
    *state = load_schema();
    return 0;
}

static inline int schema_tear_down(void **state)
{
    xmlSchemaFree(*state);
    return 0;
}

static inline void assert_valid(xmlSchema *schema, struct buffer *body)
{
    xmlDoc *document =
        xmlReadMemory(body->data, (int)body->length, "request.xml", NULL, XML_PARSE_NONET);
    if (document == NULL)
        fail_msg("not XML: %s", body->data);
    xmlSchemaValidCtxt *validator = xmlSchemaNewValidCtxt(schema);
    assert_non_null(validator);
    if (xmlSchemaValidateDoc(validator, document) != 0)
        fail_msg("not valid: %s", body->data);
    xmlSchemaFreeValidCtxt(validator);
    xmlFreeDoc(document);
}

static inline void assert_has(const struct buffer *body, const char *part)
{
    if (strstr(body->data, part) == NULL)
        fail_msg("\"%s\" is not in:\n%s", part, body->data);
}

#endif
