/* For the outbox's tests: calls that are waited for. world->path is the outbox. */
#ifndef EXSYNC_TESTS_OUTBOX_WORLD_H
#define EXSYNC_TESTS_OUTBOX_WORLD_H

#include "mail_world.h"

#include "mail/outbox.h"

#include <fcntl.h>

/* The last answer. */
struct answer {
    struct world *world;
    struct failure failure;
    char ids[OUTBOX_SCAN_MAX][OUTBOX_ID_SIZE];
    size_t count;
    bool more;
    struct outbox_envelope envelope;
    uint64_t size;
};

static inline void answer_with(struct answer *answer, const struct failure *failure)
{
    answer->failure = failure != NULL ? *failure : (struct failure){0};
    executor_stop(answer->world->executor);
}

static inline void answer_done(void *argument, const struct failure *failure)
{
    answer_with(argument, failure);
}

static inline void answer_scan(void *argument, const struct failure *failure,
                               const char (*ids)[OUTBOX_ID_SIZE], size_t count, bool more)
{
    struct answer *answer = argument;
    if (count > 0)
        memcpy(answer->ids, ids, count * sizeof *ids);
    answer->count = count;
    answer->more = more;
    answer_with(answer, failure);
}

static inline void answer_inspect(void *argument, const struct failure *failure,
                                  struct outbox_envelope *envelope)
{
    struct answer *answer = argument;
    answer->envelope = *envelope;
    answer_with(answer, failure);
}

static inline void answer_accept(void *argument, const struct failure *failure, uint64_t size)
{
    struct answer *answer = argument;
    answer->size = size;
    answer_with(answer, failure);
}

static inline struct failure open_outbox(struct world *world, struct outbox *outbox)
{
    struct answer answer = {.world = world};
    outbox_open(outbox, answer_done, &answer);
    world_run(world);
    return answer.failure;
}

static inline void scan(struct world *world, struct outbox *outbox, struct answer *answer)
{
    *answer = (struct answer){.world = world};
    outbox_scan(outbox, answer_scan, answer);
    world_run(world);
}

/* To be released. */
static inline struct outbox_envelope inspect(struct world *world, struct outbox *outbox,
                                             const char *id)
{
    struct answer answer = {.world = world};
    outbox_inspect(outbox, id, answer_inspect, &answer);
    world_run(world);
    assert_string_equal(answer.failure.text, "");
    return answer.envelope;
}

static inline struct failure accept_it(struct world *world, struct outbox *outbox, const char *id,
                                       const struct outbox_edit *edit, uint64_t *size)
{
    struct answer answer = {.world = world};
    outbox_accept(outbox, id, edit, answer_accept, &answer);
    world_run(world);
    *size = answer.size;
    return answer.failure;
}

static inline struct failure refuse(struct world *world, struct outbox *outbox, const char *id,
                                    const char *reason)
{
    struct answer answer = {.world = world};
    outbox_refuse(outbox, id, reason, answer_done, &answer);
    world_run(world);
    return answer.failure;
}

static inline struct failure settle(struct world *world, struct outbox *outbox, const char *id)
{
    struct answer answer = {.world = world};
    outbox_settle(outbox, id, answer_done, &answer);
    world_run(world);
    return answer.failure;
}

static inline struct failure remove_it(struct world *world, struct outbox *outbox, const char *id)
{
    struct answer answer = {.world = world};
    outbox_remove(outbox, id, answer_done, &answer);
    world_run(world);
    return answer.failure;
}

/* --- many in one turn of the loop --- */

enum { MANY_MAX = 64 };

struct many {
    struct world *world;
    size_t count;
    size_t answered; /* in their order */
    struct failure failures[MANY_MAX];
    struct outbox_envelope envelopes[MANY_MAX]; /* to be released */
    uint64_t sizes[MANY_MAX];
};

static inline void many_answer(struct many *many, const struct failure *failure)
{
    many->failures[many->answered++] = failure != NULL ? *failure : (struct failure){0};
    if (many->answered == many->count)
        executor_stop(many->world->executor);
}

static inline void many_done(void *argument, const struct failure *failure)
{
    many_answer(argument, failure);
}

static inline void many_inspected(void *argument, const struct failure *failure,
                                  struct outbox_envelope *envelope)
{
    struct many *many = argument;
    many->envelopes[many->answered] = *envelope;
    many_answer(many, failure);
}

static inline void many_accepted(void *argument, const struct failure *failure, uint64_t size)
{
    struct many *many = argument;
    many->sizes[many->answered] = size;
    many_answer(many, failure);
}

/* Files of one job are answered in their order, those of several perhaps not. */
static inline void many_begin(struct many *many, struct world *world, size_t count)
{
    assert_in_range(count, 1, MANY_MAX);
    many->world = world;
    many->count = count;
    many->answered = 0;
}

static inline void many_inspect(struct many *many, struct world *world, struct outbox *outbox,
                                char (*ids)[OUTBOX_ID_SIZE], size_t count)
{
    many_begin(many, world, count);
    for (size_t i = 0; i < count; i++)
        outbox_inspect(outbox, ids[i], many_inspected, many);
    world_run(world);
}

static inline void many_accept(struct many *many, struct world *world, struct outbox *outbox,
                               char (*ids)[OUTBOX_ID_SIZE], size_t count,
                               const struct outbox_edit *edit)
{
    many_begin(many, world, count);
    for (size_t i = 0; i < count; i++)
        outbox_accept(outbox, ids[i], edit, many_accepted, many);
    world_run(world);
}

typedef void outbox_call(struct outbox *outbox, const char *id, outbox_done *done, void *argument);

static inline void many_do(struct many *many, struct world *world, struct outbox *outbox,
                           char (*ids)[OUTBOX_ID_SIZE], size_t count, outbox_call *call)
{
    many_begin(many, world, count);
    for (size_t i = 0; i < count; i++)
        call(outbox, ids[i], many_done, many);
    world_run(world);
}

/* --- a world with an outbox that is open --- */

struct outbox_world {
    struct world *world;
    struct outbox *outbox;
};

static inline void outbox_drained(void *argument)
{
    struct outbox_world *it = argument;
    if (outbox_pending(it->outbox) == 0)
        executor_stop(it->world->executor);
    else
        executor_after(it->world->executor, &it->world->patience, 1, outbox_drained, it);
}

/* Runs the loop until nothing is left to do. */
static inline void outbox_drain(struct outbox_world *it)
{
    executor_after(it->world->executor, &it->world->patience, 0, outbox_drained, it);
    executor_run(it->world->executor);
}

static inline int outbox_world_set_up(void **state)
{
    struct outbox_world *it = memory_allocate(sizeof *it);
    it->world = world_create();
    snprintf(it->world->path, sizeof it->world->path, "%s/outbox", it->world->folder);
    it->outbox = outbox_create(it->world->executor, it->world->pool, it->world->path);
    struct failure failure = open_outbox(it->world, it->outbox);
    assert_string_equal(failure.text, "");
    *state = it;
    return 0;
}

static inline int outbox_world_tear_down(void **state)
{
    struct outbox_world *it = *state;
    outbox_drain(it);
    assert_int_equal(outbox_pending(it->outbox), 0);
    outbox_free(it->outbox);
    world_free(it->world);
    memory_free(it);
    return 0;
}

#define with_an_outbox(test) \
    cmocka_unit_test_setup_teardown(test, outbox_world_set_up, outbox_world_tear_down)

/* Fields that the copy of a message keeps. */
#define DATE "Date: Thu, 1 Jan 1970 00:00:01 +0000\r\n"
#define ID   "Message-ID: <1@b>\r\n"

/* Submits bytes, takes them in, and tells the id. */
static inline void put_bytes(struct outbox_world *it, const char *below, const char *name,
                             const char *bytes, size_t length)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s/%s", it->world->path, below, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

static inline void take_one(struct outbox_world *it, char id[OUTBOX_ID_SIZE])
{
    struct answer answer;
    scan(it->world, it->outbox, &answer);
    assert_string_equal(answer.failure.text, "");
    assert_int_equal(answer.count, 1);
    memcpy(id, answer.ids[0], OUTBOX_ID_SIZE);
}

static inline void submit(struct outbox_world *it, const char *text, char id[OUTBOX_ID_SIZE])
{
    world_put(it->world, "new", "message", text);
    take_one(it, id);
}

static inline char *read_queue(const struct outbox_world *it, const char *id, size_t *length)
{
    char name[OUTBOX_ID_SIZE + 8];
    snprintf(name, sizeof name, "%s.eml", id);
    return world_read(it->world, "queue", name, length);
}

#endif
