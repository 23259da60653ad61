#include "store_support.h"

#include "base/random.h"

#include <signal.h>
#include <sys/wait.h>

/* --- adding, changing, reading --- */

static const char *id_of(unsigned number)
{
    static char ids[4][STORE_SUBMISSION_ID_SIZE];
    static unsigned turn;
    char *id = ids[turn++ % 4];
    snprintf(id, STORE_SUBMISSION_ID_SIZE, "00000000-0000-4000-8000-%012u", number);
    return id;
}

static struct store_submission submission_of(unsigned number)
{
    struct store_submission submission = {
        .queued_ms = NOW - 100,
        .size = 5000000000,
        .submitter = 4000000000,
        .message_id = "<1@x>",
        .subject = "Gr\u00fc\u00dfe",
        .recipients = "to b@x Bea\nbcc c@x\n",
    };
    snprintf(submission.id, sizeof submission.id, "%s", id_of(number));
    return submission;
}

static void add(struct fixture *fixture, struct store_mailbox mailbox, unsigned number)
{
    struct store_submission submission = submission_of(number);
    MUST_SUCCEED(fixture, store_submission_add(fixture->store, mailbox, &submission, NOW,
                                               support_done, &outcome));
}

static void change_at(struct fixture *fixture, struct store_mailbox mailbox,
                      struct store_submission_change change, int64_t now_ms)
{
    MUST_SUCCEED(fixture, store_submissions_change(fixture->store, mailbox, &change, 1, now_ms,
                                                   support_done, &outcome));
}

static void set_state(struct fixture *fixture, struct store_mailbox mailbox, unsigned number,
                      enum store_submission_state state)
{
    change_at(fixture, mailbox,
              (struct store_submission_change){.id = id_of(number), .state = state}, NOW);
}

static void postpone(struct fixture *fixture, struct store_mailbox mailbox, unsigned number,
                     int64_t next_try_ms)
{
    change_at(fixture, mailbox,
              (struct store_submission_change){.id = id_of(number),
                                               .state = STORE_SUBMISSION_QUEUED,
                                               .attempts = 1,
                                               .next_try_ms = next_try_ms},
              NOW);
}

enum { LISTED_MAX = 16 };

struct listing {
    struct outcome outcome;
    unsigned numbers[LISTED_MAX];
    size_t count;
    bool more;
    int64_t next_ms;
    struct store_submission first;
    char *strings[4]; /* of the first one: copies */
};

static void listed(void *argument, const struct failure *failure,
                   const struct store_submissions *submissions)
{
    struct listing *listing = argument;
    assert_true((failure == NULL) == (submissions != NULL));
    if (submissions != NULL) {
        assert_true(submissions->count <= LISTED_MAX);
        listing->count = submissions->count;
        listing->more = submissions->more;
        listing->next_ms = submissions->next_ms;
        for (size_t i = 0; i < listing->count; i++) {
            listing->numbers[i] = (unsigned)strtoul(submissions->submissions[i].id + 24, NULL, 10);
            if (i > 0)
                assert_true(submissions->submissions[i].order >
                            submissions->submissions[i - 1].order);
        }
        if (listing->count > 0) {
            listing->first = submissions->submissions[0];
            listing->strings[0] = memory_copy_string(listing->first.message_id);
            listing->strings[1] = memory_copy_string(listing->first.subject);
            listing->strings[2] = memory_copy_string(listing->first.recipients);
            listing->strings[3] = memory_copy_string(listing->first.reference);
        }
    }
    support_done(&listing->outcome, failure);
}

static void listing_release(struct listing *listing)
{
    for (size_t i = 0; i < 4; i++)
        memory_free(listing->strings[i]);
}

/* Its strings stay until listing_release. */
static struct listing list_whole(struct fixture *fixture, struct store_mailbox mailbox,
                                 int64_t now_ms, size_t limit)
{
    struct listing listing = {.outcome = {.fixture = fixture}};
    store_submissions_due(fixture->store, mailbox, now_ms, limit, listed, &listing);
    support_wait(&listing.outcome);
    assert_false(listing.outcome.failed);
    return listing;
}

static struct listing list(struct fixture *fixture, struct store_mailbox mailbox, int64_t now_ms,
                           size_t limit)
{
    struct listing listing = list_whole(fixture, mailbox, now_ms, limit);
    listing_release(&listing);
    memset(listing.strings, 0, sizeof listing.strings);
    return listing;
}

static bool known(struct fixture *fixture, unsigned number)
{
    const char *id = id_of(number);
    uint8_t result = 0;
    MUST_SUCCEED(fixture,
                 store_submissions_states(fixture->store, &id, 1, &result, support_done, &outcome));
    return result != 0;
}

static bool prune(struct fixture *fixture, int64_t removed_before_ms, int64_t resolved_before_ms)
{
    bool more = false;
    MUST_SUCCEED(fixture, store_prune(fixture->store, removed_before_ms, resolved_before_ms, &more,
                                      support_done, &outcome));
    return more;
}

static int64_t rows(struct fixture *fixture)
{
    return support_number(fixture, "SELECT count(*) FROM submission");
}

static void register_all(struct fixture *fixture, struct store_registration *registrations,
                         size_t count)
{
    MUST_SUCCEED(fixture, store_register_mailboxes(fixture->store, registrations, count, NOW,
                                                   support_done, &outcome));
}

/* --- the tests --- */

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

struct mailboxes {
    struct outcome outcome;
    int64_t numbers[LISTED_MAX];
    size_t count;
};

static void each_mailbox(void *argument, int64_t mailbox)
{
    struct mailboxes *mailboxes = argument;
    assert_false(mailboxes->outcome.done);
    assert_true(mailboxes->count < LISTED_MAX);
    mailboxes->numbers[mailboxes->count++] = mailbox;
}

static void each_mailbox_with_open_ones_is_told_once(void **state)
{
    struct fixture *fixture = *state;
    struct store_registration all[] = {{.address = "a@x", .profile = "p"},
                                       {.address = "b@x", .profile = "p"},
                                       {.address = "c@x", .profile = "p"},
                                       {.address = "d@x", .profile = "p"}};
    register_all(fixture, all, 4);
    struct mailboxes none = {.outcome = {.fixture = fixture}};
    store_submissions_open(fixture->store, each_mailbox, support_done, &none);
    support_wait(&none.outcome);
    assert_int_equal(none.count, 0);

    for (unsigned i = 0; i < 3; i++)
        add(fixture, all[0].mailbox, 10 + i);
    add(fixture, all[1].mailbox, 20);
    set_state(fixture, all[1].mailbox, 20, STORE_SUBMISSION_FAILED);
    add(fixture, all[3].mailbox, 40);
    postpone(fixture, all[3].mailbox, 40, NOW + DAY);
    struct mailboxes some = {.outcome = {.fixture = fixture}};
    store_submissions_open(fixture->store, each_mailbox, support_done, &some);
    support_wait(&some.outcome);
    assert_int_equal(some.count, 2);
    assert_int_equal(some.numbers[0], all[0].mailbox.number);
    assert_int_equal(some.numbers[1], all[3].mailbox.number);
}

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
    uint32_t resolved = 9;
    MUST_SUCCEED(fixture, store_failure_resolve(fixture->store, "p", mailbox, "outgoing", NOW,
                                                &resolved, support_done, &outcome));
    assert_int_equal(resolved, 1);
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

static void a_database_of_version_1_goes_on_with_what_it_holds(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox mailbox = support_mailbox(fixture, "a@x");
    assert_true(support_deliver(fixture, mailbox, support_key(1, 0), NULL));
    struct outcome back = {.fixture = fixture};
    support_sql_start(
        fixture,
        "DROP TABLE submission; DROP INDEX failure_same; DROP INDEX failure_submission;"
        " ALTER TABLE failure DROP COLUMN submission;"
        " CREATE INDEX failure_same ON failure (mailbox, resolved_at, item, profile,"
        " direction, step, code, category, scope); PRAGMA user_version = 1",
        &back);
    support_wait(&back);
    assert_false(back.failed);
    support_close(fixture);
    support_open(fixture);
    assert_int_equal(support_number(fixture, "PRAGMA user_version"), 2);
    assert_int_equal(support_mailbox(fixture, "a@x").number, mailbox.number);
    assert_int_equal(support_check(fixture, mailbox, support_key(1, 0)), STORE_ITEM_DELIVERING);
    add(fixture, mailbox, 1);
    assert_int_equal(list(fixture, mailbox, NOW, 10).count, 1);
}

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
        TEST(what_was_added_is_read_back_as_it_was),
        TEST(strings_may_be_missing),
        TEST(long_recipients_stay_whole),
        TEST(one_that_is_added_twice_is_left_as_it_is),
        TEST(the_state_of_each_id_is_told),
        TEST(they_are_listed_in_the_order_in_which_they_came),
        TEST(an_order_is_never_given_twice),
        TEST(no_more_than_the_limit_are_listed_and_more_is_told),
        TEST(those_that_wait_hold_up_nobody_and_tell_when_they_are_due),
        TEST(only_open_states_are_listed),
        TEST(all_that_became_of_one_is_kept),
        TEST(a_sent_one_with_a_stray_draft_is_open_until_that_is_gone),
        TEST(one_that_failed_can_be_queued_again),
        TEST(unknown_ids_and_those_of_others_are_left_alone),
        TEST(changes_of_one_call_are_written_together_or_not_at_all),
        TEST(writes_of_a_lost_lease_are_refused),
        TEST(each_mailbox_with_open_ones_is_told_once),
        TEST(a_failure_tells_which_message_it_is_about),
        TEST(failures_of_two_messages_are_two),
        TEST(what_failed_of_a_message_is_over_when_it_is_sent),
        TEST(a_mailbox_that_works_again_leaves_the_failures_of_messages),
        TEST(a_merged_mailbox_takes_its_submissions_along),
        TEST(a_renamed_mailbox_keeps_its_submissions),
        TEST(a_removed_mailbox_stays_while_it_has_something_to_send),
        TEST(finished_ones_are_pruned_by_their_age_in_bounded_steps),
        TEST(a_database_of_version_1_goes_on_with_what_it_holds),
        TEST(what_was_done_survives_a_kill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
