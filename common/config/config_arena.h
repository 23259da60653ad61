/* Memory that is given back all at once: a configuration is built in one arena and freed with it.
 *
 * Blocks come from large chunks, so ten thousand small ones cost their bytes and no bookkeeping. */
#ifndef EXSYNC_CONFIG_ARENA_H
#define EXSYNC_CONFIG_ARENA_H

#include <stddef.h>

struct config_arena_chunk;

/* An arena of zeroes ({0}) is a valid empty one. */
struct config_arena {
    struct config_arena_chunk *chunks; /* the one in use first */
    size_t bytes;                      /* taken from the system so far */
};

/* A zeroed block, aligned for any struct. Valid until the arena is released. */
void *config_arena_allocate(struct config_arena *arena, size_t size);

/* Copies of `length` bytes, or of a string, with a NUL behind them. */
char *config_arena_copy(struct config_arena *arena, const char *bytes, size_t length);
char *config_arena_copy_string(struct config_arena *arena, const char *string);

void config_arena_release(struct config_arena *arena);

/* Strings of an arena, each stored once: equal strings have equal pointers. */
struct config_strings {
    struct config_arena *arena;
    const char **table; /* open addressing; NULL where free */
    size_t capacity;    /* a power of two, or 0 */
    size_t count;
};

const char *config_strings_intern(struct config_strings *strings, const char *string);

/* Frees the table; the strings stay with their arena. */
void config_strings_release(struct config_strings *strings);

#endif
