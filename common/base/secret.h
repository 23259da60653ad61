/* A password or key in memory that is kept out of core dumps and swap and is wiped when freed.
 * Never log, format or copy what secret_reveal returns beyond the library that needs it. */
#ifndef EXSYNC_BASE_SECRET_H
#define EXSYNC_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

struct secret;

/* Copies `length` bytes; the caller wipes its own copy (secret_wipe). */
struct secret *secret_create(const char *bytes, size_t length);

/* A NUL-terminated string, valid until secret_free. */
const char *secret_reveal(const struct secret *secret);

/* Both may be NULL (NULL equals only NULL). */
bool secret_equal(const struct secret *a, const struct secret *b);

void secret_free(struct secret *secret);

/* Overwrites memory in a way that the compiler cannot leave out. */
void secret_wipe(void *bytes, size_t length);

#endif
