/* What is done to items after they were delivered, and what is left to be done. */
#include "daemon_outcome_world.h"

#include "daemon/acknowledge.h"

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

static int set_up_server(void **state)
{
    memset(&server, 0, sizeof server);
    return set_up(state);
}

#define with_server(test) cmocka_unit_test_setup_teardown(test, set_up_server, tear_down)

/* --- acknowledging --- */

static struct cycle cycle;
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
    cycle = cycle_of(fixture, 0);
    fixture->mailboxes[0].may_have_open = false;
    acknowledger_ends = 0;
    *made = (struct acknowledger){
        .cycle = &cycle, .references = {"one", "two"}, .count = 2, .done = note_acknowledged};
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_server(what_is_acknowledged_leaves_nothing_open),
        with_server(a_folder_that_was_created_is_told_of_once),
        with_server(a_folder_that_cannot_be_looked_up_leaves_items_to_be_acknowledged),
        with_server(a_request_that_fails_leaves_items_to_be_acknowledged),
        with_server(an_item_that_fails_for_now_is_left_to_be_acknowledged),
        with_server(cancelled_at_any_moment_it_ends_once_and_leaves_items_to_be_acknowledged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
