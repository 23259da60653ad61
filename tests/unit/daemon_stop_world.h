/* A profile with some mailboxes that stop and go on: the store remembers only what the tests look
 * at, and the server answers only probes. To be included by one file of a test. */
#ifndef EXSYNC_TESTS_DAEMON_STOP_WORLD_H
#define EXSYNC_TESTS_DAEMON_STOP_WORLD_H

#include "daemon_profile_world.h"

#include "daemon/probe.h"

/* --- the store --- */

static struct {
    unsigned recorded; /* failures */
    struct failure last;
    char trace[2048];
    unsigned mailbox_resolved, profile_resolved;
    struct failure resolve_failure; /* what the store answers to that */
    struct store_sign_in sign_in;   /* of the one profile, as it would be on disk */
    struct failure write_failure;
    unsigned writes;
} kept;

void store_failure_record(struct store *store, const struct store_failure *failure,
                          store_done *done, void *argument)
{
    (void)store;
    kept.recorded++;
    kept.last = failure->failure;
    snprintf(kept.trace, sizeof kept.trace, "%s", failure->trace == NULL ? "" : failure->trace);
    store_answer_later(done, argument, NULL);
}

void store_failure_resolve(struct store *store, const char *profile, struct store_mailbox mailbox,
                           const char *direction, int64_t now_ms, struct store_resolved *resolved,
                           store_done *done, void *argument)
{
    (void)store, (void)profile, (void)direction, (void)now_ms, (void)resolved;
    if (mailbox.number == 0)
        kept.profile_resolved++;
    else
        kept.mailbox_resolved++;
    store_answer_later(done, argument, &kept.resolve_failure);
}

void store_alert_resolve_grouped(struct store *store, const char *profile, int64_t now_ms,
                                 struct store_resolved *resolved, store_done *done, void *argument)
{
    (void)store, (void)profile, (void)now_ms, (void)resolved;
    store_answer_later(done, argument, NULL);
}

void store_probe(struct store *store, store_done *done, void *argument)
{
    (void)store;
    store_answer_later(done, argument, NULL);
}

void store_sign_in_save(struct store *store, const char *profile,
                        const struct store_sign_in *sign_in, store_done *done, void *argument)
{
    (void)store;
    assert_string_equal(profile, "contoso");
    kept.writes++;
    if (!failure_is_set(&kept.write_failure))
        kept.sign_in = *sign_in;
    store_answer_later(done, argument, &kept.write_failure);
}

void store_sign_ins_load(struct store *store,
                         void (*each)(void *argument, const char *profile,
                                      const struct store_sign_in *sign_in),
                         store_done *done, void *argument)
{
    (void)store;
    if (kept.sign_in.refused > 0)
        each(argument, "contoso", &kept.sign_in);
    store_answer_later(done, argument, NULL);
}

/* --- the server, which is probed --- */

struct backend_operation {
    struct answer answer;
    backend_probe_done *done;
    void *argument;
};

static struct {
    struct failure failure; /* what a probe meets; not set: it passes */
    unsigned probes;
    unsigned resets; /* of the pool: sign-ins on new connections */
} server;

void http_pool_reset(struct http_pool *pool)
{
    (void)pool;
    server.resets++;
}

static void probe_answer(void *answer)
{
    struct backend_operation *operation = answer;
    operation->done(operation->argument, failure_is_set(&server.failure) ? &server.failure : NULL);
    memory_free(operation);
}

struct backend_operation *backend_probe_start(struct backend *backend,
                                              const struct backend_mailbox *mailbox,
                                              backend_probe_done *done, void *argument)
{
    (void)backend;
    assert_string_equal(mailbox->address, "ann@example.com");
    struct backend_operation *operation = memory_allocate(sizeof *operation);
    operation->done = done;
    operation->argument = argument;
    server.probes++;
    answer_later(&operation->answer, probe_answer);
    return operation;
}

/* --- a profile with some mailboxes --- */

static const uint64_t probe_intervals[] = {5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS};

static inline int set_up(void **state)
{
    struct fixture *fixture = set_up_profile();
    memset(&kept, 0, sizeof kept);
    memset(&server, 0, sizeof server);
    fixture->profile_config.username = "svc-sync";
    fixture->profile_config.password = secret_create("right", 5);
    fixture->profile_config.retry_max_ms = 64000;
    fixture->profile_config.transient_attempts = 8;
    fixture->profile_config.probe_intervals_ms = probe_intervals;
    fixture->profile_config.probe_interval_count = 3;
    *state = fixture;
    return 0;
}

static inline int tear_down(void **state)
{
    tear_down_profile(*state);
    return 0;
}

static inline struct cycle cycle_of(struct fixture *fixture, struct direction *direction)
{
    return (struct cycle){
        .context = &fixture->context,
        .direction = direction->kind,
        .mailbox = direction->mailbox,
        .profile = &fixture->profile,
        .started_ms = executor_now(fixture->executor),
        .next_ms = INT64_MAX,
    };
}

/* A cycle that begins, and ends at once; `failure` NULL: well. Returns how long it waits then. */
static inline uint64_t run_cycle(struct fixture *fixture, struct direction *direction,
                                 const struct failure *failure)
{
    struct cycle cycle = cycle_of(fixture, direction);
    if (failure != NULL)
        cycle.failure = *failure;
    direction->gate_generation = gate_enter(&fixture->profile.gate);
    return outcome_settle(&fixture->scheduler, direction, &cycle);
}

/* A cycle that has nothing to send, and asks the server nothing. */
static inline uint64_t run_cycle_with_nothing(struct fixture *fixture, struct direction *direction)
{
    struct cycle cycle = cycle_of(fixture, direction);
    cycle.proves_nothing = true;
    direction->gate_generation = gate_enter(&fixture->profile.gate);
    return outcome_settle(&fixture->scheduler, direction, &cycle);
}

static const struct failure refused_sign_in = {
    .category = FAILURE_AUTHENTICATION,
    .scope = FAILURE_SCOPE_PROFILE,
    .permanent = true,
    .http_status = 401,
    .code = "HTTP 401",
    .step = "FindItem",
};

#endif
