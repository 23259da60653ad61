/* Refused sign-ins: how many a wrong password costs, whatever is reloaded and restarted meanwhile.
 */
#include "daemon_stop_world.h"

static const int64_t BEGIN_MS = 1795705200000;

static void note_loaded(void *argument, const struct failure *failure)
{
    bool *done = argument;
    assert_null(failure);
    *done = true;
}

/* The process ends, and another begins with what is on disk. */
static void restart(struct fixture *fixture)
{
    answer_all();
    sign_ins_free(fixture->context.sign_ins);
    fixture->context.sign_ins = sign_ins_create(NULL, "instance");
    bool done = false;
    sign_ins_load(fixture->context.sign_ins, note_loaded, &done);
    answer_all();
    assert_true(done);
}

static void change_password(struct fixture *fixture, const char *password)
{
    secret_free(fixture->profile_config.password);
    fixture->profile_config.password =
        password == NULL ? NULL : secret_create(password, strlen(password));
}

static uint64_t recalled_wait(struct fixture *fixture, int64_t now_ms)
{
    const struct store_sign_in sign_in =
        sign_ins_recall(fixture->context.sign_ins, &fixture->profile_config);
    return sign_in_wait(&sign_in, now_ms);
}

static uint64_t refuse(struct fixture *fixture, int64_t now_ms)
{
    return sign_ins_refused(fixture->context.sign_ins, &fixture->profile_config, now_ms);
}

/* --- what is remembered --- */

static void the_second_try_comes_after_a_minute_and_each_later_one_after_an_hour(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(recalled_wait(fixture, BEGIN_MS), 0);
    assert_int_equal(refuse(fixture, BEGIN_MS), MINUTE_MS);
    assert_int_equal(recalled_wait(fixture, BEGIN_MS + 20000), 40000);
    assert_int_equal(recalled_wait(fixture, BEGIN_MS + 2 * MINUTE_MS), 0);
    for (int hour = 0; hour < 3; hour++)
        assert_int_equal(refuse(fixture, BEGIN_MS + hour * HOUR_MS), HOUR_MS);
}

static void a_restart_and_a_reload_forget_nothing(void **state)
{
    struct fixture *fixture = *state;
    refuse(fixture, BEGIN_MS);
    restart(fixture);
    assert_int_equal(recalled_wait(fixture, BEGIN_MS + 10000), 50000);
    assert_int_equal(refuse(fixture, BEGIN_MS + MINUTE_MS), HOUR_MS);
    restart(fixture);
    restart(fixture);
    assert_int_equal(recalled_wait(fixture, BEGIN_MS + 2 * MINUTE_MS), 59 * MINUTE_MS);
    change_password(fixture, "right"); /* read again, and the same */
    assert_int_equal(recalled_wait(fixture, BEGIN_MS + 2 * MINUTE_MS), 59 * MINUTE_MS);
    assert_int_equal(kept.sign_in.refused, 2);
}

static void a_clock_that_is_set_back_makes_nobody_wait_for_longer(void **state)
{
    struct fixture *fixture = *state;
    refuse(fixture, BEGIN_MS);
    refuse(fixture, BEGIN_MS);
    assert_int_equal(recalled_wait(fixture, BEGIN_MS - 24 * (int64_t)HOUR_MS), HOUR_MS);
}

static void what_has_changed_is_tried_at_once(void **state)
{
    struct fixture *fixture = *state;
    const struct config_profile before = fixture->profile_config;
    for (int change = 0; change < 4; change++) {
        refuse(fixture, BEGIN_MS);
        refuse(fixture, BEGIN_MS);
        assert_int_equal(recalled_wait(fixture, BEGIN_MS), HOUR_MS);
        if (change == 0)
            change_password(fixture, "another");
        else if (change == 1)
            fixture->profile_config.url = "https://exchange.contoso.com/EWS/Exchange.asmx";
        else if (change == 2)
            fixture->profile_config.username = "svc-sync2";
        else
            fixture->profile_config.auth = CONFIG_AUTH_BASIC;
        assert_int_equal(recalled_wait(fixture, BEGIN_MS), 0);
        assert_int_equal(kept.sign_in.refused, 0); /* in the store, too */
        assert_int_equal(refuse(fixture, BEGIN_MS), MINUTE_MS);
        sign_ins_accepted(fixture->context.sign_ins, &fixture->profile_config);
        fixture->profile_config.url = before.url;
        fixture->profile_config.username = before.username;
        fixture->profile_config.auth = before.auth;
    }
}

static void what_does_not_reach_the_server_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    refuse(fixture, BEGIN_MS);
    fixture->profile_config.poll_interval_ms *= 2;
    fixture->profile_config.max_connections = 3;
    fixture->profile_config.owner = "admin@contoso.com";
    assert_int_equal(recalled_wait(fixture, BEGIN_MS), MINUTE_MS);
}

static void a_success_is_written_only_when_there_was_something_to_forget(void **state)
{
    struct fixture *fixture = *state;
    sign_ins_accepted(fixture->context.sign_ins, &fixture->profile_config);
    assert_int_equal(kept.writes, 0);
    refuse(fixture, BEGIN_MS);
    sign_ins_accepted(fixture->context.sign_ins, &fixture->profile_config);
    sign_ins_accepted(fixture->context.sign_ins, &fixture->profile_config);
    assert_int_equal(kept.writes, 2);
    assert_int_equal(kept.sign_in.refused, 0);
}

/* Somebody may have renewed it, and trying it locks nobody out. */
static void a_ticket_without_a_password_is_tried_at_each_start(void **state)
{
    struct fixture *fixture = *state;
    change_password(fixture, NULL);
    refuse(fixture, BEGIN_MS);
    assert_int_equal(refuse(fixture, BEGIN_MS + MINUTE_MS), HOUR_MS);
    restart(fixture);
    assert_int_equal(recalled_wait(fixture, BEGIN_MS + 2 * MINUTE_MS), 0);
}

/* 16 bits, and another salt makes others of the same password. */
static void the_mark_gives_no_password_away(void **state)
{
    struct fixture *fixture = *state;
    uint32_t marks[2];
    for (int i = 0; i < 2; i++) {
        struct sign_ins *sign_ins = sign_ins_create(NULL, i == 0 ? "instance" : "another");
        sign_ins_refused(sign_ins, &fixture->profile_config, BEGIN_MS);
        marks[i] = kept.sign_in.mark;
        assert_true(marks[i] <= UINT16_MAX);
        answer_all();
        sign_ins_free(sign_ins);
    }
    assert_int_not_equal(marks[0], marks[1]);
}

static void nobody_signs_in_before_the_refusal_is_on_disk(void **state)
{
    struct fixture *fixture = *state;
    struct sign_ins *sign_ins = fixture->context.sign_ins;
    assert_true(sign_ins_written(sign_ins, &fixture->profile_config));
    kept.write_failure =
        (struct failure){.category = FAILURE_STORAGE, .scope = FAILURE_SCOPE_SERVER};
    refuse(fixture, BEGIN_MS);
    assert_false(sign_ins_written(sign_ins, &fixture->profile_config));
    answer_all(); /* the disk is full */
    for (unsigned again = 1; again <= 3; again++) {
        assert_false(sign_ins_written(sign_ins, &fixture->profile_config));
        answer_all();
        assert_int_equal(kept.writes, 1 + again);
    }
    memset(&kept.write_failure, 0, sizeof kept.write_failure);
    assert_false(sign_ins_written(sign_ins, &fixture->profile_config));
    answer_all();
    assert_true(sign_ins_written(sign_ins, &fixture->profile_config));
    assert_int_equal(kept.sign_in.refused, 1);
}

/* Two days of a wrong password, with reloads and restarts at random moments; the clock is ours. */
static void a_wrong_password_costs_two_sign_ins_an_hour_at_most(void **state)
{
    struct fixture *fixture = *state;
    enum { TRIES_MAX = 100, STEP_MS = 10000 };
    int64_t tries[TRIES_MAX];
    int count = 0;
    int64_t due = BEGIN_MS;
    unsigned chance = 1;
    for (int64_t now = BEGIN_MS; now < BEGIN_MS + 48 * (int64_t)HOUR_MS; now += STEP_MS) {
        chance = chance * 1103515245 + 12345;
        bool starts_anew = (chance >> 16) % 40 == 0;
        if (starts_anew && (chance >> 24) % 2 == 0)
            restart(fixture);
        if (starts_anew)
            due = now + (int64_t)recalled_wait(fixture, now);
        if (now < due)
            continue;
        assert_true(count < TRIES_MAX);
        tries[count++] = now;
        due = now + (int64_t)refuse(fixture, now);
        answer_all();
    }
    assert_in_range(count, 48, 50);
    for (int i = 2; i < count; i++)
        assert_true(tries[i] - tries[i - 2] >= HOUR_MS);
}

/* --- the gate --- */

static uint64_t gate_wait(const struct fixture *fixture)
{
    assert_int_equal(fixture->profile.gate.state, GATE_CLOSED);
    return fixture->profile.gate.timer.entry.key - executor_now(fixture->executor);
}

static void ten_refusals_at_once_are_one_try(void **state)
{
    struct fixture *fixture = *state;
    struct cycle cycles[10];
    for (int i = 0; i < 10; i++) {
        struct mailbox *mailbox = &fixture->mailboxes[i];
        mailbox->incoming.gate_generation = gate_enter(&fixture->profile.gate);
        cycles[i] = (struct cycle){.context = &fixture->context,
                                   .mailbox = mailbox,
                                   .profile = &fixture->profile,
                                   .failure = refused_sign_in};
    }
    for (int i = 0; i < 10; i++)
        outcome_settle(&fixture->scheduler, &fixture->mailboxes[i].incoming, &cycles[i]);
    answer_all();
    assert_int_equal(kept.sign_in.refused, 1);
    assert_int_equal(kept.recorded, 1);
    assert_int_equal(gate_wait(fixture), MINUTE_MS);
}

static void a_profile_that_begins_with_a_refused_password_waits_for_its_turn(void **state)
{
    struct fixture *fixture = *state;
    outcome_profile_begins(&fixture->profile);
    assert_int_equal(fixture->profile.gate.state, GATE_OPEN);
    for (int i = 0; i < 2; i++) {
        run_cycle(fixture, &fixture->mailboxes[0].incoming, &refused_sign_in);
        gate_try_now(&fixture->profile.gate);
    }
    assert_int_equal(kept.sign_in.refused, 2);
    run_cycle(fixture, &fixture->mailboxes[0].incoming, NULL);
    assert_int_equal(kept.sign_in.refused, 0);

    run_cycle(fixture, &fixture->mailboxes[0].incoming, &refused_sign_in);
    restart(fixture);
    gate_release(&fixture->profile.gate);
    gate_init(&fixture->profile.gate, fixture->executor, note_trying, fixture);
    outcome_profile_begins(&fixture->profile);
    assert_in_range(gate_wait(fixture), MINUTE_MS - 5000, MINUTE_MS);
    assert_int_equal(fixture->profile.gate.failure.category, FAILURE_AUTHENTICATION);
    gate_try_now(&fixture->profile.gate);
    run_cycle(fixture, &fixture->mailboxes[0].incoming, &refused_sign_in);
    assert_int_equal(gate_wait(fixture), HOUR_MS);
}

static void a_try_that_was_due_while_nothing_ran_is_one_try(void **state)
{
    struct fixture *fixture = *state;
    refuse(fixture, BEGIN_MS - HOUR_MS);
    restart(fixture);
    outcome_profile_begins(&fixture->profile); /* long after */
    assert_int_equal(gate_wait(fixture), 0);
    assert_false(gate_admits(&fixture->profile.gate));
    gate_try_now(&fixture->profile.gate);
    assert_true(gate_admits(&fixture->profile.gate));
    gate_enter(&fixture->profile.gate);
    assert_false(gate_admits(&fixture->profile.gate));
}

static void what_a_replaced_profile_is_refused_says_nothing_about_the_new_password(void **state)
{
    struct fixture *fixture = *state;
    fixture->profile.current = false;
    run_cycle(fixture, &fixture->mailboxes[0].incoming, &refused_sign_in);
    assert_int_equal(fixture->profile.gate.state, GATE_CLOSED);
    assert_int_equal(kept.writes, 0);
}

static void cycles_from_before_the_refusal_do_not_forget_it(void **state)
{
    struct fixture *fixture = *state;
    struct direction *early = &fixture->mailboxes[1].incoming;
    struct cycle cycle = {
        .context = &fixture->context, .mailbox = early->mailbox, .profile = &fixture->profile};
    early->gate_generation = gate_enter(&fixture->profile.gate);
    run_cycle(fixture, &fixture->mailboxes[0].incoming, &refused_sign_in);
    outcome_settle(&fixture->scheduler, early, &cycle);
    answer_all();
    assert_int_equal(kept.sign_in.refused, 1);
}

static void stop_trying(void *argument)
{
    struct fixture *fixture = argument;
    gate_wait_more(&fixture->profile.gate, HOUR_MS);
}

static void a_gate_may_find_that_it_is_not_time_yet(void **state)
{
    struct fixture *fixture = *state;
    struct gate *gate = &fixture->profile.gate;
    gate_release(gate);
    gate_init(gate, fixture->executor, stop_trying, fixture);
    assert_true(gate_close(gate, gate_enter(gate), &refused_sign_in, 0));
    gate_try_now(gate);
    assert_int_equal(gate_wait(fixture), HOUR_MS);
    assert_false(gate_admits(gate));
    assert_int_equal(gate->failures, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_mailboxes(the_second_try_comes_after_a_minute_and_each_later_one_after_an_hour),
        with_mailboxes(a_restart_and_a_reload_forget_nothing),
        with_mailboxes(a_clock_that_is_set_back_makes_nobody_wait_for_longer),
        with_mailboxes(what_has_changed_is_tried_at_once),
        with_mailboxes(what_does_not_reach_the_server_changes_nothing),
        with_mailboxes(a_success_is_written_only_when_there_was_something_to_forget),
        with_mailboxes(a_ticket_without_a_password_is_tried_at_each_start),
        with_mailboxes(the_mark_gives_no_password_away),
        with_mailboxes(nobody_signs_in_before_the_refusal_is_on_disk),
        with_mailboxes(a_wrong_password_costs_two_sign_ins_an_hour_at_most),
        with_mailboxes(ten_refusals_at_once_are_one_try),
        with_mailboxes(a_profile_that_begins_with_a_refused_password_waits_for_its_turn),
        with_mailboxes(a_try_that_was_due_while_nothing_ran_is_one_try),
        with_mailboxes(what_a_replaced_profile_is_refused_says_nothing_about_the_new_password),
        with_mailboxes(cycles_from_before_the_refusal_do_not_forget_it),
        with_mailboxes(a_gate_may_find_that_it_is_not_time_yet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
