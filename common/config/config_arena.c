#include "config/config_arena.h"

#include "base/memory.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

enum { CHUNK_SIZE = 32 * 1024 };

struct config_arena_chunk {
    struct config_arena_chunk *next;
    size_t used;
    size_t size;
    alignas(max_align_t) char bytes[];
};

static void *take(struct config_arena *arena, size_t size, size_t alignment)
{
    struct config_arena_chunk *chunk = arena->chunks;
    size_t start = chunk == NULL ? 0 : (chunk->used + alignment - 1) & ~(alignment - 1);
    if (chunk == NULL || start > chunk->size || size > chunk->size - start) {
        size_t room = size > CHUNK_SIZE / 4 ? size : CHUNK_SIZE - sizeof *chunk;
        chunk = memory_allocate(sizeof *chunk + room);
        chunk->size = room;
        arena->bytes += sizeof *chunk + room;
        start = 0;
        if (arena->chunks != NULL && room == size) {
            /* A block with a chunk of its own goes behind the one that still has room. */
            chunk->next = arena->chunks->next;
            arena->chunks->next = chunk;
        } else {
            chunk->next = arena->chunks;
            arena->chunks = chunk;
        }
    }
    chunk->used = start + size;
    return chunk->bytes + start;
}

void *config_arena_allocate(struct config_arena *arena, size_t size)
{
    return take(arena, size, alignof(max_align_t));
}

char *config_arena_copy(struct config_arena *arena, const char *bytes, size_t length)
{
    char *copy = take(arena, length + 1, 1);
    if (length > 0)
        memcpy(copy, bytes, length);
    return copy;
}

char *config_arena_copy_string(struct config_arena *arena, const char *string)
{
    return config_arena_copy(arena, string, strlen(string));
}

void config_arena_release(struct config_arena *arena)
{
    for (struct config_arena_chunk *chunk = arena->chunks; chunk != NULL;) {
        struct config_arena_chunk *next = chunk->next;
        memory_free(chunk);
        chunk = next;
    }
    *arena = (struct config_arena){0};
}

/* FNV-1a: the configuration is the administrator's, nobody plants collisions in it. */
static uint64_t hash_string(const char *string)
{
    uint64_t hash = 0xcbf29ce484222325U;
    for (; *string != '\0'; string++)
        hash = (hash ^ (unsigned char)*string) * 0x100000001b3U;
    return hash ^ hash >> 32;
}

static const char **find_place(struct config_strings *strings, const char *string)
{
    size_t place = (size_t)hash_string(string) & (strings->capacity - 1);
    while (strings->table[place] != NULL && strcmp(strings->table[place], string) != 0)
        place = (place + 1) & (strings->capacity - 1);
    return &strings->table[place];
}

static void grow(struct config_strings *strings)
{
    const char **old = strings->table;
    size_t old_capacity = strings->capacity;
    strings->capacity = old_capacity == 0 ? 64 : old_capacity * 2;
    strings->table = memory_allocate_array(strings->capacity, sizeof *strings->table);
    for (size_t i = 0; i < old_capacity; i++) {
        if (old[i] != NULL)
            *find_place(strings, old[i]) = old[i];
    }
    memory_free(old);
}

const char *config_strings_intern(struct config_strings *strings, const char *string)
{
    if (string == NULL)
        return NULL;
    if (strings->count * 4 >= strings->capacity * 3)
        grow(strings);
    const char **place = find_place(strings, string);
    if (*place == NULL) {
        *place = config_arena_copy_string(strings->arena, string);
        strings->count++;
    }
    return *place;
}

void config_strings_release(struct config_strings *strings)
{
    memory_free(strings->table);
    *strings = (struct config_strings){0};
}
