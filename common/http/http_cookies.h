/* The cookies of one mailbox: see http.h. Source: RFC 6265, sections 4.1.1 and 5.2; stricter: names
 * are tokens, values are visible ASCII without ';'. */
#ifndef EXSYNC_HTTP_HTTP_COOKIES_H
#define EXSYNC_HTTP_HTTP_COOKIES_H

#include <stddef.h>
#include <stdint.h>

/* Takes in the value of one Set-Cookie field. *cookies is memory_free'd and replaced when it
 * changes, and is NULL when no cookie is left. A field that is not well formed, or that alone would
 * exceed HTTP_COOKIES_LIMIT, changes nothing; when all together would, the oldest go. */
void http_cookies_set(char **cookies, const char *field, size_t length, int64_t now_wall_ms);

#endif
