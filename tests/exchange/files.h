/* Files as a whole. */
#ifndef EXCHANGE_FILES_H
#define EXCHANGE_FILES_H

#include "base/buffer.h"

#include <stdbool.h>

/* Appends the content of a file; false with errno set when it cannot be read. */
bool file_read(const char *path, struct buffer *content);

#endif
