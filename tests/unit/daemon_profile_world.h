/* For the tests of what follows from the end of a cycle: a profile with some mailboxes, which is in
 * no service and whose schedule is empty. To be included by one file of a test. */
#ifndef EXSYNC_TESTS_DAEMON_PROFILE_WORLD_H
#define EXSYNC_TESTS_DAEMON_PROFILE_WORLD_H

#include "daemon_world.h"

#include "daemon/outcome.h"
#include "daemon/scheduler.h"
#include "daemon/sign_in.h"

enum { MAILBOXES = 12, MINUTE_MS = 60000, HOUR_MS = 60 * MINUTE_MS };

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

static inline void set_up_mailbox(struct fixture *fixture, int index)
{
    struct mailbox *mailbox = &fixture->mailboxes[index];
    mailbox->config = &fixture->mailbox_config;
    mailbox->profile = &fixture->profile;
    mailbox->id.number = index + 1;
    mailbox->incoming.mailbox = mailbox;
    mailbox->outgoing.mailbox = mailbox;
    mailbox->outgoing.kind = CYCLE_OUTGOING;
    mailbox->folders = &fixture->folders[index];
    mailbox->folder_count = 1;
}

/* The caller may change the configuration before anything else. */
static inline struct fixture *set_up_profile(void)
{
    struct fixture *fixture = memory_allocate(sizeof *fixture);
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
    for (int i = 0; i < MAILBOXES; i++)
        set_up_mailbox(fixture, i);
    return fixture;
}

static inline void tear_down_profile(struct fixture *fixture)
{
    answer_all();
    for (int i = 0; i < MAILBOXES; i++) {
        memory_free(fixture->mailboxes[i].incoming.trouble);
        memory_free(fixture->mailboxes[i].outgoing.trouble);
        memory_free(fixture->mailboxes[i].move_folder_id);
    }
    gate_release(&fixture->profile.gate);
    executor_cancel_timer(fixture->executor, &fixture->profile.grow);
    scheduler_release(&fixture->scheduler);
    answer_all();
    sign_ins_free(fixture->context.sign_ins);
    secret_free(fixture->profile_config.password);
    executor_free(fixture->executor);
    memory_free(fixture);
}

static const struct failure denied = {
    .category = FAILURE_IMPERSONATION,
    .scope = FAILURE_SCOPE_MAILBOX,
    .permanent = true,
    .http_status = 500,
    .code = "ErrorImpersonateUserDenied",
    .step = "FindItem",
};

#define with_mailboxes(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
