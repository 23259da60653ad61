/* Text on its way into XML. */
#ifndef EXCHANGE_XML_TEXT_H
#define EXCHANGE_XML_TEXT_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

/* Appends `length` bytes of UTF-8 with &, <, > and quotation marks escaped, fit for an element or
 * an attribute. What is no UTF-8, or no character of XML 1.0, becomes U+FFFD. */
void xml_append_escaped(struct buffer *buffer, const char *text, size_t length);

/* Appends <t:NAME>escaped text</t:NAME>. */
void xml_append_element(struct buffer *buffer, const char *name, const char *text);

/* True when the bytes are well-formed UTF-8. */
bool text_is_utf8(const char *text, size_t length);

#endif
