/* Alerts: what becomes of them when mailboxes and profiles leave, how long they are kept, and that
 * they last. */
#include "store_alerting.h"

#include "base/clock.h"
#include "base/random.h"

#include <signal.h>
#include <sys/wait.h>

static const struct store_mailbox NONE;

static int64_t count(struct fixture *fixture, const char *what)
{
    char sql[300];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", what);
    return support_number(fixture, sql);
}

/* --- what leaves the configuration --- */

static void what_went_wrong_with_a_removed_mailbox_is_over(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[2];
    register_two(fixture, two);
    struct trouble item = trouble_of(two[0], FAILURE_ITEM, "I");
    item.failure.failure.scope = FAILURE_SCOPE_ITEM;
    item.failure.submission = "one";
    int64_t known = told_alert(fixture, two[0], "X", 1);
    record(fixture, &item);
    int64_t other = open_alert(fixture, two[1], "X");
    struct store_registration stays = {.address = "b@x", .profile = "p"};
    register_all(fixture, &stays, 1);
    assert_int_equal(count(fixture, "failure WHERE resolved_at = 1700000000009"), 2);
    assert_int_equal(count(fixture, "failure WHERE resolved_at IS NULL"), 1);
    assert_int_equal(alert_of(fixture, known).row.resolved_ms, NOW + 9);
    assert_string_equal(alert_of(fixture, known).mailbox, "a@x");
    assert_int_equal(list(fixture, false, 10).total, 1);
    assert_int_equal(list(fixture, false, 10).rows[0].row.id, other);
    struct look now = look(fixture);
    assert_int_equal(now.over.total, 1);
    assert_int_equal(now.over.rows[0].row.id, known);
    assert_int_equal(now.untold.total, 1);
}

static void what_a_removed_mailbox_s_last_cycle_meets_is_not_kept(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[2];
    register_two(fixture, two);
    struct store_registration stays = {.address = "b@x", .profile = "p"};
    register_all(fixture, &stays, 1);
    struct trouble last = trouble_of(two[0], FAILURE_IMPERSONATION, "X");
    last.alert.tell = true;
    assert_int_equal(record(fixture, &last), STORE_ALERT_UNCHANGED);
    assert_int_equal(last.alert.id, 0);
    assert_int_equal(count(fixture, "failure"), 0);
    assert_int_equal(count(fixture, "alert"), 0);
    struct store_registration back[] = {{.address = "a@x", .profile = "p"},
                                        {.address = "b@x", .profile = "p"}};
    register_all(fixture, back, 2);
    assert_int_equal(record(fixture, &last), STORE_ALERT_OPENED);
}

static void what_went_wrong_with_a_direction_that_is_off_is_over(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[2];
    register_two(fixture, two);
    struct trouble incoming = trouble_of(two[0], FAILURE_IMPERSONATION, "X");
    struct trouble outgoing = incoming;
    outgoing.failure.direction = "outgoing";
    record(fixture, &incoming);
    record(fixture, &outgoing);
    int64_t other = open_alert(fixture, two[1], "X");
    struct store_registration off[] = {
        {.address = "a@x", .profile = "p", .incoming_off = true},
        {.address = "b@x", .profile = "p", .outgoing_off = true},
    };
    register_all(fixture, off, 2);
    assert_int_equal(alert_of(fixture, incoming.alert.id).row.resolved_ms, NOW + 9);
    assert_int_equal(alert_of(fixture, outgoing.alert.id).row.resolved_ms, 0);
    assert_int_equal(alert_of(fixture, other).row.resolved_ms, 0);
    assert_int_equal(count(fixture, "failure WHERE resolved_at IS NULL"), 2);
}

static void nobody_is_told_of_a_profile_that_has_left(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[2];
    register_two(fixture, two);
    struct trouble of_profile = trouble_of(NONE, FAILURE_AUTHENTICATION, "HTTP 401");
    struct trouble of_q = of_profile;
    of_q.failure.profile = "q";
    told_alert(fixture, two[0], "X", 1);
    resolve(fixture, two[0], NULL); /* over, and nobody has told so */
    record(fixture, &of_profile);
    record(fixture, &of_q);
    assert_true(tell(fixture, 2, 3));
    int64_t moved = open_alert(fixture, two[1], "X");
    struct store_registration both[] = {{.address = "a@x", .profile = "q"},
                                        {.address = "b@x", .profile = "q"}};
    register_all(fixture, both, 2);
    struct look now = look(fixture);
    assert_int_equal(now.over.total, 0);
    assert_int_equal(now.untold.total, 0);
    assert_int_equal(now.state.open_told, 0);
    assert_false(now.state.pending);
    assert_int_equal(count(fixture, "notice WHERE state = 1"), 0);
    assert_int_equal(alert_of(fixture, moved).row.resolved_ms, NOW + 9);
    assert_int_equal(told(fixture, of_profile.alert.id), STORE_TOLD_NOBODY);
    assert_int_equal(count(fixture, "failure WHERE resolved_at IS NULL"), 1);
    assert_int_equal(alert_of(fixture, of_q.alert.id).row.resolved_ms, 0);
    assert_int_equal(look_at(fixture, "q", "o@x", 0, 5).untold.total, 1);
}

static void registering_the_same_leaves_alerts_alone(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[2];
    register_two(fixture, two);
    told_alert(fixture, two[0], "X", 1);
    open_alert(fixture, two[1], "X");
    register_two(fixture, two);
    struct look now = look(fixture);
    assert_int_equal(now.untold.total, 1);
    assert_int_equal(now.state.open_told, 1);
    assert_int_equal(count(fixture, "failure WHERE resolved_at IS NULL"), 2);
}

static void a_merged_mailbox_takes_its_alerts_along(void **state)
{
    struct fixture *fixture = *state;
    struct store_registration two[] = {{.address = "old@x", .profile = "p"},
                                       {.address = "new@x", .profile = "p"}};
    register_all(fixture, two, 2);
    int64_t known = told_alert(fixture, two[1].mailbox, "X", 1);
    int64_t old = open_alert(fixture, two[0].mailbox, "X");
    struct store_registration merged = {
        .address = "new@x", .renamed_from = "old@x", .profile = "p"};
    register_all(fixture, &merged, 1);
    assert_int_equal(merged.mailbox.number, two[0].mailbox.number);
    struct row row = alert_of(fixture, known);
    assert_string_equal(row.mailbox, "new@x");
    assert_int_equal(row.row.resolved_ms, NOW + 9);
    assert_string_equal(alert_of(fixture, old).mailbox, "new@x");
    assert_int_equal(alert_of(fixture, old).row.resolved_ms, 0);
    assert_int_equal(look(fixture).over.total, 1);
}

/* --- how long they are kept --- */

static void failures_go_with_their_alerts_once_they_are_old(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[2];
    register_two(fixture, two);
    told_alert(fixture, two[0], "X", 1);
    struct trouble most = absorbing();
    record(fixture, &most); /* its alert is over, the failure is not */
    prune(fixture, 0, NOW + 1);
    assert_int_equal(count(fixture, "alert"), 1);
    assert_int_equal(count(fixture, "failure"), 2);
    resolve(fixture, two[0], NULL);
    /* Both resolved, and one failure still has an open alert: as if it were left behind. */
    struct outcome outcome = {.fixture = fixture};
    support_sql_start(fixture, "UPDATE failure SET resolved_at = 1700000000007", &outcome);
    support_wait(&outcome);
    prune(fixture, 0, NOW + 8);
    assert_int_equal(count(fixture, "failure"), 1);
    assert_int_equal(list(fixture, true, 10).rows[0].row.id, most.alert.id);
    resolve_grouped(fixture);
    prune(fixture, 0, NOW + 7);
    assert_int_equal(count(fixture, "alert"), 1);
    prune(fixture, 0, NOW + 8);
    assert_int_equal(count(fixture, "alert"), 0);
    assert_int_equal(count(fixture, "failure"), 0);
}

static void a_notification_goes_when_it_is_old_and_none_of_its_alerts_is_left(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    told_alert(fixture, mailbox, "X", 1);
    prune(fixture, 0, NOW + DAY);
    assert_int_equal(count(fixture, "notification"), 1); /* its alert is open */
    resolve(fixture, mailbox, NULL);
    prune(fixture, 0, NOW);
    assert_int_equal(count(fixture, "notification"), 1); /* it is not old */
    prune(fixture, 0, NOW + DAY);
    assert_int_equal(count(fixture, "notification"), 0);
    assert_int_equal(count(fixture, "notice"), 0);
}

static void a_forgotten_mailbox_leaves_no_alert_behind(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct trouble most = absorbing();
    told_alert(fixture, mailbox, "X", 1);
    record(fixture, &most);
    register_all(fixture, NULL, 0);
    prune(fixture, NOW + DAY, 0);
    assert_int_equal(count(fixture, "mailbox"), 0);
    assert_int_equal(count(fixture, "alert"), 1);
    assert_int_equal(count(fixture, "failure"), 1);
}

/* Nobody resolves the failures of a submission that was left to a person: they go by their age. */
static void an_old_failure_of_a_submission_takes_its_open_alert_along(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct trouble item = trouble_of(mailbox, FAILURE_ITEM, "I");
    item.failure.failure.scope = FAILURE_SCOPE_ITEM;
    item.failure.submission = "one";
    record(fixture, &item);
    prune(fixture, 0, NOW);
    assert_int_equal(list(fixture, false, 10).total, 1);
    prune(fixture, 0, NOW + 1);
    assert_int_equal(count(fixture, "alert"), 0);
    assert_int_equal(count(fixture, "failure"), 0);
}

static void alerts_are_pruned_in_bounded_steps(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    int64_t first = open_alert(fixture, mailbox, "X");
    resolve(fixture, mailbox, NULL);
    struct outcome filled = {.fixture = fixture};
    support_sql_start(fixture,
                      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
                      " WHERE i < 2300) INSERT INTO alert (failure, mailbox, submission, profile,"
                      " direction, category, code, scope, level, absorbs, opening, told,"
                      " told_reason, opened_at, last_seen, resolved_at) SELECT failure, mailbox,"
                      " submission, profile, direction, category, 'n' || i, scope, level, absorbs,"
                      " opening, told, told_reason, opened_at, last_seen, resolved_at"
                      " FROM n, alert WHERE id = 1",
                      &filled);
    support_wait(&filled);
    assert_false(filled.failed);
    assert_int_equal(first, 1);
    bool more = false;
    MUST_SUCCEED(fixture, store_prune(fixture->store, 0, NOW + 8, &more, support_done, &outcome));
    assert_true(more);
    assert_int_equal(count(fixture, "alert"), 1301);
    assert_int_equal(count(fixture, "failure"), 1);
    prune(fixture, 0, NOW + 8);
    assert_int_equal(count(fixture, "alert"), 0);
    assert_int_equal(count(fixture, "failure"), 0);
}

/* --- many at once --- */

enum { MANY = 10000 };

static void raise_all(struct fixture *fixture, const struct store_registration *mailboxes,
                      struct trouble *troubles)
{
    struct outcome *outcomes = memory_allocate_array(MANY, sizeof *outcomes);
    for (size_t i = 0; i < MANY; i++) {
        outcomes[i].fixture = fixture;
        troubles[i] = trouble_of(mailboxes[i].mailbox, FAILURE_IMPERSONATION, "X");
        troubles[i].failure.alert = &troubles[i].alert;
        store_failure_record(fixture->store, &troubles[i].failure, support_done, &outcomes[i]);
    }
    for (size_t i = 0; i < MANY; i++) {
        support_wait(&outcomes[i]);
        assert_false(outcomes[i].failed);
    }
    memory_free(outcomes);
}

static void report_time(const char *what, uint64_t *since_ms)
{
    uint64_t now = clock_monotonic_ms();
    print_message("%s: %llu ms\n", what, (unsigned long long)(now - *since_ms));
    *since_ms = now;
}

static void ten_thousand_mailboxes_may_fail_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct store_registration *mailboxes = memory_allocate_array(MANY, sizeof *mailboxes);
    struct trouble *troubles = memory_allocate_array(MANY, sizeof *troubles);
    char(*addresses)[16] = memory_allocate_array(MANY, sizeof *addresses);
    for (size_t i = 0; i < MANY; i++) {
        snprintf(addresses[i], sizeof addresses[i], "m%zu@x", i);
        mailboxes[i] = (struct store_registration){.address = addresses[i], .profile = "p"};
    }
    register_all(fixture, mailboxes, MANY);
    uint64_t since = clock_monotonic_ms();
    raise_all(fixture, mailboxes, troubles);
    report_time("10,000 alerts opened", &since);
    raise_all(fixture, mailboxes, troubles);
    assert_int_equal(troubles[MANY - 1].alert.change, STORE_ALERT_REPEATED);
    report_time("repeated", &since);
    struct look now = look_at(fixture, "p", "owner@x", 0, 5);
    assert_int_equal(now.untold.total, MANY);
    assert_true(tell(fixture, 1, 1));
    struct rows_outcome read = {.outcome.fixture = fixture};
    struct store_notice_result handed = {.id = "10000000-0000-4000-8000-000000000001",
                                         .outcome = STORE_NOTICE_HANDED};
    store_notice_result(fixture->store, &handed, NOW, 5, rows_done, &read);
    support_wait(&read.outcome);
    assert_int_equal(read.rows.total, MANY);
    assert_int_equal(read.rows.count, 5);
    report_time("told", &since);
    struct trouble most = absorbing();
    record(fixture, &most);
    assert_int_equal(list(fixture, false, 1).total, 1);
    report_time("absorbed", &since);
    resolve_grouped(fixture); /* nobody was told of it: they are over by themselves */
    assert_int_equal(look_at(fixture, "p", "owner@x", 0, 5).over.total, MANY);
    report_time("over", &since);
    memory_free(mailboxes);
    memory_free(troubles);
    memory_free(addresses);
}

/* --- kills --- */

enum { KILLS = 10, LIFE_MS = 80, MAILBOXES = 3 };

/* The child fails, tells, recovers, and tells that until it is killed, each mailbox as fast as it
 * can. Each step is one operation. */
enum teller_step {
    TELLER_FAILS,
    TELLER_TELLS,
    TELLER_HANDS_OVER,
    TELLER_RECOVERS,
    TELLER_TELLS_WELL,
    TELLER_HANDS_OVER_WELL,
    TELLER_STEPS,
};

struct teller {
    struct fixture *fixture;
    struct store_mailbox mailbox;
    struct trouble trouble;
    struct store_notification notification;
    struct store_notice_result result;
    struct store_resolved resolved;
    bool added;
    unsigned turn;
};

static void teller_next(void *argument, const struct failure *failure);

static void teller_handed_over(void *argument, const struct failure *failure,
                               const struct store_alert_rows *alerts)
{
    (void)alerts;
    teller_next(argument, failure);
}

static void teller_fail(struct teller *teller, bool most)
{
    teller->trouble = most ? absorbing() : trouble_of(teller->mailbox, FAILURE_IMPERSONATION, "X");
    teller->trouble.failure.alert = &teller->trouble.alert;
    store_failure_record(teller->fixture->store, &teller->trouble.failure, teller_next, teller);
}

static void teller_tell(struct teller *teller, enum store_notification_kind kind)
{
    static unsigned number;
    teller->notification = notification_of(0, kind, INT64_MAX);
    snprintf(teller->notification.id, STORE_NOTIFICATION_ID_SIZE, "%d-%u", (int)getpid(), ++number);
    teller->notification.channels = 3;
    store_notification_add(teller->fixture->store, &teller->notification, NOW, &teller->added,
                           teller_next, teller);
}

static void teller_hand_over(struct teller *teller, unsigned round)
{
    static const enum store_notice_outcome outcomes[] = {STORE_NOTICE_HANDED, STORE_NOTICE_FAILED,
                                                         STORE_NOTICE_DROPPED};
    teller->result = (struct store_notice_result){.id = teller->notification.id,
                                                  .channel = round % 2,
                                                  .outcome = outcomes[round % 3],
                                                  .reason = "why"};
    store_notice_result(teller->fixture->store, &teller->result, NOW, 3, teller_handed_over,
                        teller);
}

static void teller_recover(struct teller *teller, bool most)
{
    if (most)
        store_alert_resolve_grouped(teller->fixture->store, "p", NOW, &teller->resolved,
                                    teller_next, teller);
    else
        store_failure_resolve(teller->fixture->store, "p", teller->mailbox, "incoming", NOW,
                              &teller->resolved, teller_next, teller);
}

static void teller_next(void *argument, const struct failure *failure)
{
    struct teller *teller = argument;
    if (failure != NULL)
        _exit(4);
    unsigned round = teller->turn / TELLER_STEPS;
    bool most = round % 5 == 4;
    switch ((enum teller_step)(teller->turn++ % TELLER_STEPS)) {
    case TELLER_FAILS:
        teller_fail(teller, most);
        break;
    case TELLER_TELLS:
        teller_tell(teller, STORE_NOTIFICATION_TROUBLE);
        break;
    case TELLER_RECOVERS:
        teller_recover(teller, most);
        break;
    case TELLER_TELLS_WELL:
        teller_tell(teller, STORE_NOTIFICATION_WELL);
        break;
    default:
        teller_hand_over(teller, round);
    }
}

static void register_tellers(struct fixture *fixture, struct store_registration *registrations)
{
    static const char *const addresses[MAILBOXES] = {"a@x", "b@x", "c@x"};
    for (size_t i = 0; i < MAILBOXES; i++)
        registrations[i] = (struct store_registration){.address = addresses[i], .profile = "p"};
    register_all(fixture, registrations, MAILBOXES);
}

static void tell_until_killed(struct fixture *fixture)
{
    static struct teller tellers[MAILBOXES];
    struct store_registration registrations[MAILBOXES];
    fixture->executor = executor_create();
    support_open(fixture);
    register_tellers(fixture, registrations);
    for (unsigned i = 0; i < MAILBOXES; i++) {
        tellers[i] = (struct teller){
            .fixture = fixture, .mailbox = registrations[i].mailbox, .turn = i * 2 * TELLER_STEPS};
        teller_next(&tellers[i], NULL);
    }
    executor_run(fixture->executor);
}

/* What holds after each transaction. */
static void check_consistency(struct fixture *fixture)
{
    static const char *const never[] = {
        "pragma_foreign_key_check",
        "pragma_integrity_check WHERE integrity_check <> 'ok'",
        /* What is to be told is open and in no notification, and the other way round. */
        "alert WHERE (untold_turn IS NOT NULL) <> (told = 1 AND notification IS NULL)",
        "alert WHERE untold_turn IS NOT NULL AND resolved_at IS NOT NULL",
        "alert WHERE told = 2 AND NOT known",
        "alert WHERE over_turn IS NOT NULL AND (resolved_at IS NULL OR NOT known"
        " OR grouped_into IS NOT NULL)",
        /* A notification is pending while a channel waits and none has handed it over. */
        "notification AS n WHERE pending <> (handed_at IS NULL AND EXISTS"
        " (SELECT 1 FROM notice WHERE notification = n.number AND state = 1))",
        "notification AS n WHERE 2 <> (SELECT count(*) FROM notice WHERE notification = n.number)",
        "notification AS n WHERE (message = '') <> NOT EXISTS"
        " (SELECT 1 FROM notice WHERE notification = n.number AND state = 1)",
        "alert JOIN notification ON number = notification"
        " WHERE (handed_at IS NOT NULL) <> (told = 2)",
    };
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (count(fixture, never[i]) != 0)
            fail_msg("%lld of: %s", (long long)count(fixture, never[i]), never[i]);
    /* Each failure was recorded with its alert, but those that were covered. */
    assert_true(support_number(fixture, "SELECT (SELECT total(count) FROM failure) >="
                                        " (SELECT total(count) FROM alert)"));
}

static void a_kill_leaves_failure_alert_and_notification_consistent(void **state)
{
    struct fixture *fixture = *state;
    const char *text = getenv("EXSYNC_KILLS");
    long kills = text != NULL ? strtol(text, NULL, 10) : KILLS;
    /* A slow machine gets more time, until a kill has come late enough. */
    useconds_t life = LIFE_MS * 1000;
    bool late = false;
    for (long turn = 0; turn < kills || !late; turn++) {
        pid_t child = fork();
        if (child == 0) {
            tell_until_killed(fixture);
            _exit(8);
        }
        usleep(life / 2 + (useconds_t)random_below(life));
        kill(child, SIGKILL);
        int status = 0;
        waitpid(child, &status, 0);
        assert_true(WIFSIGNALED(status));
        support_open(fixture);
        check_consistency(fixture);
        late = count(fixture, "notification WHERE handed_at IS NOT NULL") > 0 &&
               count(fixture, "notification WHERE kind = 2") > 0;
        support_close(fixture);
        life += late ? 0 : life / 8;
    }
    support_open(fixture);
    print_message("%ld kills, %lld alerts, %lld notifications, %lld handed over\n", kills,
                  (long long)count(fixture, "alert"), (long long)count(fixture, "notification"),
                  (long long)count(fixture, "notification WHERE handed_at IS NOT NULL"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_setup, support_teardown)
        TEST(what_went_wrong_with_a_removed_mailbox_is_over),
        TEST(what_a_removed_mailbox_s_last_cycle_meets_is_not_kept),
        TEST(what_went_wrong_with_a_direction_that_is_off_is_over),
        TEST(nobody_is_told_of_a_profile_that_has_left),
        TEST(registering_the_same_leaves_alerts_alone),
        TEST(a_merged_mailbox_takes_its_alerts_along),
        TEST(failures_go_with_their_alerts_once_they_are_old),
        TEST(a_notification_goes_when_it_is_old_and_none_of_its_alerts_is_left),
        TEST(a_forgotten_mailbox_leaves_no_alert_behind),
        TEST(an_old_failure_of_a_submission_takes_its_open_alert_along),
        TEST(alerts_are_pruned_in_bounded_steps),
        TEST(ten_thousand_mailboxes_may_fail_at_once),
        cmocka_unit_test_setup_teardown(a_kill_leaves_failure_alert_and_notification_consistent,
                                        support_setup_closed, support_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
