/* Base64 as EWS uses it (RFC 4648 section 4, no line breaks). */
#ifndef EXCHANGE_BASE64_H
#define EXCHANGE_BASE64_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

/* Appends the encoding of `length` bytes. */
void base64_append(struct buffer *buffer, const void *bytes, size_t length);

/* Appends what `text` encodes; white space is skipped. False when it is not base64. */
bool base64_decode(struct buffer *buffer, const char *text, size_t length);

#endif
