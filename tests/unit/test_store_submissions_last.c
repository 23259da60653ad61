/* Submissions: what failed of them, what becomes of their mailboxes, and that they last. */
#include "store_submissions.h"

#include "base/random.h"

#include <signal.h>
#include <sys/wait.h>

/* --- what went wrong with them --- */

static void record(struct fixture *fixture, struct store_mailbox mailbox, const char *submission,
                   const char *code)
{
    struct store_failure failure = {.profile = "p",
                                    .mailbox = mailbox,
                                    .direction = "outgoing",
                                    .submission = submission,
                                    .now_ms = NOW,
                                    .next_retry_ms = NOW + 60000,
                                    .failure = store_failure_of("SendItem", code, false, "s", "")};
    failure.failure.scope = submission == NULL ? FAILURE_SCOPE_MAILBOX : FAILURE_SCOPE_ITEM;
    MUST_SUCCEED(fixture, store_failure_record(fixture->store, &failure, support_done, &outcome));
}

static int64_t failures(struct fixture *fixture, const char *where)
{
    char sql[200];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM failure WHERE %s", where);
    return support_number(fixture, sql);
}

static void a_failure_tells_which_message_it_is_about(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    char id[STORE_SUBMISSION_ID_SIZE];
    snprintf(id, sizeof id, "%s", id_of(1));
    struct store_failure failure = {.profile = "p",
                                    .mailbox = mailbox,
                                    .direction = "outgoing",
                                    .submission = id,
                                    .now_ms = NOW,
                                    .next_retry_ms = NOW,
                                    .failure = store_failure_of("SendItem", "X", false, "s", "")};
    struct outcome outcome = {.fixture = fixture};
    store_failure_record(fixture->store, &failure, support_done, &outcome);
    memset(id, '?', sizeof id - 1);
    support_wait(&outcome);
    assert_false(outcome.failed);
    record(fixture, mailbox, NULL, "X");
    assert_int_equal(
        failures(fixture, "submission = '00000000-0000-4000-8000-000000000001' AND item = x''"), 1);
    assert_int_equal(failures(fixture, "submission = ''"), 1);
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM ledger"), 0);
}

static void failures_of_two_messages_are_two(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    for (int turn = 0; turn < 2; turn++)
        for (unsigned number = 1; number <= 2; number++)
            record(fixture, mailbox, id_of(number), "X");
    assert_int_equal(failures(fixture, "1"), 2);
    assert_int_equal(failures(fixture, "count = 2"), 2);
}

static void what_failed_of_a_message_is_over_when_it_is_sent(void **state)
{
    struct fixture *fixture = *state;
    struct store_registration two[] = {{.address = "a@x", .profile = "p"},
                                       {.address = "b@x", .profile = "p"}};
    register_all(fixture, two, 2);
    struct store_mailbox mailbox = two[0].mailbox;
    add(fixture, mailbox, 1);
    add(fixture, mailbox, 2);
    record(fixture, mailbox, id_of(1), "X");
    record(fixture, mailbox, id_of(1), "Y");
    record(fixture, mailbox, id_of(2), "X");
    record(fixture, mailbox, NULL, "X");
    record(fixture, mailbox, id_of(3), "X");
    /* An id of another mailbox ends nothing, nor does one that was never added. */
    set_state(fixture, two[1].mailbox, 1, STORE_SUBMISSION_SENT);
    set_state(fixture, mailbox, 3, STORE_SUBMISSION_SENT);
    set_state(fixture, mailbox, 1, STORE_SUBMISSION_CREATED);
    set_state(fixture, mailbox, 2, STORE_SUBMISSION_FAILED);
    assert_int_equal(failures(fixture, "resolved_at IS NULL"), 5);

    change_at(fixture, mailbox,
              (struct store_submission_change){.id = id_of(1), .state = STORE_SUBMISSION_SENT},
              NOW + 3);
    assert_int_equal(failures(fixture, "resolved_at IS NULL"), 3);
    assert_int_equal(failures(fixture, "resolved_at = 1700000000003"
                                       " AND submission LIKE '%01'"),
                     2);
}

static void a_mailbox_that_works_again_leaves_the_failures_of_messages(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    record(fixture, mailbox, id_of(1), "X");
    record(fixture, mailbox, NULL, "X");
    struct store_resolved resolved;
    MUST_SUCCEED(fixture, store_failure_resolve(fixture->store, "p", mailbox, "outgoing", NOW,
                                                &resolved, support_done, &outcome));
    assert_int_equal(resolved.failures, 1);
    assert_int_equal(failures(fixture, "resolved_at IS NULL AND submission <> ''"), 1);
}

/* --- mailboxes that are renamed, merged, removed --- */

static void a_merged_mailbox_takes_its_submissions_along(void **state)
{
    struct fixture *fixture = *state;
    struct store_registration two[] = {{.address = "old@x", .profile = "p"},
                                       {.address = "new@x", .profile = "p"}};
    register_all(fixture, two, 2);
    add(fixture, two[1].mailbox, 1);
    add(fixture, two[0].mailbox, 2);
    add(fixture, two[1].mailbox, 3);
    struct store_registration merged = {
        .address = "new@x", .renamed_from = "old@x", .profile = "p"};
    register_all(fixture, &merged, 1);
    assert_int_equal(merged.mailbox.number, two[0].mailbox.number);
    struct listing listing = list(fixture, merged.mailbox, NOW, 10);
    assert_int_equal(listing.count, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(listing.numbers[i], i + 1);
    assert_int_equal(list(fixture, two[1].mailbox, NOW, 10).count, 0);
    struct store_submission_change change = {.id = id_of(1), .state = STORE_SUBMISSION_SENT};
    MUST_FAIL(fixture, "LEASE",
              store_submissions_change(fixture->store, two[1].mailbox, &change, 1, NOW,
                                       support_done, &outcome));
}

static void a_renamed_mailbox_keeps_its_submissions(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "old@x");
    add(fixture, mailbox, 1);
    struct store_registration renamed = {
        .address = "new@x", .renamed_from = "old@x", .profile = "p"};
    register_all(fixture, &renamed, 1);
    assert_int_equal(list(fixture, renamed.mailbox, NOW, 10).count, 1);
}

static void a_removed_mailbox_stays_while_it_has_something_to_send(void **state)
{
    struct fixture *fixture = *state;
    struct store_registration two[] = {{.address = "a@x", .profile = "p"},
                                       {.address = "b@x", .profile = "p"}};
    register_all(fixture, two, 2);
    add(fixture, two[0].mailbox, 1);
    add(fixture, two[0].mailbox, 2);
    set_state(fixture, two[0].mailbox, 2, STORE_SUBMISSION_SENT);
    register_all(fixture, NULL, 0);
    assert_false(prune(fixture, NOW + 1, 0));
    /* The other one is forgotten all the same. */
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM mailbox"), 1);
    assert_int_equal(rows(fixture), 2);

    struct store_registration back = {.address = "a@x", .profile = "p"};
    register_all(fixture, &back, 1);
    assert_int_equal(back.mailbox.number, two[0].mailbox.number);
    assert_int_equal(list(fixture, back.mailbox, NOW, 10).numbers[0], 1);
    set_state(fixture, back.mailbox, 1, STORE_SUBMISSION_FAILED);
    register_all(fixture, NULL, 0);
    assert_false(prune(fixture, NOW + 1, 0));
    assert_int_equal(support_number(fixture, "SELECT count(*) FROM mailbox"), 0);
    assert_int_equal(rows(fixture), 0);
}

static void finished_ones_are_pruned_by_their_age_in_bounded_steps(void **state)
{
    struct fixture *fixture = *state;
    enum { SUBMISSIONS = 2300 };
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct outcome filled = {.fixture = fixture};
    support_sql_start(fixture,
                      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
                      " WHERE i < 2300) INSERT INTO submission (mailbox, id, state, queued_at,"
                      " size, submitter, null_sender, next_try, finished_at, subject, recipients)"
                      " SELECT number, 's' || i, 4 + i % 2, 1, 1, 1, 0, 0, 1700000000007, '', ''"
                      " FROM n, mailbox",
                      &filled);
    support_wait(&filled);
    assert_false(filled.failed);
    add(fixture, mailbox, 1);
    assert_int_equal(rows(fixture), SUBMISSIONS + 1);
    assert_false(prune(fixture, 0, NOW + 7));
    assert_int_equal(rows(fixture), SUBMISSIONS + 1);
    assert_true(prune(fixture, 0, NOW + 8));
    assert_int_equal(rows(fixture), SUBMISSIONS + 1 - 1000);
    while (prune(fixture, 0, NOW + 8))
        continue;
    assert_int_equal(rows(fixture), 1);
    assert_true(known(fixture, 1));
}

/* --- what is on disk --- */

/* The child adds and sends until it is killed, and tells what `done` came for. */
struct sender {
    struct fixture *fixture;
    struct store_mailbox mailbox;
    unsigned number;
    int pipe;
    struct store_submission submission;
    struct store_submission_change change;
};

struct promise {
    unsigned number;
    enum store_submission_state state;
};

static void send_next(struct sender *sender);

static void promise(const struct sender *sender, enum store_submission_state state)
{
    struct promise made;
    memset(&made, 0, sizeof made);
    made.number = sender->number;
    made.state = state;
    if (write(sender->pipe, &made, sizeof made) != sizeof made)
        _exit(3);
}

static void sent(void *argument, const struct failure *failure)
{
    if (failure != NULL)
        _exit(4);
    promise(argument, STORE_SUBMISSION_SENT);
    send_next(argument);
}

static void added(void *argument, const struct failure *failure)
{
    struct sender *sender = argument;
    if (failure != NULL)
        _exit(5);
    promise(sender, STORE_SUBMISSION_QUEUED);
    sender->change = (struct store_submission_change){.id = sender->submission.id,
                                                      .state = STORE_SUBMISSION_SENT};
    store_submissions_change(sender->fixture->store, sender->mailbox, &sender->change, 1, NOW, sent,
                             sender);
}

static void send_next(struct sender *sender)
{
    sender->submission = submission_of(++sender->number);
    store_submission_add(sender->fixture->store, sender->mailbox, &sender->submission, NOW, added,
                         sender);
}

static void send_until_killed(struct fixture *fixture, unsigned after, int pipe)
{
    static struct sender sender;
    fixture->executor = executor_create();
    support_open(fixture);
    sender = (struct sender){.fixture = fixture, .number = after, .pipe = pipe};
    sender.mailbox = support_mailbox(fixture, "a@x");
    send_next(&sender);
    executor_run(fixture->executor);
    _exit(6);
}

static void what_was_done_survives_a_kill(void **state)
{
    enum { KILLS = 10, LIFE_MS = 80, EACH = 1000000 };
    struct fixture *fixture = *state;
    size_t kept = 0;
    support_close(fixture);
    for (unsigned turn = 0; turn < KILLS; turn++) {
        int ends[2], status = 0;
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) {
            close(ends[0]);
            send_until_killed(fixture, turn * EACH, ends[1]);
        }
        close(ends[1]);
        usleep((useconds_t)(20000 + random_below(LIFE_MS * 1000)));
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
        assert_true(WIFSIGNALED(status));
        support_open(fixture);
        for (struct promise made; read(ends[0], &made, sizeof made) == sizeof made; kept++) {
            char sql[160];
            snprintf(sql, sizeof sql, "SELECT state FROM submission WHERE id = '%s'",
                     id_of(made.number));
            int64_t found = support_number(fixture, sql);
            assert_true(found == made.state || found == STORE_SUBMISSION_SENT);
        }
        close(ends[0]);
        support_close(fixture);
    }
    print_message("%d kills, %zu promises kept\n", (int)KILLS, kept);
    assert_true(kept > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_setup, support_teardown)
        TEST(a_failure_tells_which_message_it_is_about),
        TEST(failures_of_two_messages_are_two),
        TEST(what_failed_of_a_message_is_over_when_it_is_sent),
        TEST(a_mailbox_that_works_again_leaves_the_failures_of_messages),
        TEST(a_merged_mailbox_takes_its_submissions_along),
        TEST(a_renamed_mailbox_keeps_its_submissions),
        TEST(a_removed_mailbox_stays_while_it_has_something_to_send),
        TEST(finished_ones_are_pruned_by_their_age_in_bounded_steps),
        TEST(what_was_done_survives_a_kill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
