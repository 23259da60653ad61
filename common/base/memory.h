/* Memory that is always there.
 *
 * A daemon whose state is on disk and whose every step survives a kill gains nothing from going on
 * without memory: these functions end the process (abort, after one line on standard error) when
 * the system has no memory left, so no caller checks for NULL. Sizes are in bytes. Sizes that come
 * from the network are bounded by their readers before they come here. */
#ifndef EXSYNC_BASE_MEMORY_H
#define EXSYNC_BASE_MEMORY_H

#include <stddef.h>

/* A zeroed block of `size` bytes; the caller frees it with memory_free. */
void *memory_allocate(size_t size);

/* A zeroed array; ends the process when count * size overflows. */
void *memory_allocate_array(size_t count, size_t size);

/* Like realloc; new bytes are not zeroed. `block` may be NULL. */
void *memory_resize(void *block, size_t size);

/* A copy of a string, or of `length` bytes with a NUL behind them. NULL stays NULL. */
char *memory_copy_string(const char *string);
char *memory_copy_bytes(const char *bytes, size_t length);

/* NULL is allowed. */
void memory_free(void *block);

#endif
