#include "counters.h"

#include "base/buffer.h"
#include "base/memory.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { BUCKETS = 16384 };

struct counter {
    struct counter *next;
    uint64_t value;
    char name[];
};

struct counters {
    pthread_mutex_t lock;
    struct counter *buckets[BUCKETS];
};

struct counters *counters_create(void)
{
    struct counters *counters = memory_allocate(sizeof *counters);
    pthread_mutex_init(&counters->lock, NULL);
    return counters;
}

void counters_free(struct counters *counters)
{
    counters_reset(counters);
    pthread_mutex_destroy(&counters->lock);
    memory_free(counters);
}

static uint64_t hash_more(uint64_t hash, const char *text)
{
    for (; *text != '\0'; text++)
        hash = (hash ^ (uint8_t)*text) * 0x100000001B3U;
    return hash;
}

static bool is_named(const struct counter *counter, const char *group, const char *name)
{
    size_t length = strlen(group);
    return strncmp(counter->name, group, length) == 0 && strcmp(counter->name + length, name) == 0;
}

/* The counter, made when it is missing. The caller holds the lock. */
static struct counter *find(struct counters *counters, const char *group, const char *name)
{
    uint64_t hash = hash_more(hash_more(0xCBF29CE484222325U, group), name);
    struct counter **bucket = &counters->buckets[(hash ^ hash >> 31) % BUCKETS];
    for (struct counter *counter = *bucket; counter != NULL; counter = counter->next)
        if (is_named(counter, group, name))
            return counter;
    size_t group_length = strlen(group);
    struct counter *counter = memory_allocate(sizeof *counter + group_length + strlen(name) + 1);
    memcpy(counter->name, group, group_length);
    memcpy(counter->name + group_length, name, strlen(name) + 1);
    counter->next = *bucket;
    *bucket = counter;
    return counter;
}

void counters_add(struct counters *counters, const char *group, const char *name, uint64_t count)
{
    pthread_mutex_lock(&counters->lock);
    find(counters, group, name)->value += count;
    pthread_mutex_unlock(&counters->lock);
}

void counters_raise(struct counters *counters, const char *group, const char *name, uint64_t value)
{
    pthread_mutex_lock(&counters->lock);
    struct counter *counter = find(counters, group, name);
    if (counter->value < value)
        counter->value = value;
    pthread_mutex_unlock(&counters->lock);
}

uint64_t counters_get(struct counters *counters, const char *name)
{
    pthread_mutex_lock(&counters->lock);
    uint64_t value = find(counters, "", name)->value;
    pthread_mutex_unlock(&counters->lock);
    return value;
}

void counters_reset(struct counters *counters)
{
    pthread_mutex_lock(&counters->lock);
    for (size_t i = 0; i < BUCKETS; i++) {
        while (counters->buckets[i] != NULL) {
            struct counter *counter = counters->buckets[i];
            counters->buckets[i] = counter->next;
            memory_free(counter);
        }
    }
    pthread_mutex_unlock(&counters->lock);
}

void counters_visit(struct counters *counters, counters_visitor *visit, void *context)
{
    pthread_mutex_lock(&counters->lock);
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct counter *counter = counters->buckets[i]; counter != NULL;
             counter = counter->next)
            visit(counter->name, counter->value, context);
    pthread_mutex_unlock(&counters->lock);
}
