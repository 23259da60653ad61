/* For the outgoing cycle's tests: a mailbox whose submissions are sent in the world of
 * daemon_send_world.h, cycle after cycle, and a process that can be killed. To be included by one
 * file of a test. */
#ifndef EXSYNC_TESTS_DAEMON_SEND_MAILBOX_H
#define EXSYNC_TESTS_DAEMON_SEND_MAILBOX_H

#include "daemon_send_server.h"

#include "daemon/outgoing.h"

enum {
    RETRY_MIN_MS = 1000,
    RETRY_MAX_MS = 4 * 60 * 60 * 1000,
    DOUBT_WINDOW_MS = 600000,
    CYCLES_MAX = 200, /* until nothing is open */
};

static struct fixture {
    struct context context;
    struct config_profile profile_config;
    struct config_mailbox_settings settings;
    struct config_mailbox mailbox_config;
    struct profile profile;
    struct mailbox mailbox;
    struct cycle *ended; /* the last cycle, until the next */
    unsigned cycles;
    unsigned moved, failed;
    struct failure end; /* of the last cycle */
    bool proves_nothing;
} fixture;

static inline void fixture_create(int count)
{
    world_create(count);
    fixture = (struct fixture){0};
    fixture.profile_config = (struct config_profile){
        .name = "contoso",
        .batch_size = 100,
        .batch_bytes = 1 << 20,
        .retry_min_ms = RETRY_MIN_MS,
        .retry_max_ms = RETRY_MAX_MS,
        .doubt_window_ms = DOUBT_WINDOW_MS,
        .delivery_notifications = true,
    };
    fixture.settings.profile = &fixture.profile_config;
    fixture.mailbox_config.address = "ann@example.com";
    fixture.mailbox_config.settings = &fixture.settings;
    fixture.profile.context = &fixture.context;
    fixture.profile.config = &fixture.profile_config;
    fixture.mailbox.config = &fixture.mailbox_config;
    fixture.mailbox.profile = &fixture.profile;
    fixture.mailbox.outgoing.mailbox = &fixture.mailbox;
    fixture.mailbox.outgoing.kind = CYCLE_OUTGOING;
}

static inline void fixture_free(void)
{
    assert_null(first_answer);
    memory_free(world.late);
    world.late = NULL;
}

static inline void cycle_ended(struct cycle *cycle)
{
    assert_null(fixture.ended);
    fixture.ended = cycle;
}

static inline struct cycle *cycle_begin(void)
{
    fixture.ended = NULL;
    outgoing_start(&fixture.context, &fixture.mailbox.outgoing, cycle_ended);
    return fixture.mailbox.outgoing.cycle;
}

/* When the next one is due, by what the cycle tells and the scheduler makes of it. INT64_MAX:
 * nothing is left to do. */
static inline int64_t cycle_close(void)
{
    struct cycle *cycle = fixture.ended;
    assert_non_null(cycle);
    assert_null(first_answer);
    fixture.end = cycle->failure;
    fixture.proves_nothing = cycle->proves_nothing;
    fixture.cycles++;
    fixture.moved += cycle->moved;
    fixture.failed += cycle->failed;
    int64_t next_ms = cycle->next_ms;
    if (failure_is_set(&cycle->failure))
        next_ms = world.now_ms + RETRY_MIN_MS;
    else if (cycle->more || cycle->cut_short)
        next_ms = world.now_ms;
    cycle->operations->free(cycle);
    fixture.ended = NULL;
    return next_ms;
}

static inline int64_t cycle_run(void)
{
    cycle_begin();
    while (answer_next())
        world.answers++;
    return cycle_close();
}

/* Waits until `due_ms`; Transport works meanwhile. */
static inline void wait_until(int64_t due_ms)
{
    if (due_ms > world.now_ms)
        world.now_ms = due_ms;
    transport_run();
}

/* Cycles until nothing is open. */
static inline void run(void)
{
    for (int64_t due_ms = world.now_ms; due_ms != INT64_MAX;) {
        wait_until(due_ms);
        due_ms = cycle_run();
        if (fixture.cycles > CYCLES_MAX)
            fail_msg("it goes on for ever: %u requests", world.requests);
    }
    wait_until(world.now_ms + world.transport_ms);
    for (int i = 0; i < world.count; i++)
        assert_false(message_is_open(&world.messages[i]));
}

/* --- what earlier cycles left --- */

/* A message that an earlier cycle left in this state. */
static inline void leave(int number, enum store_submission_state state)
{
    world.messages[number].row.state = state;
}

/* The same, with a draft on the server; returns it. */
static inline struct draft *leave_with_draft(int number, enum store_submission_state state)
{
    int draft = draft_make(number, false);
    struct message *message = &world.messages[number];
    leave(number, state);
    reference_of(draft, message->reference);
    message->row.reference = message->reference;
    return &world.drafts[draft];
}

/* --- what came of it --- */

static inline void assert_sent(int number)
{
    const struct message *message = &world.messages[number];
    assert_int_equal(message->sent, 1);
    assert_int_equal(message->row.state, STORE_SUBMISSION_SENT);
    assert_null(message->row.reference);
    assert_int_equal(draft_count(number), 0);
    assert_false(message->queued_file);
    assert_false(message->failed_file);
    assert_int_equal(message->told, 0);
}

static inline void assert_sent_from_to(int from, int to)
{
    for (int i = from; i <= to; i++)
        assert_sent(i);
}

/* Left to a person. */
static inline void assert_failed(int number)
{
    const struct message *message = &world.messages[number];
    assert_int_equal(message->sent, 0);
    assert_int_equal(message->row.state, STORE_SUBMISSION_FAILED);
    assert_false(message->queued_file);
    assert_true(message->failed_file);
    assert_true(message->told >= 1);
    assert_true(message->recorded >= 1);
}

static inline void assert_in_order(void)
{
    int64_t place = 0;
    for (int i = 0; i < world.count; i++) {
        if (world.messages[i].sent == 0)
            continue;
        assert_true(world.messages[i].place > place);
        place = world.messages[i].place;
    }
}

static inline enum store_submission_state state_of(int number)
{
    return world.messages[number].row.state;
}

static inline void fault_at(unsigned request, enum fault fault)
{
    world.fault_at = request;
    world.fault = fault;
}

/* --- a process that is killed or a cycle that is cancelled --- */

/* What was asked of the server arrives all the same, or does not. */
enum interruption {
    INTERRUPT_CANCEL,
    INTERRUPT_CANCEL_ARRIVED,
    INTERRUPT_KILL,
    INTERRUPT_KILL_ARRIVED,
    INTERRUPTIONS,
};

static inline void arrive(bool store_too)
{
    for (struct answer *answer = first_answer; answer != NULL; answer = answer->next) {
        if (answer->run == request_run)
            carry_out((struct backend_operation *)answer);
        else if (store_too && answer->run == change_run)
            change_write((struct change_answer *)answer);
    }
}

/* What the next process does at its start (daemon/sweep.h). */
static inline void sweep(void)
{
    for (int i = 0; i < world.count; i++) {
        if (world.messages[i].row.state == STORE_SUBMISSION_SENT ||
            world.messages[i].row.state == STORE_SUBMISSION_FAILED)
            world.messages[i].queued_file = false;
    }
}

/* One cycle that is interrupted after `steps` answers. False when it was over before. */
static inline bool cycle_interrupted(unsigned steps, enum interruption interruption)
{
    struct cycle *cycle = cycle_begin();
    for (unsigned i = 0; i < steps && answer_next(); i++)
        continue;
    bool over = fixture.ended != NULL;
    bool killed = interruption == INTERRUPT_KILL || interruption == INTERRUPT_KILL_ARRIVED;
    if (!over &&
        (interruption == INTERRUPT_CANCEL_ARRIVED || interruption == INTERRUPT_KILL_ARRIVED))
        arrive(killed);
    unsigned requests = world.requests;
    world.dead = killed && !over;
    if (!over)
        cycle->operations->cancel(cycle);
    answer_all();
    world.dead = false;
    assert_int_equal(world.requests, requests); /* nothing more is begun */
    if (failure_is_set(&fixture.ended->failure) && !over)
        assert_int_equal(fixture.ended->failure.category, FAILURE_CANCELLED);
    cycle_close();
    if (killed)
        sweep();
    return !over;
}

#endif
