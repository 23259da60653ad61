/* The text that a person reads in a message. */
#ifndef EXCHANGE_MIME_BODY_H
#define EXCHANGE_MIME_BODY_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

/* Appends the first text part of the message, in UTF-8; HTML before plain text when there are both
 * in one alternative. Sets `is_html`. Appends nothing when there is no text. */
void mime_append_body(const char *mime, size_t length, struct buffer *text, bool *is_html);

#endif
