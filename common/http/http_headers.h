/* Fields of an answer's head. Source: RFC 9110, sections 5 and 10.2.3. */
#ifndef EXSYNC_HTTP_HTTP_HEADERS_H
#define EXSYNC_HTTP_HTTP_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP_RETRY_AFTER_LIMIT_MS = 24 * 60 * 60 * 1000 };

/* Reads "HTTP/1.1 200 OK"; false when the line is no status line. */
bool http_headers_status(const char *line, size_t length, uint16_t *status);

/* When the line is the field called `name`, points at its value without the white space around it.
 */
bool http_headers_field(const char *line, size_t length, const char *name, const char **value,
                        size_t *value_length);

/* Whether the value of a Transfer-Encoding field names the one coding that may come unasked
 * (RFC 9112, section 6.1): chunked, or "identity", which is none. libcurl undoes the others (gzip
 * and the like, one in the other) before anybody can count what comes out of them. */
bool http_headers_is_plain_transfer(const char *value, size_t length);

/* Seconds or a date, in milliseconds from now, at most HTTP_RETRY_AFTER_LIMIT_MS. 0 when the value
 * says nothing or names a moment that has passed. */
uint32_t http_headers_retry_after(const char *value, size_t length, int64_t now_wall_ms);

/* Seconds since 1970 from an HTTP date in any form that is in use; false when it is none. */
bool http_headers_date(const char *value, size_t length, int64_t *seconds);

#endif
