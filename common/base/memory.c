#include "base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void memory_exhausted(size_t size)
{
    fprintf(stderr, "exsyncd: out of memory: no %zu bytes to be had\n", size);
    abort();
}

void *memory_allocate(size_t size)
{
    void *block = calloc(1, size > 0 ? size : 1);
    if (block == NULL)
        memory_exhausted(size);
    return block;
}

void *memory_allocate_array(size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        memory_exhausted(SIZE_MAX);
    return memory_allocate(count * size);
}

void *memory_resize(void *block, size_t size)
{
    void *resized = realloc(block, size > 0 ? size : 1);
    if (resized == NULL)
        memory_exhausted(size);
    return resized;
}

char *memory_copy_string(const char *string)
{
    return string == NULL ? NULL : memory_copy_bytes(string, strlen(string));
}

char *memory_copy_bytes(const char *bytes, size_t length)
{
    if (bytes == NULL)
        return NULL;
    char *copy = memory_resize(NULL, length + 1);
    memcpy(copy, bytes, length);
    copy[length] = '\0';
    return copy;
}

void memory_free(void *block)
{
    free(block);
}
