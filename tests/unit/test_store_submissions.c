/* Submissions: added once, listed in their order, changed together. */
#include "store_submissions.h"

static void what_was_added_is_read_back_as_it_was(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_submission submission = submission_of(1);
    submission.null_sender = true;
    /* What is not for the caller to say. */
    submission.state = STORE_SUBMISSION_SENT;
    submission.order = 77;
    submission.stray = true;
    submission.attempts = 9;
    submission.reference = "r";
    MUST_SUCCEED(fixture, store_submission_add(fixture->store, mailbox, &submission, NOW,
                                               support_done, &outcome));
    struct listing listing = list_whole(fixture, mailbox, NOW, 10);
    assert_int_equal(listing.count, 1);
    const struct store_submission *read = &listing.first;
    assert_string_equal(read->id, submission.id);
    assert_int_equal(read->state, STORE_SUBMISSION_QUEUED);
    assert_true(read->order > 0 && read->order != 77);
    assert_int_equal(read->queued_ms, NOW - 100);
    assert_int_equal(read->size, 5000000000);
    assert_int_equal(read->submitter, 4000000000);
    assert_true(read->null_sender);
    assert_false(read->stray);
    assert_int_equal(read->attempts, 0);
    assert_int_equal(read->next_try_ms, 0);
    assert_int_equal(read->doubt_since_ms, 0);
    assert_string_equal(listing.strings[0], submission.message_id);
    assert_string_equal(listing.strings[1], submission.subject);
    assert_string_equal(listing.strings[2], submission.recipients);
    assert_null(listing.strings[3]);
    listing_release(&listing);
}

static void strings_may_be_missing(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_submission submission = {.id = "one"};
    MUST_SUCCEED(fixture, store_submission_add(fixture->store, mailbox, &submission, NOW,
                                               support_done, &outcome));
    struct listing listing = list_whole(fixture, mailbox, NOW, 10);
    assert_int_equal(listing.count, 1);
    assert_int_equal(listing.first.queued_ms, NOW);
    assert_null(listing.strings[0]);
    assert_string_equal(listing.strings[1], "");
    assert_string_equal(listing.strings[2], "");
    assert_null(listing.strings[3]);
    listing_release(&listing);
}

/* A mailing to ten thousand people, and others behind it: the strings move while they are read. */
static void long_recipients_stay_whole(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct buffer recipients = {0};
    for (int i = 0; i < 10000; i++)
        buffer_append_format(&recipients, "bcc user%d@example.org User number %d\n", i, i);
    struct store_submission submission = submission_of(1);
    submission.recipients = recipients.data;
    MUST_SUCCEED(fixture, store_submission_add(fixture->store, mailbox, &submission, NOW,
                                               support_done, &outcome));
    for (unsigned i = 2; i < 10; i++)
        add(fixture, mailbox, i);
    struct listing listing = list_whole(fixture, mailbox, NOW, 10);
    assert_int_equal(listing.count, 9);
    assert_string_equal(listing.strings[2], recipients.data);
    listing_release(&listing);
    buffer_release(&recipients);
}

static void one_that_is_added_twice_is_left_as_it_is(void **state)
{
    struct fixture *fixture = *state;
    struct store_registration two[] = {{.address = "a@x", .profile = "p"},
                                       {.address = "b@x", .profile = "p"}};
    register_all(fixture, two, 2);
    add(fixture, two[0].mailbox, 1);
    set_state(fixture, two[0].mailbox, 1, STORE_SUBMISSION_SENT);
    add(fixture, two[0].mailbox, 1);
    add(fixture, two[1].mailbox, 1);
    assert_int_equal(rows(fixture), 1);
    assert_int_equal(list(fixture, two[0].mailbox, NOW, 10).count, 0);
    assert_int_equal(list(fixture, two[1].mailbox, NOW, 10).count, 0);
    assert_int_equal(support_number(fixture, "SELECT state FROM submission"),
                     STORE_SUBMISSION_SENT);
}

static void the_state_of_each_id_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    char ids[3][STORE_SUBMISSION_ID_SIZE];
    const char *pointers[3];
    uint8_t result[3] = {9, 9, 9};
    add(fixture, mailbox, 1);
    add(fixture, mailbox, 3);
    set_state(fixture, mailbox, 3, STORE_SUBMISSION_FAILED);
    for (unsigned i = 0; i < 3; i++) {
        snprintf(ids[i], sizeof ids[i], "%s", id_of(i + 1));
        pointers[i] = ids[i];
    }
    MUST_SUCCEED(fixture, store_submissions_states(fixture->store, pointers, 3, result,
                                                   support_done, &outcome));
    assert_int_equal(result[0], STORE_SUBMISSION_QUEUED);
    assert_int_equal(result[1], 0);
    assert_int_equal(result[2], STORE_SUBMISSION_FAILED);
}

static void they_are_listed_in_the_order_in_which_they_came(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    static const unsigned came[] = {5, 3, 9, 1};
    for (size_t i = 0; i < 4; i++)
        add(fixture, mailbox, came[i]);
    /* One that was tried again keeps its place. */
    postpone(fixture, mailbox, 5, NOW);
    struct listing listing = list(fixture, mailbox, NOW, 10);
    assert_int_equal(listing.count, 4);
    assert_memory_equal(listing.numbers, came, sizeof came);
    assert_false(listing.more);
    assert_int_equal(listing.next_ms, INT64_MAX);
}

static void an_order_is_never_given_twice(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    add(fixture, mailbox, 1);
    int64_t first = list(fixture, mailbox, NOW, 1).first.order;
    set_state(fixture, mailbox, 1, STORE_SUBMISSION_SENT);
    prune(fixture, 0, NOW + 1);
    assert_int_equal(rows(fixture), 0);
    add(fixture, mailbox, 2);
    assert_true(list(fixture, mailbox, NOW, 1).first.order > first);
}

static void no_more_than_the_limit_are_listed_and_more_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    for (unsigned i = 1; i <= 3; i++)
        add(fixture, mailbox, i);
    struct listing listing = list(fixture, mailbox, NOW, 2);
    assert_int_equal(listing.count, 2);
    assert_true(listing.more);
    assert_int_equal(listing.numbers[1], 2);
    listing = list(fixture, mailbox, NOW, 3);
    assert_int_equal(listing.count, 3);
    assert_false(listing.more);
    listing = list(fixture, mailbox, NOW, 0);
    assert_int_equal(listing.count, 0);
    assert_true(listing.more);
    assert_int_equal(list(fixture, mailbox, NOW, SIZE_MAX).count, 3);
}

static void those_that_wait_hold_up_nobody_and_tell_when_they_are_due(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    for (unsigned i = 1; i <= 4; i++)
        add(fixture, mailbox, i);
    postpone(fixture, mailbox, 1, NOW + 50);
    postpone(fixture, mailbox, 3, NOW + 20);
    struct listing listing = list(fixture, mailbox, NOW, 1);
    assert_int_equal(listing.count, 1);
    assert_int_equal(listing.numbers[0], 2);
    assert_true(listing.more);
    assert_int_equal(listing.next_ms, NOW + 20);
    listing = list(fixture, mailbox, NOW + 20, 10);
    assert_int_equal(listing.count, 3);
    assert_int_equal(listing.numbers[1], 3);
    assert_int_equal(listing.next_ms, NOW + 50);
    listing = list(fixture, mailbox, NOW + 50, 10);
    assert_int_equal(listing.count, 4);
    assert_int_equal(listing.numbers[0], 1);
    assert_int_equal(listing.first.attempts, 1);
    assert_int_equal(listing.next_ms, INT64_MAX);
}

/* Whether they are due or not, and without those of which only a stray draft is left. */
static void those_that_lapsed_are_listed_by_their_age(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    for (unsigned i = 1; i <= 4; i++)
        add(fixture, mailbox, i);
    postpone(fixture, mailbox, 1, NOW + 50);
    set_state(fixture, mailbox, 2, STORE_SUBMISSION_FAILED);
    MUST_SUCCEED(fixture, support_sql_start(fixture,
                                            "UPDATE submission SET stray = (state = 5),"
                                            " queued_at = queued_at - (number < 4)",
                                            &outcome));
    struct listing listing = {.outcome = {.fixture = fixture}};
    store_submissions_lapsed(fixture->store, mailbox, NOW - 100, 10, listed, &listing);
    support_wait(&listing.outcome);
    assert_false(listing.outcome.failed);
    assert_int_equal(listing.count, 2);
    assert_int_equal(listing.numbers[0], 1);
    assert_int_equal(listing.numbers[1], 3);
    assert_false(listing.more);
    listing_release(&listing);
}

static void all_that_was_not_sent_is_listed_held_or_not(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    for (unsigned i = 1; i <= 4; i++)
        add(fixture, mailbox, i);
    postpone(fixture, mailbox, 1, NOW + 50);
    set_state(fixture, mailbox, 2, STORE_SUBMISSION_FAILED);
    MUST_SUCCEED(
        fixture,
        support_sql_start(fixture, "UPDATE submission SET held_at = 1 WHERE number = 3", &outcome));
    struct listing listing = {.outcome = {.fixture = fixture}};
    store_submissions_unsent(fixture->store, mailbox, 0, 10, listed, &listing);
    support_wait(&listing.outcome);
    assert_false(listing.outcome.failed);
    assert_int_equal(listing.count, 3);
    assert_int_equal(listing.numbers[0], 1);
    assert_int_equal(listing.numbers[1], 3);
    assert_int_equal(listing.numbers[2], 4);
    listing_release(&listing);
}

static void what_was_not_sent_is_listed_page_by_page(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    for (unsigned i = 1; i <= 5; i++)
        add(fixture, mailbox, i);
    for (int64_t after = 0; after < 6; after += 2) {
        struct listing listing = {.outcome = {.fixture = fixture}};
        store_submissions_unsent(fixture->store, mailbox, after, 2, listed, &listing);
        support_wait(&listing.outcome);
        assert_int_equal(listing.count, after < 4 ? 2 : 1);
        assert_int_equal(listing.numbers[0], after + 1);
        assert_int_equal(listing.more, after < 4);
        listing_release(&listing);
    }
}

static void only_open_states_are_listed(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    static const bool open[] = {
        [STORE_SUBMISSION_QUEUED] = true,  [STORE_SUBMISSION_CREATING] = true,
        [STORE_SUBMISSION_CREATED] = true, [STORE_SUBMISSION_SENT] = false,
        [STORE_SUBMISSION_FAILED] = false, [STORE_SUBMISSION_DOUBTFUL] = true,
        [STORE_SUBMISSION_SENDING] = true,
    };
    add(fixture, mailbox, 1);
    for (unsigned i = STORE_SUBMISSION_QUEUED; i <= STORE_SUBMISSION_SENDING; i++) {
        set_state(fixture, mailbox, 1, (enum store_submission_state)i);
        struct listing listing = list(fixture, mailbox, NOW, 10);
        assert_int_equal(listing.count, open[i] ? 1 : 0);
        if (open[i])
            assert_int_equal(listing.first.state, i);
        assert_int_equal(support_number(fixture, "SELECT finished_at FROM submission"),
                         open[i] ? 0 : NOW);
    }
}

static void all_that_became_of_one_is_kept(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    add(fixture, mailbox, 1);
    struct store_submission_change change = {.id = id_of(1),
                                             .state = STORE_SUBMISSION_CREATED,
                                             .reference = "AAMk=",
                                             .attempts = 3,
                                             .next_try_ms = NOW - 1,
                                             .doubt_since_ms = NOW - 2,
                                             .stray = true};
    change_at(fixture, mailbox, change, NOW);
    struct listing listing = list_whole(fixture, mailbox, NOW, 10);
    assert_string_equal(listing.strings[3], "AAMk=");
    assert_int_equal(listing.first.attempts, 3);
    assert_int_equal(listing.first.next_try_ms, NOW - 1);
    assert_int_equal(listing.first.doubt_since_ms, NOW - 2);
    assert_true(listing.first.stray);
    assert_string_equal(listing.strings[0], "<1@x>");
    listing_release(&listing);

    change.reference = NULL;
    change_at(fixture, mailbox, change, NOW);
    listing = list_whole(fixture, mailbox, NOW, 10);
    assert_null(listing.strings[3]);
    listing_release(&listing);
}

static void a_sent_one_with_a_stray_draft_is_open_until_that_is_gone(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_submission_change change = {
        .id = id_of(1), .state = STORE_SUBMISSION_SENT, .stray = true};
    add(fixture, mailbox, 1);
    change_at(fixture, mailbox, change, NOW);
    struct listing listing = list(fixture, mailbox, NOW, 10);
    assert_int_equal(listing.count, 1);
    assert_int_equal(listing.first.state, STORE_SUBMISSION_SENT);
    assert_true(listing.first.stray);
    prune(fixture, 0, NOW + 1);
    assert_int_equal(rows(fixture), 1);

    change.stray = false;
    change_at(fixture, mailbox, change, NOW + 5);
    assert_int_equal(list(fixture, mailbox, NOW, 10).count, 0);
    /* It was sent when it was sent. */
    assert_int_equal(support_number(fixture, "SELECT finished_at FROM submission"), NOW);
    prune(fixture, 0, NOW + 1);
    assert_int_equal(rows(fixture), 0);
}

static void one_that_failed_can_be_queued_again(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    add(fixture, mailbox, 1);
    set_state(fixture, mailbox, 1, STORE_SUBMISSION_FAILED);
    set_state(fixture, mailbox, 1, STORE_SUBMISSION_QUEUED);
    assert_int_equal(list(fixture, mailbox, NOW, 10).count, 1);
    prune(fixture, 0, NOW + 1);
    assert_true(known(fixture, 1));
}

static void unknown_ids_and_those_of_others_are_left_alone(void **state)
{
    struct fixture *fixture = *state;
    struct store_registration two[] = {{.address = "a@x", .profile = "p"},
                                       {.address = "b@x", .profile = "p"}};
    register_all(fixture, two, 2);
    add(fixture, two[0].mailbox, 1);
    add(fixture, two[1].mailbox, 2);
    struct store_submission_change changes[] = {
        {.id = id_of(9), .state = STORE_SUBMISSION_SENT},
        {.id = id_of(2), .state = STORE_SUBMISSION_SENT},
        {.id = id_of(1), .state = STORE_SUBMISSION_CREATING},
    };
    MUST_SUCCEED(fixture, store_submissions_change(fixture->store, two[0].mailbox, changes, 3, NOW,
                                                   support_done, &outcome));
    assert_int_equal(rows(fixture), 2);
    assert_int_equal(list(fixture, two[0].mailbox, NOW, 10).first.state, STORE_SUBMISSION_CREATING);
    assert_int_equal(list(fixture, two[1].mailbox, NOW, 10).first.state, STORE_SUBMISSION_QUEUED);
}

static void changes_of_one_call_are_written_together_or_not_at_all(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    add(fixture, mailbox, 1);
    add(fixture, mailbox, 2);
    struct store_submission_change changes[] = {
        {.id = id_of(1), .state = STORE_SUBMISSION_SENT},
        {.id = id_of(2), .state = (enum store_submission_state)99},
    };
    MUST_FAIL(
        fixture, "SQLITE_CONSTRAINT",
        store_submissions_change(fixture->store, mailbox, changes, 2, NOW, support_done, &outcome));
    assert_int_equal(list(fixture, mailbox, NOW, 10).count, 2);
}

static void writes_of_a_lost_lease_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    struct store_mailbox lost = {.number = mailbox.number, .lease = mailbox.lease + 1};
    struct store_mailbox unknown = {.number = 99, .lease = 1};
    struct store_submission submission = submission_of(2);
    struct store_submission_change change = {.id = id_of(1), .state = STORE_SUBMISSION_SENT};
    add(fixture, mailbox, 1);
    MUST_FAIL(fixture, "LEASE",
              store_submission_add(fixture->store, lost, &submission, NOW, support_done, &outcome));
    MUST_FAIL(
        fixture, "LEASE",
        store_submission_add(fixture->store, unknown, &submission, NOW, support_done, &outcome));
    MUST_FAIL(
        fixture, "LEASE",
        store_submissions_change(fixture->store, lost, &change, 1, NOW, support_done, &outcome));
    assert_int_equal(rows(fixture), 1);
    assert_int_equal(list(fixture, mailbox, NOW, 10).count, 1);
}

struct backlogs {
    struct outcome outcome;
    struct store_backlog all[LISTED_MAX];
    size_t count;
};

static void each_backlog(void *argument, const struct store_backlog *backlog)
{
    struct backlogs *backlogs = argument;
    assert_false(backlogs->outcome.done);
    assert_true(backlogs->count < LISTED_MAX);
    assert_non_null(strchr(backlog->address, '@'));
    assert_string_equal(backlog->profile, "p");
    backlogs->all[backlogs->count++] = *backlog;
}

static struct backlogs list_backlogs(struct fixture *fixture)
{
    struct backlogs backlogs = {.outcome = {.fixture = fixture}};
    store_submissions_open(fixture->store, each_backlog, support_done, &backlogs);
    support_wait(&backlogs.outcome);
    return backlogs;
}

static void each_mailbox_with_open_ones_is_told_once(void **state)
{
    struct fixture *fixture = *state;
    struct store_registration all[] = {{.address = "a@x", .profile = "p"},
                                       {.address = "b@x", .profile = "p"},
                                       {.address = "c@x", .profile = "p"},
                                       {.address = "d@x", .profile = "p"}};
    register_all(fixture, all, 4);
    assert_int_equal(list_backlogs(fixture).count, 0);

    for (unsigned i = 0; i < 3; i++)
        add(fixture, all[0].mailbox, 10 + i);
    add(fixture, all[1].mailbox, 20);
    set_state(fixture, all[1].mailbox, 20, STORE_SUBMISSION_FAILED);
    add(fixture, all[3].mailbox, 40);
    postpone(fixture, all[3].mailbox, 40, NOW + DAY);
    struct backlogs some = list_backlogs(fixture);
    assert_int_equal(some.count, 2);
    assert_int_equal(some.all[0].mailbox.number, all[0].mailbox.number);
    assert_int_equal(some.all[0].mailbox.lease, all[0].mailbox.lease);
    assert_int_equal(some.all[0].waiting, 3);
    assert_int_equal(some.all[0].oldest_ms, NOW - 100);
    assert_int_equal(some.all[1].mailbox.number, all[3].mailbox.number);
    assert_int_equal(some.all[1].waiting, 1);
}

static void
what_waits_for_a_mailbox_that_is_gone_is_told_and_a_stray_draft_does_not_count(void **state)
{
    struct fixture *fixture = *state;
    struct store_registration all[] = {{.address = "a@x", .profile = "p"},
                                       {.address = "b@x", .profile = "p"}};
    register_all(fixture, all, 2);
    add(fixture, all[1].mailbox, 20);
    add(fixture, all[1].mailbox, 21);
    change_at(fixture, all[1].mailbox,
              (struct store_submission_change){
                  .id = id_of(21), .state = STORE_SUBMISSION_FAILED, .stray = true},
              NOW);
    register_all(fixture, all, 1);
    struct backlogs left = list_backlogs(fixture);
    assert_int_equal(left.count, 1);
    assert_int_equal(left.all[0].mailbox.number, all[1].mailbox.number);
    assert_int_equal(left.all[0].waiting, 1);
    set_state(fixture, all[1].mailbox, 20, STORE_SUBMISSION_SENT);
    left = list_backlogs(fixture);
    assert_int_equal(left.count, 1);
    assert_int_equal(left.all[0].waiting, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_setup, support_teardown)
        TEST(what_was_added_is_read_back_as_it_was),
        TEST(strings_may_be_missing),
        TEST(long_recipients_stay_whole),
        TEST(one_that_is_added_twice_is_left_as_it_is),
        TEST(the_state_of_each_id_is_told),
        TEST(they_are_listed_in_the_order_in_which_they_came),
        TEST(an_order_is_never_given_twice),
        TEST(no_more_than_the_limit_are_listed_and_more_is_told),
        TEST(those_that_wait_hold_up_nobody_and_tell_when_they_are_due),
        TEST(those_that_lapsed_are_listed_by_their_age),
        TEST(all_that_was_not_sent_is_listed_held_or_not),
        TEST(what_was_not_sent_is_listed_page_by_page),
        TEST(only_open_states_are_listed),
        TEST(all_that_became_of_one_is_kept),
        TEST(a_sent_one_with_a_stray_draft_is_open_until_that_is_gone),
        TEST(one_that_failed_can_be_queued_again),
        TEST(unknown_ids_and_those_of_others_are_left_alone),
        TEST(changes_of_one_call_are_written_together_or_not_at_all),
        TEST(writes_of_a_lost_lease_are_refused),
        TEST(each_mailbox_with_open_ones_is_told_once),
        TEST(what_waits_for_a_mailbox_that_is_gone_is_told_and_a_stray_draft_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
