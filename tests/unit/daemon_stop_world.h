/* A profile with some mailboxes that stop and go on: the store remembers only what the tests look
 * at, and the server answers only probes. To be included by one file of a test. */
#ifndef EXSYNC_TESTS_DAEMON_STOP_WORLD_H
#define EXSYNC_TESTS_DAEMON_STOP_WORLD_H

#include "daemon_world.h"

#include "daemon/outcome.h"
#include "daemon/probe.h"
#include "daemon/scheduler.h"
#include "daemon/sign_in.h"

enum { MAILBOXES = 12, MINUTE_MS = 60000, HOUR_MS = 60 * MINUTE_MS };

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

struct fixture {
    struct executor *executor;
    struct context context;
    struct config_profile profile_config;
    struct config_mailbox_settings settings;
    struct config_mailbox mailbox_config;
    struct scheduler scheduler;
    struct profile profile;
    struct mailbox mailboxes[MAILBOXES];
};

static const uint64_t probe_intervals[] = {5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS};

static void never_started(struct scheduler *scheduler, struct direction *direction)
{
    (void)scheduler, (void)direction;
    fail_msg("nothing is in the schedule");
}

static void ignore_trying(void *argument)
{
    (void)argument;
}

static inline int set_up(void **state)
{
    struct fixture *fixture = memory_allocate(sizeof *fixture);
    memset(&kept, 0, sizeof kept);
    memset(&server, 0, sizeof server);
    logged_forget();
    fixture->executor = executor_create();
    fixture->context.executor = fixture->executor;
    fixture->context.sign_ins = sign_ins_create(NULL, "instance");
    fixture->profile_config = (struct config_profile){
        .name = "contoso",
        .url = "https://mail.contoso.com/EWS/Exchange.asmx",
        .username = "svc-sync",
        .password = secret_create("right", 5),
        .retry_min_ms = 1000,
        .retry_max_ms = 64000,
        .poll_interval_ms = MINUTE_MS,
        .max_connections = 10,
        .transient_attempts = 8,
        .probe_intervals_ms = probe_intervals,
        .probe_interval_count = 3,
    };
    fixture->settings.profile = &fixture->profile_config;
    fixture->mailbox_config.address = "ann@example.com";
    fixture->mailbox_config.settings = &fixture->settings;
    scheduler_init(&fixture->scheduler, &fixture->context, never_started, outcome_try_storage,
                   NULL);
    fixture->profile.context = &fixture->context;
    fixture->profile.config = &fixture->profile_config;
    fixture->profile.owner = &fixture->scheduler;
    fixture->profile.current = true;
    fixture->profile.users = 1;
    fixture->profile.mailbox_count = MAILBOXES;
    gate_init(&fixture->profile.gate, fixture->executor, ignore_trying, NULL);
    for (int i = 0; i < MAILBOXES; i++) {
        struct mailbox *mailbox = &fixture->mailboxes[i];
        mailbox->config = &fixture->mailbox_config;
        mailbox->profile = &fixture->profile;
        mailbox->id.number = i + 1;
        mailbox->incoming.mailbox = mailbox;
        mailbox->outgoing.mailbox = mailbox;
        mailbox->outgoing.kind = CYCLE_OUTGOING;
    }
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    answer_all();
    for (int i = 0; i < MAILBOXES; i++) {
        memory_free(fixture->mailboxes[i].incoming.trouble);
        memory_free(fixture->mailboxes[i].outgoing.trouble);
    }
    gate_release(&fixture->profile.gate);
    scheduler_release(&fixture->scheduler);
    answer_all();
    sign_ins_free(fixture->context.sign_ins);
    secret_free(fixture->profile_config.password);
    executor_free(fixture->executor);
    memory_free(fixture);
    return 0;
}

/* A cycle that begins, and ends at once; `failure` NULL: well. Returns how long it waits then. */
static inline uint64_t run_cycle(struct fixture *fixture, struct direction *direction,
                                 const struct failure *failure)
{
    struct cycle cycle = {
        .context = &fixture->context,
        .direction = direction->kind,
        .mailbox = direction->mailbox,
        .profile = &fixture->profile,
        .started_ms = executor_now(fixture->executor),
        .next_ms = INT64_MAX,
    };
    if (failure != NULL)
        cycle.failure = *failure;
    direction->gate_generation = gate_enter(&fixture->profile.gate);
    return outcome_settle(&fixture->scheduler, direction, &cycle);
}

/* A cycle that has nothing to send, and asks the server nothing. */
static inline uint64_t run_cycle_with_nothing(struct fixture *fixture, struct direction *direction)
{
    struct cycle cycle = {
        .context = &fixture->context,
        .direction = direction->kind,
        .mailbox = direction->mailbox,
        .profile = &fixture->profile,
        .started_ms = executor_now(fixture->executor),
        .next_ms = INT64_MAX,
        .proves_nothing = true,
    };
    direction->gate_generation = gate_enter(&fixture->profile.gate);
    return outcome_settle(&fixture->scheduler, direction, &cycle);
}

static const struct failure denied = {
    .category = FAILURE_IMPERSONATION,
    .scope = FAILURE_SCOPE_MAILBOX,
    .permanent = true,
    .http_status = 500,
    .code = "ErrorImpersonateUserDenied",
    .step = "FindItem",
};

static const struct failure refused_sign_in = {
    .category = FAILURE_AUTHENTICATION,
    .scope = FAILURE_SCOPE_PROFILE,
    .permanent = true,
    .http_status = 401,
    .code = "HTTP 401",
    .step = "FindItem",
};

#define with_mailboxes(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
