/* Validation of SOAP envelopes against the EWS schema. Any thread may validate. */
#ifndef EXCHANGE_SCHEMA_H
#define EXCHANGE_SCHEMA_H

#include "base/buffer.h"

#include <libxml/tree.h>
#include <stdbool.h>

struct schema;

/* Reads DIRECTORY/soap.xsd and what it imports; NULL when it cannot be read (libxml2 says why). */
struct schema *schema_load(const char *directory);
void schema_free(struct schema *schema);

/* False when the document is invalid: `violation` gets the first one, `line` where it is. */
bool schema_is_valid(struct schema *schema, xmlDoc *document, struct buffer *violation, long *line);

#endif
