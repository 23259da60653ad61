/* Alerts: how they open, repeat, are raised, take each other's place, and end. */
#include "store_alerting.h"

static const struct store_mailbox NONE;

/* --- opening --- */

static struct rows_outcome read_back;

static void read_whole(void *argument, const struct failure *failure,
                       const struct store_alert_rows *alerts)
{
    const int64_t *id = argument;
    assert_null(failure);
    assert_int_equal(alerts->count, 1);
    const struct store_alert_row *row = &alerts->rows[0];
    assert_int_equal(row->id, *id);
    assert_int_equal(row->level, STORE_ALERT_ERROR);
    assert_int_equal(row->told, STORE_TOLD_BEING);
    assert_string_equal(row->told_reason, "");
    assert_string_equal(row->scope, "mailbox");
    assert_string_equal(row->profile, "p");
    assert_string_equal(row->mailbox, "a@x");
    assert_string_equal(row->direction, "incoming");
    assert_string_equal(row->category, "impersonation");
    assert_string_equal(row->code, "Denied");
    assert_string_equal(row->step, "FindItem");
    assert_string_equal(row->subject, "Gr\u00fc\u00dfe");
    assert_string_equal(row->opening, "An error occurred.");
    assert_string_equal(row->sentence, "It was refused.");
    assert_string_equal(row->remedy, "Grant it.");
    assert_string_equal(row->text, "denied");
    assert_string_equal(row->activity, "activity");
    assert_string_equal(row->trace, "line 1\nline 2\n");
    assert_int_equal(row->http_status, 200);
    assert_int_equal(row->opened_ms, NOW);
    assert_int_equal(row->last_seen_ms, NOW);
    assert_int_equal(row->resolved_ms, 0);
    assert_int_equal(row->count, 1);
    assert_false(row->absorbs);
    support_done(&read_back.outcome, failure);
}

static void an_alert_opens_with_its_failure_and_is_read_as_it_was(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct trouble trouble = trouble_of(mailbox, FAILURE_IMPERSONATION, "Denied");
    trouble.alert.subject = "Gr\u00fc\u00dfe";
    assert_int_equal(record(fixture, &trouble), STORE_ALERT_OPENED);
    assert_true(trouble.alert.id > 0);
    read_back = (struct rows_outcome){.outcome.fixture = fixture};
    store_alerts_list(fixture->store, false, 0, 10, read_whole, &trouble.alert.id);
    support_wait(&read_back.outcome);
}

static void a_failure_without_an_alert_opens_none(void **state)
{
    struct fixture *fixture = *state;
    struct trouble trouble = trouble_of(NONE, FAILURE_NETWORK, "X");
    trouble.failure.trace = NULL;
    MUST_SUCCEED(fixture,
                 store_failure_record(fixture->store, &trouble.failure, support_done, &outcome));
    assert_int_equal(list(fixture, true, 10).total, 0);
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM failure WHERE trace = ''"), 1);
}

static void a_failure_that_is_refused_opens_no_alert(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox lost = support_mailbox(fixture, "a@x");
    lost.lease++;
    struct trouble trouble = trouble_of(lost, FAILURE_NETWORK, "X");
    trouble.failure.alert = &trouble.alert;
    MUST_FAIL(fixture, "LEASE",
              store_failure_record(fixture->store, &trouble.failure, support_done, &outcome));
    assert_int_equal(list(fixture, true, 10).total, 0);
}

static void an_alert_that_repeats_keeps_its_words_and_counts(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    int64_t id = open_alert(fixture, mailbox, "X");
    struct trouble again = trouble_of(mailbox, FAILURE_IMPERSONATION, "X");
    failure_set_step(&again.failure.failure, "GetItem"); /* another failure, the same alert */
    again.failure.now_ms = NOW + 5;
    again.alert.opening = "Other words.";
    again.alert.level = STORE_ALERT_WARNING;
    assert_int_equal(record(fixture, &again), STORE_ALERT_REPEATED);
    assert_int_equal(again.alert.id, id);
    struct row row = alert_of(fixture, id);
    assert_int_equal(row.row.count, 2);
    assert_int_equal(row.row.last_seen_ms, NOW + 5);
    assert_int_equal(row.row.opened_ms, NOW);
    assert_int_equal(row.row.level, STORE_ALERT_ERROR);
    assert_string_equal(row.opening, "An error occurred.");
    assert_int_equal(look(fixture).state.untold.total, 1);
}

static void whatever_differs_opens_another(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct trouble all[8];
    for (size_t i = 0; i < 8; i++) {
        all[i] = trouble_of(mailbox, FAILURE_IMPERSONATION, "X");
        all[i].alert.level = STORE_ALERT_WARNING; /* takes nobody's place */
    }
    all[1].failure.direction = NULL;
    all[2].failure.direction = "outgoing";
    failure_set_code(&all[3].failure.failure, "Y");
    all[4].failure.failure.category = FAILURE_NETWORK;
    all[5].failure.failure.scope = FAILURE_SCOPE_ITEM;
    all[6].failure.profile = "q";
    all[7].failure.mailbox = NONE;
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(record(fixture, &all[i]), STORE_ALERT_OPENED);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(record(fixture, &all[i]), STORE_ALERT_REPEATED);
    assert_int_equal(list(fixture, false, 10).total, 8);
}

static void alerts_of_two_submissions_are_two(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct trouble trouble = trouble_of(mailbox, FAILURE_ITEM, "X");
    trouble.failure.failure.scope = FAILURE_SCOPE_ITEM;
    trouble.failure.submission = "one";
    assert_int_equal(record(fixture, &trouble), STORE_ALERT_OPENED);
    trouble.failure.submission = "two";
    assert_int_equal(record(fixture, &trouble), STORE_ALERT_OPENED);
    trouble.failure.submission = "one";
    assert_int_equal(record(fixture, &trouble), STORE_ALERT_REPEATED);
}

static void a_higher_level_raises_an_alert_and_is_told_anew(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct trouble trouble = trouble_of(mailbox, FAILURE_NETWORK, "X");
    trouble.alert.level = STORE_ALERT_WARNING;
    assert_int_equal(record(fixture, &trouble), STORE_ALERT_OPENED);
    int64_t id = trouble.alert.id;
    assert_true(tell(fixture, 1, 1));
    assert_int_equal(result(fixture, 1, 0, STORE_NOTICE_HANDED, NULL).total, 1);
    assert_int_equal(look(fixture).state.untold.total, 0);

    trouble.alert.level = STORE_ALERT_ERROR;
    trouble.alert.opening = "It is worse.";
    assert_int_equal(record(fixture, &trouble), STORE_ALERT_RAISED);
    assert_int_equal(trouble.alert.id, id);
    struct row row = alert_of(fixture, id);
    assert_int_equal(row.row.level, STORE_ALERT_ERROR);
    assert_int_equal(row.row.told, STORE_TOLD_BEING);
    assert_int_equal(row.row.count, 2);
    assert_string_equal(row.opening, "It is worse.");
    assert_int_equal(look(fixture).untold.rows[0].row.id, id);

    /* Over before anybody was told how bad it was: the owner knows of the rest. */
    assert_int_equal(resolve(fixture, mailbox, NULL).told, 1);
    assert_int_equal(told(fixture, id), STORE_TOLD_DONE);
    assert_int_equal(look(fixture).state.over.total, 1);
}

/* The message that is on its way says less than there is to be told now. */
static void a_raised_alert_is_not_told_by_the_notification_of_before(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct trouble trouble = trouble_of(mailbox, FAILURE_NETWORK, "X");
    trouble.alert.level = STORE_ALERT_WARNING;
    record(fixture, &trouble);
    assert_true(tell(fixture, 1, 1));
    trouble.alert.level = STORE_ALERT_ERROR;
    assert_int_equal(record(fixture, &trouble), STORE_ALERT_RAISED);
    assert_int_equal(result(fixture, 1, 0, STORE_NOTICE_HANDED, NULL).total, 0);
    assert_int_equal(told(fixture, trouble.alert.id), STORE_TOLD_BEING);
    assert_int_equal(look(fixture).untold.total, 1);
}

/* --- whether the owner is told --- */

static void an_alert_that_cannot_be_told_says_why_and_is_told_when_it_can(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct trouble trouble = trouble_of(mailbox, FAILURE_NETWORK, "X");
    trouble.alert.untellable = "the profile has no owner";
    assert_int_equal(record(fixture, &trouble), STORE_ALERT_OPENED);
    struct row row = alert_of(fixture, trouble.alert.id);
    assert_int_equal(row.row.told, STORE_TOLD_NOT);
    assert_string_equal(row.reason, "the profile has no owner");
    assert_int_equal(look(fixture).state.untold.total, 0);

    trouble.alert.untellable = "it has no channel";
    assert_int_equal(record(fixture, &trouble), STORE_ALERT_REPEATED);
    assert_string_equal(alert_of(fixture, trouble.alert.id).reason, "it has no channel");

    trouble.alert.untellable = NULL;
    assert_int_equal(record(fixture, &trouble), STORE_ALERT_REPEATED);
    row = alert_of(fixture, trouble.alert.id);
    assert_int_equal(row.row.told, STORE_TOLD_BEING);
    assert_string_equal(row.reason, "");
    assert_int_equal(look(fixture).state.untold.total, 1);

    trouble.alert.untellable = "the owner left";
    assert_int_equal(record(fixture, &trouble), STORE_ALERT_REPEATED);
    assert_int_equal(told(fixture, trouble.alert.id), STORE_TOLD_NOT);
    assert_int_equal(look(fixture).state.untold.total, 0);
    assert_int_equal(resolve(fixture, mailbox, NULL).told, 0);
}

static void an_alert_for_nobody_is_told_to_nobody(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct trouble trouble = trouble_of(mailbox, FAILURE_NETWORK, "X");
    trouble.alert.tell = false;
    assert_int_equal(record(fixture, &trouble), STORE_ALERT_OPENED);
    assert_int_equal(told(fixture, trouble.alert.id), STORE_TOLD_NOBODY);
    assert_int_equal(look(fixture).state.untold.total, 0);
    assert_int_equal(look(fixture).state.open_told, 0);
}

static void a_repeated_alert_that_is_in_a_notification_stays_there(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct trouble trouble = trouble_of(mailbox, FAILURE_NETWORK, "X");
    record(fixture, &trouble);
    assert_true(tell(fixture, 1, 1));
    trouble.alert.untellable = "no owner";
    assert_int_equal(record(fixture, &trouble), STORE_ALERT_REPEATED);
    assert_int_equal(told(fixture, trouble.alert.id), STORE_TOLD_BEING);
    trouble.alert.untellable = NULL;
    assert_int_equal(record(fixture, &trouble), STORE_ALERT_REPEATED);
    assert_int_equal(look(fixture).state.untold.total, 0);
    assert_int_equal(look(fixture).state.open_told, 1);
}

/* --- taking the place of others --- */

static bool is_open(struct fixture *fixture, int64_t id)
{
    return alert_of(fixture, id).row.resolved_ms == 0;
}

static void an_error_takes_the_place_of_another_of_its_mailbox_and_direction(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[2];
    register_two(fixture, two);
    struct trouble warning = trouble_of(two[0], FAILURE_NETWORK, "W");
    warning.alert.level = STORE_ALERT_WARNING;
    struct trouble sending = trouble_of(two[0], FAILURE_NETWORK, "S");
    sending.failure.direction = "outgoing";
    struct trouble item = trouble_of(two[0], FAILURE_ITEM, "I");
    item.failure.failure.scope = FAILURE_SCOPE_ITEM;
    record(fixture, &warning);
    record(fixture, &sending);
    record(fixture, &item);
    int64_t other = open_alert(fixture, two[1], "X");
    int64_t first = open_alert(fixture, two[0], "X");
    assert_true(is_open(fixture, warning.alert.id));

    int64_t second = open_alert(fixture, two[0], "Y");
    assert_false(is_open(fixture, first));
    assert_int_equal(alert_of(fixture, first).row.resolved_ms, NOW);
    assert_true(is_open(fixture, warning.alert.id));
    assert_true(is_open(fixture, sending.alert.id));
    assert_true(is_open(fixture, item.alert.id));
    assert_true(is_open(fixture, other));

    /* A warning takes nobody's place. */
    struct trouble late = trouble_of(two[0], FAILURE_NETWORK, "L");
    late.alert.level = STORE_ALERT_WARNING;
    record(fixture, &late);
    assert_true(is_open(fixture, second));
    /* Nor was anybody told of the first one. */
    assert_int_equal(told(fixture, first), STORE_TOLD_NOBODY);
    assert_int_equal(look(fixture).state.over.total, 0);
}

static void one_that_absorbs_stands_for_those_of_its_mailboxes(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[2];
    register_two(fixture, two);
    struct trouble other = trouble_of(two[1], FAILURE_NETWORK, "N");
    struct trouble of_other_profile = trouble_of(two[0], FAILURE_IMPERSONATION, "X");
    of_other_profile.failure.profile = "q";
    of_other_profile.failure.direction = "outgoing";
    int64_t first = open_alert(fixture, two[0], "X");
    record(fixture, &other);
    record(fixture, &of_other_profile);

    struct trouble most = absorbing();
    assert_int_equal(record(fixture, &most), STORE_ALERT_OPENED);
    assert_false(is_open(fixture, first));
    assert_true(is_open(fixture, other.alert.id));
    assert_true(is_open(fixture, of_other_profile.alert.id));
    assert_true(alert_of(fixture, most.alert.id).row.absorbs);
    assert_string_equal(alert_of(fixture, most.alert.id).mailbox, "");

    /* While it is open, no new ones open; what they are about is recorded all the same. */
    struct trouble covered = trouble_of(two[1], FAILURE_IMPERSONATION, "Y");
    assert_int_equal(record(fixture, &covered), STORE_ALERT_UNCHANGED);
    assert_int_equal(covered.alert.id, most.alert.id);
    assert_false(is_open(fixture, other.alert.id)); /* the error that was there before is over */
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM failure WHERE code = 'Y'"), 1);
    struct look state_now = look(fixture);
    assert_int_equal(state_now.state.untold.total, 1);
    assert_int_equal(state_now.untold.rows[0].row.id, most.alert.id);
    most.failure.now_ms = NOW + 3;
    assert_int_equal(record(fixture, &most), STORE_ALERT_REPEATED);

    struct store_resolved resolved = resolve(fixture, NONE, NULL);
    assert_int_equal(resolved.alerts, 0);
    assert_int_equal(resolved.failures, 0);
    resolved = resolve_grouped(fixture);
    assert_int_equal(resolved.failures, 1);
    assert_int_equal(resolved.alerts, 1);
    assert_int_equal(resolved.told, 1);
    assert_int_equal(resolve_grouped(fixture).alerts, 0);
    assert_int_equal(record(fixture, &covered), STORE_ALERT_OPENED);
}

static void what_was_grouped_is_over_with_the_one_that_absorbed_it(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    int64_t first = told_alert(fixture, mailbox, "X", 1);
    struct trouble most = absorbing();
    record(fixture, &most);
    assert_int_equal(look(fixture).state.over.total, 0);
    assert_true(tell(fixture, 2, 1));
    result(fixture, 2, 0, STORE_NOTICE_HANDED, NULL);
    resolve_grouped(fixture);
    struct look now = look(fixture);
    assert_int_equal(now.state.over.total, 1);
    assert_int_equal(now.over.rows[0].row.id, most.alert.id);
    assert_int_equal(told(fixture, first), STORE_TOLD_DONE);
}

/* The owner knows of the first one, and never came to know of the one that absorbed it. */
static void what_was_grouped_is_over_by_itself_when_the_other_was_never_told(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[2];
    register_two(fixture, two);
    int64_t first = told_alert(fixture, two[0], "X", 1);
    int64_t second = open_alert(fixture, two[1], "X");
    assert_true(tell(fixture, 2, 1)); /* and not handed over yet */
    struct trouble most = absorbing();
    record(fixture, &most);
    resolve_grouped(fixture);
    struct look now = look(fixture);
    assert_int_equal(now.state.over.total, 1);
    assert_int_equal(now.over.rows[0].row.id, first);
    assert_int_equal(told(fixture, most.alert.id), STORE_TOLD_NOBODY);
    result(fixture, 2, 0, STORE_NOTICE_HANDED, NULL);
    now = look(fixture);
    assert_int_equal(now.state.over.total, 2);
    assert_int_equal(now.over.rows[1].row.id, second);
}

static void what_was_grouped_is_over_by_itself_when_telling_the_other_was_given_up(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    int64_t first = told_alert(fixture, mailbox, "X", 1);
    struct trouble most = absorbing();
    record(fixture, &most);
    assert_true(tell(fixture, 2, 1));
    resolve_grouped(fixture);
    assert_int_equal(look(fixture).state.over.total, 0);
    result(fixture, 2, 0, STORE_NOTICE_DROPPED, "gone");
    struct look now = look(fixture);
    assert_int_equal(now.state.over.total, 1);
    assert_int_equal(now.over.rows[0].row.id, first);
}

/* --- resolving --- */

static void success_resolves_the_alerts_of_its_mailbox_and_direction(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[2];
    register_two(fixture, two);
    struct trouble both = trouble_of(two[0], FAILURE_NETWORK, "B");
    both.failure.direction = NULL;
    struct trouble sending = trouble_of(two[0], FAILURE_NETWORK, "S");
    sending.failure.direction = "outgoing";
    struct trouble warning = trouble_of(two[0], FAILURE_NETWORK, "W");
    warning.alert.level = STORE_ALERT_WARNING;
    warning.alert.tell = false;
    struct trouble item = trouble_of(two[0], FAILURE_ITEM, "I");
    item.failure.failure.scope = FAILURE_SCOPE_ITEM;
    item.failure.submission = "one";
    struct trouble profile = trouble_of(NONE, FAILURE_AUTHENTICATION, "HTTP 401");
    struct trouble other_profile = profile;
    other_profile.failure.profile = "q";
    int64_t of_mailbox = open_alert(fixture, two[0], "X");
    int64_t of_other = open_alert(fixture, two[1], "X");
    record(fixture, &both);
    record(fixture, &sending);
    record(fixture, &warning);
    record(fixture, &item);
    record(fixture, &profile);
    record(fixture, &other_profile);

    struct store_resolved resolved = resolve(fixture, two[0], "incoming");
    assert_int_equal(resolved.failures, 2);
    assert_int_equal(resolved.alerts, 2);
    assert_int_equal(resolved.told, 1);
    assert_false(is_open(fixture, of_mailbox));
    assert_int_equal(alert_of(fixture, of_mailbox).row.resolved_ms, NOW + 7);
    assert_false(is_open(fixture, warning.alert.id));
    resolved = resolve(fixture, two[0], NULL);
    assert_int_equal(resolved.alerts, 2);
    resolved = resolve(fixture, NONE, NULL);
    assert_int_equal(resolved.failures, 1);
    assert_int_equal(resolved.alerts, 1);
    assert_false(is_open(fixture, profile.alert.id));
    assert_true(is_open(fixture, other_profile.alert.id));
    assert_true(is_open(fixture, of_other));
    assert_true(is_open(fixture, item.alert.id));
    assert_int_equal(resolve(fixture, two[0], NULL).alerts, 0);
    assert_int_equal(open_alert(fixture, two[0], "X"), other_profile.alert.id + 1);
}

static void house_keeping_resolves_the_alerts_of_items_without_failures(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_delivery items[2] = {{.key = support_key(1, 0), .reference = "r"},
                                      {.key = support_key(2, 0), .reference = "r"}};
    struct trouble receiving = trouble_of(mailbox, FAILURE_ITEM, "X");
    receiving.failure.failure.scope = FAILURE_SCOPE_ITEM;
    struct trouble sending = receiving;
    sending.failure.direction = "outgoing";
    sending.failure.submission = "00000000-0000-4000-8000-000000000001";
    receiving.failure.item = &items[0];
    assert_int_equal(record(fixture, &receiving), STORE_ALERT_OPENED);
    receiving.failure.item = &items[1];
    assert_int_equal(record(fixture, &receiving), STORE_ALERT_REPEATED);
    record(fixture, &sending);
    int64_t of_mailbox = open_alert(fixture, mailbox, "M");
    struct store_submission submission = {.id = "00000000-0000-4000-8000-000000000001"};
    MUST_SUCCEED(fixture, store_submission_add(fixture->store, mailbox, &submission, NOW,
                                               support_done, &outcome));

    MUST_SUCCEED(fixture, store_ledger_gone(fixture->store, mailbox, &items[0].key.item, 1, NOW,
                                            support_done, &outcome));
    prune(fixture, 0, 0);
    assert_true(is_open(fixture, receiving.alert.id));
    MUST_SUCCEED(fixture, store_ledger_gone(fixture->store, mailbox, &items[1].key.item, 1, NOW,
                                            support_done, &outcome));
    prune(fixture, 0, 0);
    assert_false(is_open(fixture, receiving.alert.id));
    assert_true(is_open(fixture, sending.alert.id));

    struct store_submission_change sent = {.id = submission.id, .state = STORE_SUBMISSION_SENT};
    MUST_SUCCEED(fixture, store_submissions_change(fixture->store, mailbox, &sent, 1, NOW,
                                                   support_done, &outcome));
    prune(fixture, 0, 0);
    assert_false(is_open(fixture, sending.alert.id));
    assert_true(is_open(fixture, of_mailbox));
}

static void a_submission_that_was_sent_ends_its_own_alert_only(void **state)
{
    struct fixture *fixture = *state;
    static const char *const ids[] = {"one", "two"};
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    int64_t alerts[2];
    for (size_t i = 0; i < 2; i++) {
        struct store_submission submission = {0};
        struct trouble trouble = trouble_of(mailbox, FAILURE_ITEM, "X");
        snprintf(submission.id, sizeof submission.id, "%s", ids[i]);
        MUST_SUCCEED(fixture, store_submission_add(fixture->store, mailbox, &submission, NOW,
                                                   support_done, &outcome));
        trouble.failure.failure.scope = FAILURE_SCOPE_ITEM;
        trouble.failure.submission = ids[i];
        assert_int_equal(record(fixture, &trouble), STORE_ALERT_OPENED);
        alerts[i] = trouble.alert.id;
    }
    struct store_submission_change sent = {.id = ids[0], .state = STORE_SUBMISSION_SENT};
    MUST_SUCCEED(fixture, store_submissions_change(fixture->store, mailbox, &sent, 1, NOW,
                                                   support_done, &outcome));
    prune(fixture, 0, 0);
    assert_false(is_open(fixture, alerts[0]));
    assert_true(is_open(fixture, alerts[1]));
}

/* --- reading --- */

static void the_newest_are_listed_first_and_so_many_at_most(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[2];
    register_two(fixture, two);
    int64_t first = open_alert(fixture, two[0], "X");
    int64_t second = open_alert(fixture, two[1], "X");
    int64_t third = open_alert(fixture, two[0], "Y");
    struct rows rows = list(fixture, false, 10);
    assert_int_equal(rows.count, 2);
    assert_int_equal(rows.rows[0].row.id, third);
    assert_int_equal(rows.rows[1].row.id, second);
    rows = list(fixture, true, 10);
    assert_int_equal(rows.count, 3);
    assert_int_equal(rows.rows[2].row.id, first);
    rows = list(fixture, true, 1);
    assert_int_equal(rows.count, 1);
    assert_int_equal(rows.total, 3);
    rows = list(fixture, false, 1);
    assert_int_equal(rows.rows[0].row.id, third);
    assert_int_equal(rows.total, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_setup, support_teardown)
        TEST(an_alert_opens_with_its_failure_and_is_read_as_it_was),
        TEST(a_failure_without_an_alert_opens_none),
        TEST(a_failure_that_is_refused_opens_no_alert),
        TEST(an_alert_that_repeats_keeps_its_words_and_counts),
        TEST(whatever_differs_opens_another),
        TEST(alerts_of_two_submissions_are_two),
        TEST(a_higher_level_raises_an_alert_and_is_told_anew),
        TEST(a_raised_alert_is_not_told_by_the_notification_of_before),
        TEST(an_alert_that_cannot_be_told_says_why_and_is_told_when_it_can),
        TEST(an_alert_for_nobody_is_told_to_nobody),
        TEST(a_repeated_alert_that_is_in_a_notification_stays_there),
        TEST(an_error_takes_the_place_of_another_of_its_mailbox_and_direction),
        TEST(one_that_absorbs_stands_for_those_of_its_mailboxes),
        TEST(what_was_grouped_is_over_with_the_one_that_absorbed_it),
        TEST(what_was_grouped_is_over_by_itself_when_the_other_was_never_told),
        TEST(what_was_grouped_is_over_by_itself_when_telling_the_other_was_given_up),
        TEST(success_resolves_the_alerts_of_its_mailbox_and_direction),
        TEST(house_keeping_resolves_the_alerts_of_items_without_failures),
        TEST(a_submission_that_was_sent_ends_its_own_alert_only),
        TEST(the_newest_are_listed_first_and_so_many_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
