/* The outgoing cycle when something goes wrong at any moment: a request, an answer, a write, the
 * process itself. Whatever it is, each message is sent once, nothing is left in Drafts, and it
 * comes to an end. */
#include "daemon_send_mailbox.h"

/* --- what there is to send, and through what kind of server --- */

struct scene {
    const char *name;
    int count;
    void (*prepare)(void);
};

static void prepare_plain(void)
{
    fixture.profile_config.batch_size = 2;
}

static void prepare_slow_transport(void)
{
    fixture.profile_config.batch_size = 2;
    world.transport_ms = 5000;
}

static void prepare_vanishing_copies(void)
{
    world.transport_ms = 5000;
    world.copies_vanish = true;
}

/* Among those that go well, in one batch with them. */
static void prepare_trouble(void)
{
    world.messages[1].treatment = TREAT_NO_SENDING;
    world.messages[2].treatment = TREAT_NO_DRAFT;
    world.messages[4].treatment = TREAT_POISON;
    world.messages[5].treatment = TREAT_POISON_DRAFT;
}

static void prepare_no_drafts(void)
{
    fixture.profile_config.batch_size = 2;
    world.cannot_send = true;
}

static void prepare_direct(void)
{
    fixture.profile_config.batch_size = 2;
    fixture.profile_config.send_method = CONFIG_SEND_DIRECT;
}

static void prepare_direct_slow(void)
{
    fixture.profile_config.send_method = CONFIG_SEND_DIRECT;
    world.transport_ms = 5000;
}

static const struct scene scenes[] = {
    {"plain", 3, prepare_plain},
    {"slow transport", 3, prepare_slow_transport},
    {"vanishing copies", 2, prepare_vanishing_copies},
    {"trouble", 7, prepare_trouble},
    {"no drafts", 3, prepare_no_drafts},
    {"direct", 3, prepare_direct},
    {"direct, slow", 2, prepare_direct_slow},
};

enum { SCENES = sizeof scenes / sizeof *scenes };

static bool is_direct(void)
{
    return profile_sends_directly(&fixture.profile);
}

static void set_the_scene(const struct scene *scene)
{
    fixture_create(scene->count);
    scene->prepare();
}

/* --- what must hold in the end --- */

static const char *complaint(int number)
{
    const struct message *message = &world.messages[number];
    bool refused = message->treatment != TREAT_WELL;
    bool failed = message->row.state == STORE_SUBMISSION_FAILED;
    if (message->sent > 1)
        return "was sent twice";
    if (refused && message->sent > 0)
        return "was refused and sent";
    if (refused && !failed)
        return "was refused and is not failed";
    if (!refused && failed && !is_direct())
        return "was given up";
    if (failed && message->sent > 0)
        return "was sent and is failed";
    if (!failed && message->sent == 0)
        return "was never sent";
    if (failed && (!message->failed_file || message->told == 0 || message->recorded == 0))
        return "failed, and nobody was told";
    if (message->queued_file)
        return "has its file left in the queue";
    if (draft_count(number) > 0)
        return "has a draft left";
    return NULL;
}

static void check(const char *what, const char *scene, unsigned at, unsigned kind)
{
    for (int i = 0; i < world.count; i++) {
        const char *words = complaint(i);
        if (words != NULL)
            fail_msg("%s: %s %u at %u: message %d %s", scene, what, kind, at, i, words);
    }
}

/* --- every point --- */

static void nothing_goes_wrong(void **state)
{
    (void)state;
    for (int i = 0; i < SCENES; i++) {
        set_the_scene(&scenes[i]);
        run();
        check("nothing", scenes[i].name, 0, 0);
        assert_in_order();
        for (int number = 0; number < world.count; number++)
            assert_in_range(world.messages[number].told, 0, 1);
        fixture_free();
    }
}

/* Somebody who removes the copies, and a request that arrives after it was looked for, leave
 * nothing from which to tell that a message was sent. */
static bool cannot_be_told(enum fault fault)
{
    return world.copies_vanish && fault == FAULT_LOST_LATE;
}

static void a_fault_of_any_request_sends_each_message_once(void **state)
{
    (void)state;
    for (int i = 0; i < SCENES; i++) {
        for (enum fault fault = FAULT_NONE + 1; fault < FAULTS; fault++) {
            bool met = true;
            for (unsigned at = 1; met; at++) {
                set_the_scene(&scenes[i]);
                fault_at(at, fault);
                if (!cannot_be_told(fault)) {
                    run();
                    check("fault", scenes[i].name, at, fault);
                }
                met = world.requests >= at;
                fixture_free();
            }
        }
    }
}

/* The second follows soon: it hits what the first has led to. */
static void two_faults_send_each_message_once(void **state)
{
    (void)state;
    enum { FIRST_MAX = 8, BETWEEN_MAX = 3 };
    for (int i = 0; i < SCENES; i++) {
        for (unsigned pair = 0; pair < FAULTS * FAULTS; pair++) {
            enum fault first = pair / FAULTS, second = pair % FAULTS;
            bool met = first != FAULT_NONE && second != FAULT_NONE;
            for (unsigned at = 1; met && at <= FIRST_MAX; at++) {
                for (unsigned between = 1; between <= BETWEEN_MAX; between++) {
                    set_the_scene(&scenes[i]);
                    fault_at(at, first);
                    world.second_fault_at = at + between;
                    world.second_fault = second;
                    if (!cannot_be_told(first) && !cannot_be_told(second)) {
                        run();
                        check("two faults", scenes[i].name, at, pair * 10 + between);
                    }
                    met = world.requests >= at;
                    fixture_free();
                }
            }
        }
    }
}

static void an_interruption_at_any_answer_sends_each_message_once(void **state)
{
    (void)state;
    for (int i = 0; i < SCENES; i++) {
        for (enum interruption how = INTERRUPT_CANCEL; how < INTERRUPTIONS; how++) {
            bool met = true;
            for (unsigned at = 0; met; at++) {
                set_the_scene(&scenes[i]);
                met = cycle_interrupted(at, how);
                run();
                check("interruption", scenes[i].name, at, how);
                if (world.transport_ms == 0 && !is_direct())
                    assert_in_order();
                fixture_free();
            }
        }
    }
}

/* A kill in the cycle that settles what the first kill has left. The many steps of the scene with
 * trouble are taken in strides. */
static void two_interruptions_send_each_message_once(void **state)
{
    (void)state;
    for (int i = 0; i < SCENES; i++) {
        unsigned stride = scenes[i].prepare == prepare_trouble ? 7 : 1;
        for (enum interruption how = INTERRUPT_CANCEL; how < INTERRUPTIONS; how++) {
            bool met = true;
            for (unsigned at = 0; met; at++) {
                bool again = true;
                for (unsigned then = at % stride; again; then += stride) {
                    set_the_scene(&scenes[i]);
                    met = cycle_interrupted(at, how);
                    wait_until(world.now_ms + RETRY_MIN_MS);
                    again = cycle_interrupted(then, how);
                    run();
                    check("two interruptions", scenes[i].name, at * 1000 + then, how);
                    fixture_free();
                }
            }
        }
    }
}

static void a_write_that_fails_sends_each_message_once(void **state)
{
    (void)state;
    for (int i = 0; i < SCENES; i++) {
        bool met = true;
        for (unsigned at = 1; met; at++) {
            set_the_scene(&scenes[i]);
            world.write_fault_at = at;
            run();
            check("write", scenes[i].name, at, 0);
            met = world.writes >= at;
            fixture_free();
        }
    }
}

static void a_disk_that_fails_while_a_file_is_put_aside_loses_nothing(void **state)
{
    (void)state;
    bool met = true;
    for (unsigned at = 1; met; at++) {
        set_the_scene(&scenes[3]);
        world.refusal_fault_at = at;
        run();
        check("disk", scenes[3].name, at, 0);
        met = world.refusals >= at;
        fixture_free();
    }
}

/* A kill, and then a server that answers badly while it is settled. */
static void a_kill_and_then_a_fault_send_each_message_once(void **state)
{
    (void)state;
    for (int i = 0; i < SCENES; i++) {
        for (enum fault fault = FAULT_NONE + 1; fault < FAULTS; fault++) {
            bool met = true;
            for (unsigned at = 0; met; at++) {
                for (unsigned after = 1; after <= 3; after++) {
                    set_the_scene(&scenes[i]);
                    met = cycle_interrupted(at, INTERRUPT_KILL_ARRIVED);
                    fault_at(world.requests + after, fault);
                    if (!cannot_be_told(fault)) {
                        run();
                        check("kill and fault", scenes[i].name, at * 10 + after, fault);
                    }
                    fixture_free();
                }
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_goes_wrong),
        cmocka_unit_test(a_fault_of_any_request_sends_each_message_once),
        cmocka_unit_test(two_faults_send_each_message_once),
        cmocka_unit_test(an_interruption_at_any_answer_sends_each_message_once),
        cmocka_unit_test(two_interruptions_send_each_message_once),
        cmocka_unit_test(a_write_that_fails_sends_each_message_once),
        cmocka_unit_test(a_disk_that_fails_while_a_file_is_put_aside_loses_nothing),
        cmocka_unit_test(a_kill_and_then_a_fault_send_each_message_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
