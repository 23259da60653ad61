/* A growing run of bytes.
 *
 * The bytes are always followed by a NUL that does not count, so `data` can be read as a string
 * once anything was appended. A buffer of zeroes ({0}) is a valid empty buffer. */
#ifndef EXSYNC_BASE_BUFFER_H
#define EXSYNC_BASE_BUFFER_H

#include <stdarg.h>
#include <stddef.h>

struct buffer {
    char *data;      /* owned; NULL while nothing was ever appended */
    size_t length;   /* bytes in use */
    size_t capacity; /* bytes allocated, the NUL included */
};

/* Makes room for `more` bytes beyond the length. */
void buffer_reserve(struct buffer *buffer, size_t more);

void buffer_append(struct buffer *buffer, const void *bytes, size_t length);
void buffer_append_string(struct buffer *buffer, const char *string);
void buffer_append_char(struct buffer *buffer, char character);
void buffer_append_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void buffer_append_format_list(struct buffer *buffer, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

/* Takes `length` bytes off the front (length <= buffer->length). */
void buffer_consume(struct buffer *buffer, size_t length);

/* Forgets the bytes, keeps the memory. */
void buffer_clear(struct buffer *buffer);

/* Gives the memory back; the buffer is empty and usable afterwards. */
void buffer_release(struct buffer *buffer);

/* The bytes as a string that the caller frees with memory_free; the buffer is empty afterwards. */
char *buffer_take(struct buffer *buffer);

/* The content as a string: never NULL. Valid until the buffer changes. */
const char *buffer_string(const struct buffer *buffer);

#endif
