/* The strings of rows that are read, in blocks that never move: a row can point to them while more
 * of them are read. */
#include "store/store_private.h"

#include "base/memory.h"

#include <string.h>

enum { BLOCK_SIZE = 2048 }; /* the least; a longer string has a block of its own */

struct store_strings_block {
    struct store_strings_block *next;
    size_t used;
    size_t size;
    char bytes[];
};

static struct store_strings_block *strings_room(struct store_strings *strings, size_t length)
{
    struct store_strings_block *block = strings->last;
    if (block != NULL && block->size - block->used >= length)
        return block;
    size_t size = length > BLOCK_SIZE ? length : BLOCK_SIZE;
    block = memory_allocate(sizeof *block + size);
    block->size = size;
    block->next = strings->last;
    strings->last = block;
    return block;
}

static const char *keep_string(struct store_strings *strings, const char *text)
{
    if (text == NULL)
        return NULL;
    size_t length = strlen(text) + 1;
    struct store_strings_block *block = strings_room(strings, length);
    char *copy = block->bytes + block->used;
    memcpy(copy, text, length);
    block->used += length;
    return copy;
}

const char *store_strings_column(struct store_strings *strings, sqlite3_stmt *query, int column)
{
    return keep_string(strings, (const char *)sqlite3_column_text(query, column));
}

void store_strings_release(struct store_strings *strings)
{
    while (strings->last != NULL) {
        struct store_strings_block *block = strings->last;
        strings->last = block->next;
        memory_free(block);
    }
}
