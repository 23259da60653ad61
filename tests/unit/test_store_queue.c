/* The queue as administrators see and change it. */
#include "store/store_actions.h"
#include "store_submissions.h"

#include <unistd.h>

typedef void change_function(struct store *store, struct store_mailbox mailbox, const char *id,
                             int64_t now_ms, bool *changed, store_done *done, void *argument);

static bool apply(struct fixture *fixture, change_function *function, struct store_mailbox mailbox,
                  unsigned number, int64_t now_ms)
{
    bool changed = false;
    MUST_SUCCEED(fixture, function(fixture->store, mailbox, id_of(number), now_ms, &changed,
                                   support_done, &outcome));
    return changed;
}

static bool hold(struct fixture *fixture, struct store_mailbox mailbox, unsigned number)
{
    return apply(fixture, store_queue_hold, mailbox, number, NOW);
}

static bool release(struct fixture *fixture, struct store_mailbox mailbox, unsigned number)
{
    return apply(fixture, store_queue_release, mailbox, number, NOW + 1000);
}

static bool retry(struct fixture *fixture, struct store_mailbox mailbox, unsigned number)
{
    bool changed = false;
    MUST_SUCCEED(fixture, store_queue_retry(fixture->store, mailbox, id_of(number), &changed,
                                            support_done, &outcome));
    return changed;
}

static bool mark_removal(struct fixture *fixture, struct store_mailbox mailbox, unsigned number)
{
    bool changed = false;
    MUST_SUCCEED(fixture, store_queue_removal(fixture->store, mailbox, id_of(number), "because",
                                              NOW, &changed, support_done, &outcome));
    return changed;
}

static bool removed(struct fixture *fixture, struct store_mailbox mailbox, unsigned number,
                    bool stray)
{
    bool changed = false;
    MUST_SUCCEED(fixture, store_queue_removed(fixture->store, mailbox, id_of(number), stray,
                                              NOW + 5, &changed, support_done, &outcome));
    return changed;
}

/* --- lists --- */

struct queue {
    struct outcome outcome;
    char text[200]; /* "NUMBER ADDRESS held removal code, " of each */
    struct store_queue_position last;
};

static void queue_listed(void *argument, const struct failure *failure,
                         const struct store_queued *rows, size_t count)
{
    struct queue *queue = argument;
    for (size_t i = 0; i < count; i++) {
        const struct store_queued *row = &rows[i];
        size_t length = strlen(queue->text);
        snprintf(queue->text + length, sizeof queue->text - length, "%s%d %s%s%s%s%s",
                 length == 0 ? "" : ", ", atoi(row->submission.id + 24), row->address,
                 row->held_since_ms != 0 ? " held" : "", row->removal == NULL ? "" : " ",
                 row->removal == NULL ? "" : row->removal, row->code == NULL ? "" : " failed");
        queue->last = (struct store_queue_position){row->mailbox.number, row->submission.order};
        assert_string_equal(row->profile, "p");
        assert_string_equal(row->submission.message_id, "<1@x>");
    }
    support_done(&queue->outcome, failure);
}

static struct queue list_behind(struct fixture *fixture, int64_t mailbox,
                                enum store_queue_part part, struct store_queue_position behind,
                                size_t limit)
{
    struct queue queue = {.outcome.fixture = fixture};
    store_queue_list(fixture->store, mailbox, part, behind, limit, queue_listed, &queue);
    support_wait(&queue.outcome);
    assert_false(queue.outcome.failed);
    return queue;
}

static void check_list(struct fixture *fixture, int64_t mailbox, enum store_queue_part part,
                       const char *wanted)
{
    const struct store_queue_position first = {0};
    assert_string_equal(list_behind(fixture, mailbox, part, first, 10).text, wanted);
}

static void register_pair(struct fixture *fixture, struct store_mailbox two[2])
{
    struct store_registration all[] = {{.address = "a@x", .profile = "p"},
                                       {.address = "b@x", .profile = "p"}};
    register_all(fixture, all, 2);
    two[0] = all[0].mailbox;
    two[1] = all[1].mailbox;
}

static void lists_go_on_where_they_ended(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[2];
    register_pair(fixture, two);
    add(fixture, two[1], 1);
    add(fixture, two[0], 2);
    add(fixture, two[1], 3);
    add(fixture, two[0], 4);
    add(fixture, two[0], 5);
    set_state(fixture, two[0], 5, STORE_SUBMISSION_SENT);
    set_state(fixture, two[0], 4, STORE_SUBMISSION_FAILED);
    check_list(fixture, 0, STORE_QUEUE_WAITING, "2 a@x, 1 b@x, 3 b@x");
    check_list(fixture, two[1].number, STORE_QUEUE_WAITING, "1 b@x, 3 b@x");
    check_list(fixture, two[0].number, STORE_QUEUE_WAITING, "2 a@x");
    check_list(fixture, 0, STORE_QUEUE_FAILED, "4 a@x");
    struct queue queue = {0};
    struct buffer all = {0};
    do {
        queue = list_behind(fixture, 0, STORE_QUEUE_WAITING, queue.last, 1);
        buffer_append_format(&all, "%s|", queue.text);
    } while (queue.text[0] != '\0');
    assert_string_equal(buffer_string(&all), "2 a@x|1 b@x|3 b@x||");
    buffer_release(&all);
}

static void one_is_found_with_what_went_wrong_last(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    add(fixture, mailbox, 1);
    struct store_failure failure = {.profile = "p",
                                    .mailbox = mailbox,
                                    .direction = "outgoing",
                                    .submission = id_of(1),
                                    .now_ms = NOW,
                                    .next_retry_ms = NOW,
                                    .failure = store_failure_of("SendItem", "X", false, "s", "")};
    failure.failure.scope = FAILURE_SCOPE_ITEM;
    MUST_SUCCEED(fixture, store_failure_record(fixture->store, &failure, support_done, &outcome));
    struct queue queue = {.outcome.fixture = fixture};
    store_queue_find(fixture->store, id_of(1), queue_listed, &queue);
    support_wait(&queue.outcome);
    assert_string_equal(queue.text, "1 a@x failed");
    queue = (struct queue){.outcome.fixture = fixture};
    store_queue_find(fixture->store, id_of(2), queue_listed, &queue);
    support_wait(&queue.outcome);
    assert_string_equal(queue.text, "");
}

/* --- holding --- */

static void one_that_is_held_is_not_due_and_holds_up_no_other(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    add(fixture, mailbox, 1);
    add(fixture, mailbox, 2);
    assert_true(hold(fixture, mailbox, 1));
    assert_false(hold(fixture, mailbox, 1));
    support_close(fixture);
    support_open(fixture);
    struct listing due = list(fixture, mailbox, NOW, 10);
    assert_int_equal(due.count, 1);
    assert_int_equal(due.numbers[0], 2);
    assert_int_equal(due.next_ms, INT64_MAX);
    check_list(fixture, 0, STORE_QUEUE_WAITING, "1 a@x held, 2 a@x");
    assert_false(retry(fixture, mailbox, 1));

    assert_true(release(fixture, mailbox, 1));
    assert_false(release(fixture, mailbox, 1));
    due = list(fixture, mailbox, NOW, 10);
    assert_int_equal(due.count, 2);
    assert_int_equal(due.first.held_for_ms, 1000);
}

struct held {
    struct outcome outcome;
    struct buffer text;
};

static void each_held(void *argument, int64_t mailbox, uint64_t held)
{
    struct held *counts = argument;
    buffer_append_format(&counts->text, "%d:%d ", (int)mailbox, (int)held);
}

static void held_counted(void *argument, const struct failure *failure)
{
    struct held *counts = argument;
    support_done(&counts->outcome, failure);
}

static void check_held(struct fixture *fixture, const char *expected)
{
    struct held counts = {.outcome.fixture = fixture};
    store_queue_held(fixture->store, each_held, held_counted, &counts);
    support_wait(&counts.outcome);
    assert_string_equal(buffer_string(&counts.text), expected);
    buffer_release(&counts.text);
}

static void those_that_are_held_are_counted_by_mailbox(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[2];
    char expected[64];
    register_pair(fixture, two);
    for (unsigned number = 1; number <= 5; number++)
        add(fixture, two[number % 2], number);
    check_held(fixture, "");
    assert_true(hold(fixture, two[1], 1));
    assert_true(hold(fixture, two[1], 3));
    assert_true(hold(fixture, two[0], 2));
    snprintf(expected, sizeof expected, "%d:1 %d:2 ", (int)two[0].number, (int)two[1].number);
    check_held(fixture, expected);
    assert_true(release(fixture, two[1], 1));
    set_state(fixture, two[0], 2, STORE_SUBMISSION_FAILED);
    snprintf(expected, sizeof expected, "%d:1 ", (int)two[1].number);
    check_held(fixture, expected);
}

static void the_time_that_it_was_held_is_added_up_and_no_doubt_ages_in_it(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    add(fixture, mailbox, 1);
    change_at(fixture, mailbox,
              (struct store_submission_change){.id = id_of(1),
                                               .state = STORE_SUBMISSION_SENDING,
                                               .next_try_ms = NOW + 60000,
                                               .doubt_since_ms = NOW - 10},
              NOW);
    hold(fixture, mailbox, 1);
    release(fixture, mailbox, 1);
    hold(fixture, mailbox, 1);
    release(fixture, mailbox, 1);
    struct listing due = list(fixture, mailbox, NOW, 10);
    assert_int_equal(due.count, 1);
    assert_int_equal(due.first.held_for_ms, 2000);
    assert_int_equal(due.first.doubt_since_ms, NOW - 10 + 2000);
    assert_int_equal(due.first.next_try_ms, 0);
}

static void what_is_sent_or_failed_cannot_be_held_tried_or_removed(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    static const enum store_submission_state ends[] = {STORE_SUBMISSION_SENT,
                                                       STORE_SUBMISSION_FAILED};
    for (unsigned i = 0; i < 2; i++) {
        add(fixture, mailbox, i + 1);
        set_state(fixture, mailbox, i + 1, ends[i]);
        assert_false(hold(fixture, mailbox, i + 1));
        assert_false(retry(fixture, mailbox, i + 1));
        assert_false(mark_removal(fixture, mailbox, i + 1));
    }
}

static void one_of_another_mailbox_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[2];
    register_pair(fixture, two);
    add(fixture, two[0], 1);
    assert_false(hold(fixture, two[1], 1));
    assert_false(retry(fixture, two[1], 1));
    assert_false(mark_removal(fixture, two[1], 1));
    assert_int_equal(list(fixture, two[0], NOW, 10).count, 1);
}

/* --- trying now --- */

static void what_waits_for_its_time_is_due_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox two[2];
    register_pair(fixture, two);
    for (unsigned i = 1; i <= 4; i++) {
        add(fixture, two[i % 2], i);
        postpone(fixture, two[i % 2], i, NOW + 60000);
    }
    assert_true(retry(fixture, two[0], 2));
    assert_int_equal(list(fixture, two[0], NOW, 10).count, 1);
    hold(fixture, two[1], 1);
    uint64_t count = 0;
    MUST_SUCCEED(fixture,
                 store_queue_flush(fixture->store, two[1].number, &count, support_done, &outcome));
    assert_int_equal(count, 1);
    assert_int_equal(list(fixture, two[1], NOW, 10).numbers[0], 3);
    assert_int_equal(list(fixture, two[0], NOW, 10).count, 1);
    MUST_SUCCEED(fixture, store_queue_flush(fixture->store, 0, &count, support_done, &outcome));
    assert_int_equal(count, 3);
    assert_int_equal(list(fixture, two[0], NOW, 10).count, 2);
}

/* --- removing --- */

static void a_removal_that_was_begun_is_known_after_a_restart_and_ends_once(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    add(fixture, mailbox, 1);
    add(fixture, mailbox, 2);
    hold(fixture, mailbox, 2);
    assert_true(mark_removal(fixture, mailbox, 1));
    assert_true(mark_removal(fixture, mailbox, 2));
    assert_false(mark_removal(fixture, mailbox, 1));
    support_close(fixture);
    support_open(fixture);
    assert_int_equal(list(fixture, mailbox, NOW, 10).count, 0);
    assert_false(release(fixture, mailbox, 1));
    check_list(fixture, 0, STORE_QUEUE_REMOVING, "1 a@x held because, 2 a@x held because");

    assert_true(removed(fixture, mailbox, 1, false));
    assert_false(removed(fixture, mailbox, 1, false));
    check_list(fixture, 0, STORE_QUEUE_REMOVING, "2 a@x held because");
    check_list(fixture, 0, STORE_QUEUE_FAILED, "1 a@x");
    assert_int_equal(support_number(fixture, "SELECT finished_at FROM submission WHERE state = 5"),
                     NOW + 5);
    assert_int_equal(list(fixture, mailbox, NOW, 10).count, 0);
}

static void a_draft_that_may_exist_is_looked_for_after_the_removal(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    add(fixture, mailbox, 1);
    set_state(fixture, mailbox, 1, STORE_SUBMISSION_CREATED);
    mark_removal(fixture, mailbox, 1);
    removed(fixture, mailbox, 1, true);
    struct listing due = list(fixture, mailbox, NOW, 10);
    assert_int_equal(due.count, 1);
    assert_int_equal(due.first.state, STORE_SUBMISSION_FAILED);
    assert_true(due.first.stray);
}

static bool lapsed(struct fixture *fixture, struct store_mailbox mailbox, unsigned number)
{
    bool changed = false;
    MUST_SUCCEED(fixture, store_queue_lapsed(fixture->store, mailbox, id_of(number), "too long",
                                             NOW, &changed, support_done, &outcome));
    return changed;
}

static void what_has_waited_too_long_is_marked_unless_it_is_held(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    add(fixture, mailbox, 1);
    add(fixture, mailbox, 2);
    hold(fixture, mailbox, 2);
    assert_true(lapsed(fixture, mailbox, 1));
    assert_false(lapsed(fixture, mailbox, 1));
    assert_false(lapsed(fixture, mailbox, 2));
    assert_false(mark_removal(fixture, mailbox, 1));
    check_list(fixture, 0, STORE_QUEUE_REMOVING, "1 a@x held too long");
    assert_int_equal(list(fixture, mailbox, NOW, 10).count, 0);
    assert_true(removed(fixture, mailbox, 1, false));
    assert_false(lapsed(fixture, mailbox, 1));
}

struct told {
    struct outcome outcome;
    size_t count;
};

static void count_backlog(void *argument, const struct store_backlog *backlog)
{
    struct told *told = argument;
    (void)backlog;
    told->count++;
}

/* Else a mailbox that a reload brings back might send what is being held. */
static void what_is_being_held_is_not_told_as_something_to_send(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct outcome held = {.fixture = fixture};
    struct told open = {.outcome = {.fixture = fixture}};
    bool changed = false;
    sqlite3 *other = NULL;
    add(fixture, mailbox, 1);
    assert_int_equal(sqlite3_open(fixture->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    store_queue_hold(fixture->store, mailbox, id_of(1), NOW, &changed, support_done, &held);
    store_submissions_open(fixture->store, count_backlog, support_done, &open);
    usleep(SUPPORT_BUSY_MS * 1000 / 4);
    sqlite3_close(other);
    support_wait(&held);
    support_wait(&open.outcome);
    assert_true(changed);
    assert_int_equal(open.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_setup, support_teardown)
        TEST(lists_go_on_where_they_ended),
        TEST(one_is_found_with_what_went_wrong_last),
        TEST(one_that_is_held_is_not_due_and_holds_up_no_other),
        TEST(those_that_are_held_are_counted_by_mailbox),
        TEST(the_time_that_it_was_held_is_added_up_and_no_doubt_ages_in_it),
        TEST(what_is_sent_or_failed_cannot_be_held_tried_or_removed),
        TEST(one_of_another_mailbox_is_left_alone),
        TEST(what_waits_for_its_time_is_due_at_once),
        TEST(a_removal_that_was_begun_is_known_after_a_restart_and_ends_once),
        TEST(a_draft_that_may_exist_is_looked_for_after_the_removal),
        TEST(what_has_waited_too_long_is_marked_unless_it_is_held),
        TEST(what_is_being_held_is_not_told_as_something_to_send),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
