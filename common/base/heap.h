/* A binary heap of things that are due: the one with the smallest key is on top.
 *
 * Intrusive: a struct that can be queued embeds a heap_entry and is found back with
 * heap_container. The heap owns only its table of pointers; entries must outlive their stay. */
#ifndef EXSYNC_BASE_HEAP_H
#define EXSYNC_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_entry {
    uint64_t key; /* what orders the heap: a time in ms; change it only with heap_update */
    size_t place; /* 1-based place in the table; 0 while not in a heap */
};

struct heap {
    struct heap_entry **entries;
    size_t count;
    size_t capacity;
};

#define heap_container(entry, type, member) \
    ((type *)(void *)((char *)(entry)-offsetof(type, member)))

void heap_insert(struct heap *heap, struct heap_entry *entry, uint64_t key);
void heap_update(struct heap *heap, struct heap_entry *entry, uint64_t key);

/* Removing an entry that is not in the heap does nothing. */
void heap_remove(struct heap *heap, struct heap_entry *entry);

/* NULL when the heap is empty. */
struct heap_entry *heap_top(const struct heap *heap);
bool heap_contains(const struct heap_entry *entry);
void heap_release(struct heap *heap);

#endif
