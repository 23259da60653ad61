/* What follows from the end of a cycle: which gate closes, what opens it, how long it stays closed,
 * and what is left to be done. The store and the server are replaced. */
#include "daemon_world.h"

#include "daemon/acknowledge.h"
#include "daemon/outcome.h"
#include "daemon/scheduler.h"
#include "daemon/sign_in.h"

enum { MAILBOXES = 8, MINUTE_MS = 60000 };

static struct {
    unsigned profile_rows, mailbox_rows; /* failures recorded */
    unsigned profile_resolved, mailbox_resolved;
    struct failure probe_failure;
    unsigned probes;
} store_world;

void store_failure_record(struct store *store, const struct store_failure *failure,
                          store_done *done, void *argument)
{
    (void)store;
    assert_null(failure->item);
    if (failure->mailbox.number == 0)
        store_world.profile_rows++;
    else
        store_world.mailbox_rows++;
    store_answer_later(done, argument, NULL);
}

void store_failure_resolve(struct store *store, const char *profile, struct store_mailbox mailbox,
                           const char *direction, int64_t now_ms, struct store_resolved *resolved,
                           store_done *done, void *argument)
{
    (void)store, (void)profile, (void)direction, (void)now_ms, (void)resolved;
    if (mailbox.number == 0)
        store_world.profile_resolved++;
    else
        store_world.mailbox_resolved++;
    store_answer_later(done, argument, NULL);
}

void store_sign_in_save(struct store *store, const char *profile,
                        const struct store_sign_in *sign_in, store_done *done, void *argument)
{
    (void)store, (void)profile, (void)sign_in;
    store_answer_later(done, argument, NULL);
}

void store_sign_ins_load(struct store *store,
                         void (*each)(void *argument, const char *profile,
                                      const struct store_sign_in *sign_in),
                         store_done *done, void *argument)
{
    (void)store, (void)each, (void)done, (void)argument;
    fail_msg("nothing was there before");
}

void store_probe(struct store *store, store_done *done, void *argument)
{
    (void)store;
    store_world.probes++;
    store_answer_later(done, argument, &store_world.probe_failure);
}

void store_ledger_acknowledged(struct store *store, struct store_mailbox mailbox,
                               const struct digest *items, size_t count, store_done *done,
                               void *argument)
{
    (void)store, (void)mailbox, (void)items, (void)count;
    store_answer_later(done, argument, NULL);
}

/* --- the server, as the acknowledger asks it --- */

struct backend_operation {
    struct answer answer;
    backend_acknowledge_done *acknowledged;
    backend_folder_done *found;
    void *argument;
    size_t count;
};

static struct {
    struct failure folder_failure, request_failure;
    struct failure item_failures[ACKNOWLEDGE_MAX];
    bool folder_created;
    unsigned acknowledgements;
} server;

static void operation_step(void *answer)
{
    struct backend_operation *operation = answer;
    const struct failure *failure =
        operation->found != NULL ? &server.folder_failure : &server.request_failure;
    if (!failure_is_set(failure))
        failure = NULL;
    if (operation->found != NULL)
        operation->found(operation->argument, failure, failure == NULL ? "folder" : NULL,
                         server.folder_created);
    else
        operation->acknowledged(operation->argument, failure, server.item_failures,
                                operation->count);
    memory_free(operation);
}

struct backend_operation *backend_folder_start(struct backend *backend,
                                               const struct backend_mailbox *mailbox,
                                               const char *path, bool create,
                                               backend_folder_done *done, void *argument)
{
    (void)backend, (void)mailbox, (void)path;
    assert_true(create);
    struct backend_operation *operation = memory_allocate(sizeof *operation);
    operation->found = done;
    operation->argument = argument;
    answer_later(&operation->answer, operation_step);
    return operation;
}

struct backend_operation *backend_acknowledge_start(struct backend *backend,
                                                    const struct backend_mailbox *mailbox,
                                                    enum backend_action action,
                                                    const char *folder_id,
                                                    const char *const *references, size_t count,
                                                    backend_acknowledge_done *done, void *argument)
{
    (void)backend, (void)mailbox, (void)references;
    assert_int_equal(action, BACKEND_MOVE);
    assert_string_equal(folder_id, "folder");
    struct backend_operation *operation = memory_allocate(sizeof *operation);
    operation->acknowledged = done;
    operation->argument = argument;
    operation->count = count;
    server.acknowledgements++;
    answer_later(&operation->answer, operation_step);
    return operation;
}

void backend_cancel(struct backend_operation *operation)
{
    answer_withdraw(&operation->answer);
    memory_free(operation);
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
    struct mailbox_folder folders[MAILBOXES];
    struct cycle cycle;
    unsigned trials; /* how often the profile's gate asked for one */
};

static void never_started(struct scheduler *scheduler, struct direction *direction)
{
    (void)scheduler, (void)direction;
    fail_msg("nothing is in the schedule");
}

static void note_trying(void *argument)
{
    struct fixture *fixture = argument;
    fixture->trials++;
}

static int set_up(void **state)
{
    struct fixture *fixture = memory_allocate(sizeof *fixture);
    memset(&store_world, 0, sizeof store_world);
    memset(&server, 0, sizeof server);
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

static int tear_down(void **state)
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
static void begin(struct fixture *fixture, int mailbox)
{
    fixture->mailboxes[mailbox].incoming.gate_generation = gate_enter(&fixture->profile.gate);
}

static struct cycle cycle_of(struct fixture *fixture, int mailbox)
{
    return (struct cycle){
        .context = &fixture->context,
        .mailbox = &fixture->mailboxes[mailbox],
        .profile = &fixture->profile,
        .started_ms = executor_now(fixture->executor),
    };
}

/* It ends; `failure` NULL: well. */
static uint64_t end(struct fixture *fixture, int mailbox, const struct failure *failure)
{
    struct cycle cycle = cycle_of(fixture, mailbox);
    if (failure != NULL)
        cycle.failure = *failure;
    return outcome_settle(&fixture->scheduler, &fixture->mailboxes[mailbox].incoming, &cycle);
}

static uint64_t run(struct fixture *fixture, int mailbox, const struct failure *failure)
{
    begin(fixture, mailbox);
    return end(fixture, mailbox, failure);
}

static uint64_t gate_wait(const struct fixture *fixture, const struct gate *gate)
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

static const struct failure refused_sign_in = {
    .category = FAILURE_AUTHENTICATION,
    .scope = FAILURE_SCOPE_PROFILE,
    .permanent = true,
    .http_status = 401,
    .code = "HTTP 401",
    .step = "FindItem",
};

static const struct failure no_route = {
    .category = FAILURE_NETWORK,
    .scope = FAILURE_SCOPE_PROFILE,
    .code = "ECONNREFUSED",
    .step = "FindItem",
};

static const struct failure full = {
    .category = FAILURE_STORAGE,
    .scope = FAILURE_SCOPE_SERVER,
    .code = "SQLITE_FULL",
};

/* --- mailboxes that fail alike --- */

static void mailboxes_that_fail_alike_close_the_gate_of_their_profile_once(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < MAILBOXES; i++)
        begin(fixture, i);
    for (int i = 0; i < PROFILE_ALIKE_MAX - 1; i++) {
        end(fixture, i, &unavailable);
        assert_int_equal(fixture->profile.gate.state, GATE_OPEN);
    }
    for (int i = PROFILE_ALIKE_MAX - 1; i < MAILBOXES; i++) {
        end(fixture, i, &unavailable);
        assert_int_equal(fixture->profile.gate.state, GATE_CLOSED);
    }
    assert_int_equal(fixture->profile.gate.failures, 1);
    assert_int_equal(store_world.profile_rows, 1);
    assert_int_equal(logged_count(MESSAGE_PROFILE_FAILED), 1);
}

static void one_mailbox_that_fails_again_and_again_is_not_the_server(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 5 * PROFILE_ALIKE_MAX; i++)
        run(fixture, i % 2, &unavailable);
    assert_int_equal(fixture->profile.gate.state, GATE_OPEN);
    assert_int_equal(store_world.profile_rows, 0);
}

static void a_success_between_shows_that_the_server_is_well(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < PROFILE_ALIKE_MAX - 1; i++)
        run(fixture, i, &unavailable);
    run(fixture, MAILBOXES - 1, NULL);
    run(fixture, PROFILE_ALIKE_MAX - 1, &unavailable);
    assert_int_equal(fixture->profile.gate.state, GATE_OPEN);
}

static void mailboxes_that_fail_in_different_ways_are_not_the_server(void **state)
{
    struct fixture *fixture = *state;
    struct failure failure = unavailable;
    for (int i = 0; i < MAILBOXES; i++) {
        failure_set_code(&failure, i % 2 == 0 ? "HTTP 503" : "HTTP 502");
        run(fixture, i, &failure);
    }
    assert_int_equal(fixture->profile.gate.state, GATE_OPEN);
}

static void what_is_refused_to_mailboxes_for_good_is_not_the_server(void **state)
{
    struct fixture *fixture = *state;
    const struct failure denied = {.category = FAILURE_IMPERSONATION,
                                   .scope = FAILURE_SCOPE_MAILBOX,
                                   .permanent = true,
                                   .http_status = 500,
                                   .code = "ErrorImpersonateUserDenied"};
    for (int i = 0; i < MAILBOXES; i++)
        run(fixture, i, &denied);
    assert_int_equal(fixture->profile.gate.state, GATE_OPEN);
    assert_int_equal(store_world.mailbox_rows, MAILBOXES);
}

/* --- the profile's gate --- */

static void cycles_from_before_the_gate_closed_do_not_open_it(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 4; i++)
        begin(fixture, i);
    end(fixture, 0, &no_route);
    assert_int_equal(fixture->profile.gate.state, GATE_CLOSED);
    end(fixture, 1, NULL);
    assert_int_equal(fixture->profile.gate.state, GATE_CLOSED);
    gate_try_now(&fixture->profile.gate);
    begin(fixture, 4); /* the trial */
    end(fixture, 2, NULL);
    end(fixture, 3, &no_route);
    assert_int_equal(fixture->profile.gate.state, GATE_TRYING);
    assert_false(gate_admits(&fixture->profile.gate)); /* the trial is still under way */
    end(fixture, 4, NULL);
    assert_int_equal(fixture->profile.gate.state, GATE_OPEN);
    assert_int_equal(logged_count(MESSAGE_PROFILE_FAILED), 1);
    assert_int_equal(logged_count(MESSAGE_PROFILE_RESUMED), 1);
}

/* The failure was recorded by others; that row stays open as long as the gate is closed. */
static void cycles_from_before_the_gate_closed_do_not_resolve_its_failure(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture, 0);
    begin(fixture, 1);
    end(fixture, 0, &no_route);
    assert_int_equal(store_world.profile_rows, 1);
    end(fixture, 1, NULL);
    assert_int_equal(store_world.profile_resolved, 0);
    gate_try_now(&fixture->profile.gate);
    run(fixture, 2, NULL);
    assert_int_equal(store_world.profile_resolved, 1);
    run(fixture, 3, NULL);
    assert_int_equal(store_world.profile_resolved, 1);
}

static void the_first_sign_in_of_a_profile_is_told_once(void **state)
{
    struct fixture *fixture = *state;
    const struct failure denied = {.category = FAILURE_IMPERSONATION,
                                   .scope = FAILURE_SCOPE_MAILBOX,
                                   .permanent = true,
                                   .http_status = 500,
                                   .code = "ErrorImpersonateUserDenied"};
    run(fixture, 0, &refused_sign_in);
    assert_int_equal(logged_count(MESSAGE_SIGNED_IN), 0);
    gate_try_now(&fixture->profile.gate);
    run(fixture, 1, &denied); /* the mailbox is refused, the account is not */
    assert_int_equal(logged_count(MESSAGE_SIGNED_IN), 1);
    run(fixture, 2, NULL);
    run(fixture, 0, &refused_sign_in);
    gate_try_now(&fixture->profile.gate);
    run(fixture, 0, NULL);
    assert_int_equal(logged_count(MESSAGE_SIGNED_IN), 1);
}

/* The profile that took its place has resolved what there was: a row from now on would stay. */
static void cycles_of_a_replaced_profile_tell_nothing_about_the_one_in_use(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 3; i++)
        begin(fixture, i);
    fixture->profile.current = false;
    end(fixture, 0, NULL);
    assert_int_equal(logged_count(MESSAGE_SIGNED_IN), 0);
    assert_int_equal(store_world.profile_resolved, 0);
    assert_int_equal(end(fixture, 1, &refused_sign_in), 0);
    assert_int_equal(end(fixture, 2, &refused_sign_in), 0);
    assert_int_equal(fixture->profile.gate.state,
                     GATE_CLOSED); /* its password is not tried again */
    assert_int_equal(store_world.profile_rows, 0);
    assert_int_equal(logged_count(MESSAGE_PROFILE_FAILED), 0);
}

static void a_trial_that_was_cut_short_or_cancelled_makes_room_for_another(void **state)
{
    struct fixture *fixture = *state;
    run(fixture, 0, &no_route);
    gate_try_now(&fixture->profile.gate);
    const struct failure cancelled = failure_cancelled();
    run(fixture, 1, &cancelled);
    assert_true(gate_admits(&fixture->profile.gate));
    begin(fixture, 2);
    assert_false(gate_admits(&fixture->profile.gate));
    struct cycle cycle = cycle_of(fixture, 2);
    cycle.cut_short = true;
    outcome_settle(&fixture->scheduler, &fixture->mailboxes[2].incoming, &cycle);
    assert_int_equal(fixture->profile.gate.state, GATE_TRYING);
    assert_true(gate_admits(&fixture->profile.gate));
    assert_int_equal(store_world.mailbox_rows, 0);
}

/* A mailbox with trouble of its own shows as well as any other that the server is back. */
static void a_trial_that_meets_trouble_of_its_mailbox_opens_the_gate(void **state)
{
    struct fixture *fixture = *state;
    run(fixture, 0, &no_route);
    gate_try_now(&fixture->profile.gate);
    const struct failure denied = {.category = FAILURE_IMPERSONATION,
                                   .scope = FAILURE_SCOPE_MAILBOX,
                                   .permanent = true,
                                   .http_status = 500,
                                   .code = "ErrorImpersonateUserDenied"};
    run(fixture, 1, &denied);
    assert_int_equal(fixture->profile.gate.state, GATE_OPEN);
}

static void a_trial_that_is_unavailable_does_not_open_the_gate(void **state)
{
    struct fixture *fixture = *state;
    run(fixture, 0, &no_route);
    gate_try_now(&fixture->profile.gate);
    run(fixture, 1, &unavailable);
    assert_int_not_equal(fixture->profile.gate.state, GATE_OPEN);
    assert_true(fixture->profile.gate.state == GATE_CLOSED || gate_admits(&fixture->profile.gate));
}

static void a_refused_sign_in_waits_a_minute_and_then_an_hour_whatever_is_configured(void **state)
{
    struct fixture *fixture = *state;
    const uint64_t configured[][2] = {{1000, 2000}, {100, 100}, {24 * 3600000, 48 * 3600000}};
    for (size_t i = 0; i < 3; i++) {
        fixture->profile_config.retry_min_ms = configured[i][0];
        fixture->profile_config.retry_max_ms = configured[i][1];
        run(fixture, 0, &refused_sign_in);
        assert_int_equal(gate_wait(fixture, &fixture->profile.gate), MINUTE_MS);
        for (int again = 0; again < 3; again++) {
            gate_try_now(&fixture->profile.gate);
            run(fixture, 1, &refused_sign_in);
            assert_int_equal(gate_wait(fixture, &fixture->profile.gate), 60 * MINUTE_MS);
        }
        gate_try_now(&fixture->profile.gate);
        run(fixture, 2, NULL);
        assert_int_equal(fixture->profile.gate.state, GATE_OPEN);
    }
}

/* --- this machine's storage --- */

static void a_storage_failure_closes_before_all_and_is_said_once(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < MAILBOXES; i++)
        begin(fixture, i);
    for (int i = 0; i < MAILBOXES; i++)
        end(fixture, i, &full);
    assert_int_equal(fixture->scheduler.storage.state, GATE_CLOSED);
    assert_int_equal(fixture->profile.gate.state, GATE_OPEN);
    assert_int_equal(store_world.mailbox_rows, 1);
    assert_int_equal(logged_count(MESSAGE_STORAGE_FAILED), 1);
    for (int i = 0; i < MAILBOXES; i++)
        assert_null(fixture->mailboxes[i].incoming.trouble);
}

static void only_a_write_opens_the_gate_of_the_storage(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture, 1);
    run(fixture, 0, &full);
    end(fixture, 1, NULL); /* an idle poll writes nothing: it shows nothing */
    run(fixture, 2, NULL);
    assert_int_equal(fixture->scheduler.storage.state, GATE_CLOSED);
    gate_try_now(&fixture->scheduler.storage); /* the wait is over */
    assert_int_equal(store_world.probes, 1);
    end(fixture, 2, NULL);
    assert_int_equal(fixture->scheduler.storage.state, GATE_TRYING);
    answer_all();
    assert_int_equal(fixture->scheduler.storage.state, GATE_OPEN);
    assert_int_equal(logged_count(MESSAGE_STORAGE_RESUMED), 1);
}

static void a_probe_that_fails_keeps_the_gate_of_the_storage_closed_for_longer(void **state)
{
    struct fixture *fixture = *state;
    run(fixture, 0, &full);
    uint64_t before = gate_wait(fixture, &fixture->scheduler.storage);
    store_world.probe_failure = full;
    for (unsigned i = 1; i <= 10; i++) {
        gate_try_now(&fixture->scheduler.storage);
        answer_all();
        assert_int_equal(store_world.probes, i);
        uint64_t wait = gate_wait(fixture, &fixture->scheduler.storage);
        if (i <= 2)
            assert_true(wait > before);
        assert_in_range(wait, 5000, MINUTE_MS); /* whoever makes room is not kept waiting */
        before = wait;
    }
    memset(&store_world.probe_failure, 0, sizeof store_world.probe_failure);
    gate_try_now(&fixture->scheduler.storage);
    answer_all();
    assert_int_equal(fixture->scheduler.storage.state, GATE_OPEN);
    assert_int_equal(fixture->scheduler.storage.failures, 0);
}

static void storage_trouble_of_one_mailbox_stops_only_that_mailbox(void **state)
{
    struct fixture *fixture = *state;
    const struct failure hangs = {.category = FAILURE_STORAGE,
                                  .scope = FAILURE_SCOPE_MAILBOX,
                                  .code = "DiskHangs",
                                  .step = "deliver"};
    for (int i = 0; i < MAILBOXES; i++)
        run(fixture, i, &hangs);
    assert_int_equal(fixture->scheduler.storage.state, GATE_OPEN);
    assert_int_equal(fixture->profile.gate.state, GATE_OPEN);
    assert_int_equal(store_world.mailbox_rows, MAILBOXES);
}

/* --- the mailbox --- */

static void trouble_of_a_mailbox_is_told_once_and_its_end_once(void **state)
{
    struct fixture *fixture = *state;
    run(fixture, 0, NULL);
    for (int i = 0; i < 4; i++)
        run(fixture, 0, &unavailable);
    assert_int_equal(fixture->mailboxes[0].incoming.trouble->failures, 4);
    unsigned resolved = store_world.mailbox_resolved;
    run(fixture, 0, NULL);
    run(fixture, 0, NULL);
    assert_null(fixture->mailboxes[0].incoming.trouble);
    assert_int_equal(store_world.mailbox_resolved, resolved + 1);
    assert_int_equal(logged_count(MESSAGE_MAILBOX_RESUMED), 1);
}

static void after_a_long_outage_every_folder_is_looked_through_once(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 2; i++) {
        fixture->folders[i].state.pass_done_ms = 1;
        run(fixture, i, NULL);
        assert_int_equal(fixture->folders[i].state.pass_started_ms, 0);
    }
    fixture->profile.outages++; /* one of half an hour and more is over */
    for (int i = 0; i < 2; i++) {
        run(fixture, i, NULL);
        assert_int_not_equal(fixture->folders[i].state.pass_started_ms, 0);
        fixture->folders[i].state.pass_started_ms = 0;
        run(fixture, i, NULL);
        assert_int_equal(fixture->folders[i].state.pass_started_ms, 0);
    }
}

/* --- what is left to be acknowledged --- */

static struct failure acknowledged;
static unsigned acknowledger_ends;

static void note_acknowledged(struct acknowledger *acknowledger, const struct failure *failure)
{
    (void)acknowledger;
    acknowledger_ends++;
    acknowledged = failure == NULL ? (struct failure){0} : *failure;
}

static struct acknowledger *acknowledge_two(struct fixture *fixture, struct acknowledger *made)
{
    fixture->cycle = cycle_of(fixture, 0);
    fixture->mailboxes[0].may_have_open = false;
    acknowledger_ends = 0;
    *made = (struct acknowledger){.cycle = &fixture->cycle,
                                  .references = {"one", "two"},
                                  .count = 2,
                                  .done = note_acknowledged};
    acknowledger_start(made);
    return made;
}

static void what_is_acknowledged_leaves_nothing_open(void **state)
{
    struct fixture *fixture = *state;
    struct acknowledger acknowledger;
    acknowledge_two(fixture, &acknowledger);
    answer_all();
    assert_int_equal(acknowledger_ends, 1);
    assert_false(failure_is_set(&acknowledged));
    assert_false(fixture->mailboxes[0].may_have_open);
}

static void a_folder_that_was_created_is_told_of_once(void **state)
{
    struct fixture *fixture = *state;
    struct acknowledger acknowledger;
    acknowledge_two(fixture, &acknowledger);
    answer_all();
    assert_int_equal(logged_count(MESSAGE_FOLDER_CREATED), 0); /* it was there */
    memory_free(fixture->mailboxes[0].move_folder_id);
    fixture->mailboxes[0].move_folder_id = NULL;
    server.folder_created = true;
    for (int i = 0; i < 2; i++) {
        acknowledge_two(fixture, &acknowledger);
        answer_all();
        assert_int_equal(logged_count(MESSAGE_FOLDER_CREATED), 1);
    }
}

static void a_folder_that_cannot_be_looked_up_leaves_items_to_be_acknowledged(void **state)
{
    struct fixture *fixture = *state;
    struct acknowledger acknowledger;
    server.folder_failure = unavailable;
    acknowledge_two(fixture, &acknowledger);
    answer_all();
    assert_int_equal(acknowledger_ends, 1);
    assert_string_equal(acknowledged.code, "HTTP 503");
    assert_int_equal(server.acknowledgements, 0);
    assert_true(fixture->mailboxes[0].may_have_open);
}

static void a_request_that_fails_leaves_items_to_be_acknowledged(void **state)
{
    struct fixture *fixture = *state;
    struct acknowledger acknowledger;
    server.request_failure = unavailable;
    acknowledge_two(fixture, &acknowledger);
    answer_all();
    assert_string_equal(acknowledged.code, "HTTP 503");
    assert_true(fixture->mailboxes[0].may_have_open);
}

static void an_item_that_fails_for_now_is_left_to_be_acknowledged(void **state)
{
    struct fixture *fixture = *state;
    struct acknowledger acknowledger;
    server.item_failures[1] =
        (struct failure){.category = FAILURE_ITEM, .scope = FAILURE_SCOPE_ITEM};
    acknowledge_two(fixture, &acknowledger);
    answer_all();
    assert_false(failure_is_set(&acknowledged));
    assert_true(fixture->mailboxes[0].may_have_open);
}

static void cancelled_at_any_moment_it_ends_once_and_leaves_items_to_be_acknowledged(void **state)
{
    struct fixture *fixture = *state;
    struct acknowledger acknowledger;
    for (int steps = 0; steps < 3; steps++) {
        memory_free(fixture->mailboxes[0].move_folder_id);
        fixture->mailboxes[0].move_folder_id = NULL;
        acknowledge_two(fixture, &acknowledger);
        for (int i = 0; i < steps; i++)
            assert_true(answer_next());
        acknowledger_cancel(&acknowledger);
        answer_all();
        assert_int_equal(acknowledger_ends, 1);
        assert_int_equal(acknowledged.category, FAILURE_CANCELLED);
        assert_true(fixture->mailboxes[0].may_have_open);
    }
}

#define with_mailboxes(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_mailboxes(mailboxes_that_fail_alike_close_the_gate_of_their_profile_once),
        with_mailboxes(one_mailbox_that_fails_again_and_again_is_not_the_server),
        with_mailboxes(a_success_between_shows_that_the_server_is_well),
        with_mailboxes(mailboxes_that_fail_in_different_ways_are_not_the_server),
        with_mailboxes(what_is_refused_to_mailboxes_for_good_is_not_the_server),
        with_mailboxes(cycles_from_before_the_gate_closed_do_not_open_it),
        with_mailboxes(cycles_from_before_the_gate_closed_do_not_resolve_its_failure),
        with_mailboxes(the_first_sign_in_of_a_profile_is_told_once),
        with_mailboxes(cycles_of_a_replaced_profile_tell_nothing_about_the_one_in_use),
        with_mailboxes(a_trial_that_was_cut_short_or_cancelled_makes_room_for_another),
        with_mailboxes(a_trial_that_meets_trouble_of_its_mailbox_opens_the_gate),
        with_mailboxes(a_trial_that_is_unavailable_does_not_open_the_gate),
        with_mailboxes(a_refused_sign_in_waits_a_minute_and_then_an_hour_whatever_is_configured),
        with_mailboxes(a_storage_failure_closes_before_all_and_is_said_once),
        with_mailboxes(only_a_write_opens_the_gate_of_the_storage),
        with_mailboxes(a_probe_that_fails_keeps_the_gate_of_the_storage_closed_for_longer),
        with_mailboxes(storage_trouble_of_one_mailbox_stops_only_that_mailbox),
        with_mailboxes(trouble_of_a_mailbox_is_told_once_and_its_end_once),
        with_mailboxes(after_a_long_outage_every_folder_is_looked_through_once),
        with_mailboxes(what_is_acknowledged_leaves_nothing_open),
        with_mailboxes(a_folder_that_was_created_is_told_of_once),
        with_mailboxes(a_folder_that_cannot_be_looked_up_leaves_items_to_be_acknowledged),
        with_mailboxes(a_request_that_fails_leaves_items_to_be_acknowledged),
        with_mailboxes(an_item_that_fails_for_now_is_left_to_be_acknowledged),
        with_mailboxes(cancelled_at_any_moment_it_ends_once_and_leaves_items_to_be_acknowledged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
