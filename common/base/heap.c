#include "base/heap.h"

#include "base/memory.h"

#include <assert.h>

/* Places are 1-based: the parent of place p is p / 2, its children are 2p and 2p + 1. */
static struct heap_entry *heap_at(const struct heap *heap, size_t place)
{
    return heap->entries[place - 1];
}

static void heap_put(struct heap *heap, size_t place, struct heap_entry *entry)
{
    heap->entries[place - 1] = entry;
    entry->place = place;
}

static void heap_rise(struct heap *heap, struct heap_entry *entry)
{
    size_t place = entry->place;
    while (place > 1 && heap_at(heap, place / 2)->key > entry->key) {
        heap_put(heap, place, heap_at(heap, place / 2));
        place /= 2;
    }
    heap_put(heap, place, entry);
}

static void heap_sink(struct heap *heap, struct heap_entry *entry)
{
    size_t place = entry->place;
    while (2 * place <= heap->count) {
        size_t child = 2 * place;
        if (child < heap->count && heap_at(heap, child + 1)->key < heap_at(heap, child)->key)
            child++;
        if (heap_at(heap, child)->key >= entry->key)
            break;
        heap_put(heap, place, heap_at(heap, child));
        place = child;
    }
    heap_put(heap, place, entry);
}

void heap_insert(struct heap *heap, struct heap_entry *entry, uint64_t key)
{
    assert(entry->place == 0);
    if (heap->count == heap->capacity) {
        size_t capacity = heap->capacity < 16 ? 16 : heap->capacity * 2;
        heap->entries = memory_resize(heap->entries, capacity * sizeof(struct heap_entry *));
        heap->capacity = capacity;
    }
    entry->key = key;
    heap->count++;
    heap_put(heap, heap->count, entry);
    heap_rise(heap, entry);
}

void heap_update(struct heap *heap, struct heap_entry *entry, uint64_t key)
{
    assert(entry->place != 0);
    entry->key = key;
    heap_rise(heap, entry);
    heap_sink(heap, entry);
}

void heap_remove(struct heap *heap, struct heap_entry *entry)
{
    if (entry->place == 0)
        return;
    size_t place = entry->place;
    struct heap_entry *last = heap_at(heap, heap->count);
    heap->count--;
    entry->place = 0;
    if (last == entry)
        return;
    heap_put(heap, place, last);
    heap_rise(heap, last);
    heap_sink(heap, last);
}

struct heap_entry *heap_top(const struct heap *heap)
{
    return heap->count == 0 ? NULL : heap->entries[0];
}

bool heap_contains(const struct heap_entry *entry)
{
    return entry->place != 0;
}

void heap_release(struct heap *heap)
{
    for (size_t i = 0; i < heap->count; i++)
        heap->entries[i]->place = 0;
    memory_free(heap->entries);
    *heap = (struct heap){0};
}
