/* What follows from the end of a cycle for this machine's storage. */
#include "daemon_outcome_world.h"

static const struct failure full = {
    .category = FAILURE_STORAGE,
    .scope = FAILURE_SCOPE_SERVER,
    .code = "SQLITE_FULL",
};

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_mailboxes(a_storage_failure_closes_before_all_and_is_said_once),
        with_mailboxes(only_a_write_opens_the_gate_of_the_storage),
        with_mailboxes(a_probe_that_fails_keeps_the_gate_of_the_storage_closed_for_longer),
        with_mailboxes(storage_trouble_of_one_mailbox_stops_only_that_mailbox),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
