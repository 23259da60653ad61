/* Submissions as the store's tests add, change and list them. To be included by one file of a test.
 */
#ifndef EXSYNC_TESTS_STORE_SUBMISSIONS_H
#define EXSYNC_TESTS_STORE_SUBMISSIONS_H

#include "store_support.h"

/* --- adding, changing, reading --- */

static inline const char *id_of(unsigned number)
{
    static char ids[4][STORE_SUBMISSION_ID_SIZE];
    static unsigned turn;
    char *id = ids[turn++ % 4];
    snprintf(id, STORE_SUBMISSION_ID_SIZE, "00000000-0000-4000-8000-%012u", number);
    return id;
}

static inline struct store_submission submission_of(unsigned number)
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

static inline void add(struct fixture *fixture, struct store_mailbox mailbox, unsigned number)
{
    struct store_submission submission = submission_of(number);
    MUST_SUCCEED(fixture, store_submission_add(fixture->store, mailbox, &submission, NOW,
                                               support_done, &outcome));
}

static inline void change_at(struct fixture *fixture, struct store_mailbox mailbox,
                             struct store_submission_change change, int64_t now_ms)
{
    MUST_SUCCEED(fixture, store_submissions_change(fixture->store, mailbox, &change, 1, now_ms,
                                                   support_done, &outcome));
}

static inline void set_state(struct fixture *fixture, struct store_mailbox mailbox, unsigned number,
                             enum store_submission_state state)
{
    change_at(fixture, mailbox,
              (struct store_submission_change){.id = id_of(number), .state = state}, NOW);
}

static inline void postpone(struct fixture *fixture, struct store_mailbox mailbox, unsigned number,
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

static inline void listed(void *argument, const struct failure *failure,
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

static inline void listing_release(struct listing *listing)
{
    for (size_t i = 0; i < 4; i++)
        memory_free(listing->strings[i]);
}

/* Its strings stay until listing_release. */
static inline struct listing list_whole(struct fixture *fixture, struct store_mailbox mailbox,
                                        int64_t now_ms, size_t limit)
{
    struct listing listing = {.outcome = {.fixture = fixture}};
    store_submissions_due(fixture->store, mailbox, now_ms, limit, listed, &listing);
    support_wait(&listing.outcome);
    assert_false(listing.outcome.failed);
    return listing;
}

static inline struct listing list(struct fixture *fixture, struct store_mailbox mailbox,
                                  int64_t now_ms, size_t limit)
{
    struct listing listing = list_whole(fixture, mailbox, now_ms, limit);
    listing_release(&listing);
    memset(listing.strings, 0, sizeof listing.strings);
    return listing;
}

static inline bool known(struct fixture *fixture, unsigned number)
{
    const char *id = id_of(number);
    uint8_t result = 0;
    MUST_SUCCEED(fixture,
                 store_submissions_states(fixture->store, &id, 1, &result, support_done, &outcome));
    return result != 0;
}

static inline bool prune(struct fixture *fixture, int64_t removed_before_ms,
                         int64_t resolved_before_ms)
{
    bool more = false;
    MUST_SUCCEED(fixture, store_prune(fixture->store, removed_before_ms, resolved_before_ms, &more,
                                      support_done, &outcome));
    return more;
}

static inline int64_t rows(struct fixture *fixture)
{
    return support_number(fixture, "SELECT count(*) FROM submission");
}

static inline void register_all(struct fixture *fixture, struct store_registration *registrations,
                                size_t count)
{
    MUST_SUCCEED(fixture, store_register_mailboxes(fixture->store, registrations, count, NOW,
                                                   support_done, &outcome));
}

#endif
