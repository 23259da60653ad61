/* For the tests of what follows from the end of a cycle: a profile with some mailboxes, and cycles
 * that end as the test says. To be included by one file of a test. */
#ifndef EXSYNC_TESTS_DAEMON_OUTCOME_WORLD_H
#define EXSYNC_TESTS_DAEMON_OUTCOME_WORLD_H

#include "daemon_store.h"

#include "daemon/outcome.h"
#include "daemon/scheduler.h"
#include "daemon/sign_in.h"

enum { MAILBOXES = 8, MINUTE_MS = 60000 };

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
    struct mailbox_folder folders[MAILBOXES];
    unsigned trials; /* how often the profile's gate asked for one */
};

static inline void never_started(struct scheduler *scheduler, struct direction *direction)
{
    (void)scheduler, (void)direction;
    fail_msg("nothing is in the schedule");
}

static inline void note_trying(void *argument)
{
    struct fixture *fixture = argument;
    fixture->trials++;
}

static inline int set_up(void **state)
{
    struct fixture *fixture = memory_allocate(sizeof *fixture);
    memset(&store_world, 0, sizeof store_world);
    logged_forget();
    fixture->executor = executor_create();
    fixture->context.executor = fixture->executor;
    fixture->context.sign_ins = sign_ins_create(NULL, "instance");
    fixture->profile_config = (struct config_profile){
        .name = "contoso",
        .url = "https://mail.contoso.com/EWS/Exchange.asmx",
        .retry_min_ms = 1000,
        .retry_max_ms = 2000,
        .poll_interval_ms = MINUTE_MS,
        .max_connections = 10,
    };
    fixture->settings.profile = &fixture->profile_config;
    fixture->settings.after_processing = CONFIG_AFTER_MOVE;
    fixture->settings.move_folder = "Processed";
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
    gate_init(&fixture->profile.gate, fixture->executor, note_trying, fixture);
    for (int i = 0; i < MAILBOXES; i++) {
        struct mailbox *mailbox = &fixture->mailboxes[i];
        mailbox->config = &fixture->mailbox_config;
        mailbox->profile = &fixture->profile;
        mailbox->id.number = i + 1;
        mailbox->incoming.mailbox = mailbox;
        mailbox->folders = &fixture->folders[i];
        mailbox->folder_count = 1;
    }
    *state = fixture;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *fixture = *state;
    answer_all();
    for (int i = 0; i < MAILBOXES; i++) {
        memory_free(fixture->mailboxes[i].incoming.trouble);
        memory_free(fixture->mailboxes[i].move_folder_id);
    }
    gate_release(&fixture->profile.gate);
    executor_cancel_timer(fixture->executor, &fixture->profile.grow);
    scheduler_release(&fixture->scheduler);
    sign_ins_free(fixture->context.sign_ins);
    executor_free(fixture->executor);
    memory_free(fixture);
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

static const struct failure denied = {
    .category = FAILURE_IMPERSONATION,
    .scope = FAILURE_SCOPE_MAILBOX,
    .permanent = true,
    .http_status = 500,
    .code = "ErrorImpersonateUserDenied",
};

static const struct failure no_route = {
    .category = FAILURE_NETWORK,
    .scope = FAILURE_SCOPE_PROFILE,
    .code = "ECONNREFUSED",
    .step = "FindItem",
};

#define with_mailboxes(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
