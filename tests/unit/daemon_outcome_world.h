/* For the tests of what follows from the end of a cycle: a profile with some mailboxes, and cycles
 * that end as the test says. To be included by one file of a test. */
#ifndef EXSYNC_TESTS_DAEMON_OUTCOME_WORLD_H
#define EXSYNC_TESTS_DAEMON_OUTCOME_WORLD_H

#include "daemon_profile_world.h"
#include "daemon_store.h"

static inline int set_up(void **state)
{
    struct fixture *fixture = set_up_profile();
    memset(&store_world, 0, sizeof store_world);
    fixture->settings.after_processing = CONFIG_AFTER_MOVE;
    fixture->settings.move_folder = "Processed";
    *state = fixture;
    return 0;
}

static inline int tear_down(void **state)
{
    tear_down_profile(*state);
    return 0;
}

/* A cycle of a mailbox starts: what it is to remember is kept in its direction. */
static inline void begin(struct fixture *fixture, int mailbox)
{
    fixture->mailboxes[mailbox].incoming.gate_generation = gate_enter(&fixture->profile.gate);
}

static inline struct cycle cycle_of(struct fixture *fixture, int mailbox)
{
    return (struct cycle){
        .context = &fixture->context,
        .mailbox = &fixture->mailboxes[mailbox],
        .profile = &fixture->profile,
        .started_ms = executor_now(fixture->executor),
    };
}

/* It ends; `failure` NULL: well. */
static inline uint64_t end(struct fixture *fixture, int mailbox, const struct failure *failure)
{
    struct cycle cycle = cycle_of(fixture, mailbox);
    if (failure != NULL)
        cycle.failure = *failure;
    return outcome_settle(&fixture->scheduler, &fixture->mailboxes[mailbox].incoming, &cycle);
}

static inline uint64_t run(struct fixture *fixture, int mailbox, const struct failure *failure)
{
    begin(fixture, mailbox);
    return end(fixture, mailbox, failure);
}

static inline uint64_t gate_wait(const struct fixture *fixture, const struct gate *gate)
{
    assert_int_equal(gate->state, GATE_CLOSED);
    return gate->timer.entry.key - executor_now(fixture->executor);
}

static const struct failure unavailable = {
    .category = FAILURE_SERVER,
    .scope = FAILURE_SCOPE_MAILBOX,
    .http_status = 503,
    .code = "HTTP 503",
    .step = "FindItem",
};

static const struct failure no_route = {
    .category = FAILURE_NETWORK,
    .scope = FAILURE_SCOPE_PROFILE,
    .code = "ECONNREFUSED",
    .step = "FindItem",
};

#endif
