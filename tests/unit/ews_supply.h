/* A message to send that comes in pieces, with pauses, or not at all. */
#ifndef EXSYNC_TESTS_UNIT_EWS_SUPPLY_H
#define EXSYNC_TESTS_UNIT_EWS_SUPPLY_H

#include "ews/ews_body.h"

#include <stdlib.h>
#include <string.h>

struct supply {
    const char *text;
    size_t at;
    size_t piece;    /* at most so many bytes at once; 0: no limit */
    size_t fails_at; /* 0: nowhere */
    unsigned pauses; /* still to come */
    unsigned rewinds;
};

static inline size_t supply_read(void *argument, char *room, size_t size)
{
    struct supply *supply = argument;
    if (supply->pauses > 0) {
        supply->pauses--;
        return 0;
    }
    if (supply->fails_at > 0 && supply->at >= supply->fails_at)
        return BACKEND_CONTENT_FAILED;
    size_t length = supply->piece > 0 && supply->piece < size ? supply->piece : size;
    memcpy(room, supply->text + supply->at, length);
    supply->at += length;
    return length;
}

static inline void supply_rewind(void *argument)
{
    struct supply *supply = argument;
    supply->at = 0;
    supply->rewinds++;
}

static inline void supply_failure(void *argument, struct failure *failure)
{
    (void)argument;
    *failure = failure_from_errno(FAILURE_SCOPE_ITEM, "read", 5, "read the message");
}

static inline struct backend_content supply_content(struct supply *supply)
{
    return (struct backend_content){
        .size = strlen(supply->text),
        .read = supply_read,
        .rewind = supply_rewind,
        .failure = supply_failure,
        .argument = supply,
    };
}

/* Reads a source to its end, `size` bytes at most at a time; false when it fails. Pauses are waited
 * for. */
static inline bool drain(const struct http_source *source, size_t size, struct buffer *bytes)
{
    char *room = malloc(size);
    bool failed = false;
    while (bytes->length < source->length && !failed) {
        uint64_t left = source->length - bytes->length;
        size_t got = source->read(source->argument, room, left < size ? (size_t)left : size);
        failed = got == HTTP_SOURCE_FAILED;
        if (!failed)
            buffer_append(bytes, room, got);
    }
    free(room);
    return !failed;
}

#endif
