#include "schema.h"

#include "base/memory.h"

#include <libxml/xmlschemas.h>
#include <pthread.h>
#include <string.h>

struct schema {
    pthread_mutex_t lock; /* libxml2 does not say that a schema can be used by two threads */
    xmlSchema *schema;
};

struct first_violation {
    struct buffer *text;
    long line;
    bool found;
};

struct schema *schema_load(const char *directory)
{
    struct buffer path = {0};
    buffer_append_format(&path, "%s/soap.xsd", directory);
    xmlSchemaParserCtxt *parser = xmlSchemaNewParserCtxt(path.data);
    xmlSchema *parsed = parser == NULL ? NULL : xmlSchemaParse(parser);
    xmlSchemaFreeParserCtxt(parser);
    buffer_release(&path);
    if (parsed == NULL)
        return NULL;
    struct schema *schema = memory_allocate(sizeof *schema);
    pthread_mutex_init(&schema->lock, NULL);
    schema->schema = parsed;
    return schema;
}

void schema_free(struct schema *schema)
{
    if (schema == NULL)
        return;
    xmlSchemaFree(schema->schema);
    pthread_mutex_destroy(&schema->lock);
    memory_free(schema);
}

static void remember_first(void *context, xmlError *error)
{
    struct first_violation *first = context;
    if (first->found)
        return;
    first->found = true;
    first->line = error->line;
    buffer_append_string(first->text, error->message == NULL ? "invalid" : error->message);
    while (first->text->length > 0 && strchr(" \n", first->text->data[first->text->length - 1]))
        first->text->data[--first->text->length] = '\0';
}

bool schema_is_valid(struct schema *schema, xmlDoc *document, struct buffer *violation, long *line)
{
    struct first_violation first = {.text = violation};
    pthread_mutex_lock(&schema->lock);
    xmlSchemaValidCtxt *validation = xmlSchemaNewValidCtxt(schema->schema);
    xmlSchemaSetValidStructuredErrors(validation, remember_first, &first);
    bool is_valid = xmlSchemaValidateDoc(validation, document) == 0;
    xmlSchemaFreeValidCtxt(validation);
    pthread_mutex_unlock(&schema->lock);
    *line = first.line;
    return is_valid;
}
