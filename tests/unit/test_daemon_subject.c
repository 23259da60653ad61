/* Which message was being sent when the outgoing cycle was refused: the one that an alert names. */
#include "daemon_send_mailbox.h"

static void create_three(void)
{
    static const char *const subjects[] = {"first", "second", "third"};
    fixture_create(3);
    for (int i = 0; i < 3; i++)
        world.messages[i].row.subject = subjects[i];
}

/* A cycle that fails; what it says of the message, and where it was. */
static void assert_refused(const char *subject, const char *at)
{
    cycle_begin();
    while (answer_next())
        world.answers++;
    assert_true(failure_is_set(&fixture.ended->failure));
    assert_string_equal(fixture.ended->subject, subject);
    assert_string_equal(fixture.ended->at, at);
    cycle_close();
}

static void a_request_that_is_refused_names_its_first_message(void **state)
{
    (void)state;
    create_three();
    fault_at(1, FAULT_REFUSED);
    assert_refused("first", "sending the message");
    run();
    fixture_free();
}

static void what_was_sent_before_is_not_named(void **state)
{
    (void)state;
    create_three();
    fixture.profile_config.batch_size = 1;
    fault_at(4, FAULT_REFUSED); /* the second is sent */
    assert_refused("second", "sending the message");
    run();
    fixture_free();
}

static void an_answer_for_one_message_names_that_one(void **state)
{
    (void)state;
    create_three();
    world.messages[0].treatment = TREAT_NO_DRAFT;
    fault_at(2, FAULT_FIRST_WHOLE); /* sending: the second is the first of that request */
    assert_refused("second", "sending the message");
    run();
    fixture_free();
}

static void a_doubt_that_cannot_be_settled_names_the_first_that_was_due(void **state)
{
    (void)state;
    create_three();
    fault_at(1, FAULT_LOST_BEFORE);
    wait_until(cycle_run());
    fault_at(world.requests + 1, FAULT_REFUSED);
    assert_refused("first", "finding out what became of messages in doubt");
    run();
    fixture_free();
}

static void a_cycle_with_nothing_to_send_names_none(void **state)
{
    (void)state;
    fixture_create(0);
    cycle_begin();
    while (answer_next())
        world.answers++;
    assert_null(fixture.ended->subject);
    cycle_close();
    fixture_free();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_that_is_refused_names_its_first_message),
        cmocka_unit_test(what_was_sent_before_is_not_named),
        cmocka_unit_test(an_answer_for_one_message_names_that_one),
        cmocka_unit_test(a_doubt_that_cannot_be_settled_names_the_first_that_was_due),
        cmocka_unit_test(a_cycle_with_nothing_to_send_names_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
