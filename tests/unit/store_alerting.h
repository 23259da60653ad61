/* Failures that are recorded with alerts, what is to be told of them, and notifications that tell
 * it: for tests of the store. To be included by one file of a test. */
#ifndef EXSYNC_TESTS_UNIT_STORE_ALERTING_H
#define EXSYNC_TESTS_UNIT_STORE_ALERTING_H

#include "store/store_alerts.h"
#include "store_support.h"

/* --- failures with alerts --- */

/* A failure and its alert, to be changed by the test before it is recorded. */
struct trouble {
    struct store_failure failure;
    struct store_alert alert;
};

/* An error of the mailbox (number 0: of profile "p") that its owner is to be told of. */
static inline struct trouble trouble_of(struct store_mailbox mailbox,
                                        enum failure_category category, const char *code)
{
    bool of_mailbox = mailbox.number != 0;
    struct trouble trouble = {
        .failure = {.profile = "p",
                    .mailbox = mailbox,
                    .direction = of_mailbox ? "incoming" : NULL,
                    .activity = "activity",
                    .trace = "line 1\nline 2\n",
                    .now_ms = NOW,
                    .next_retry_ms = NOW + 60000,
                    .failure = {.category = category,
                                .scope = of_mailbox ? FAILURE_SCOPE_MAILBOX : FAILURE_SCOPE_PROFILE,
                                .permanent = true,
                                .http_status = 200,
                                .sentence = "It was refused.",
                                .remedy = "Grant it."}},
        .alert = {.level = STORE_ALERT_ERROR, .opening = "An error occurred.", .tell = true},
    };
    failure_set_code(&trouble.failure.failure, code);
    failure_set_step(&trouble.failure.failure, "FindItem");
    failure_set_text(&trouble.failure.failure, "denied", 6);
    return trouble;
}

static inline enum store_alert_change record(struct fixture *fixture, struct trouble *trouble)
{
    trouble->alert.id = -1;
    trouble->alert.change = (enum store_alert_change)99;
    trouble->failure.alert = &trouble->alert;
    MUST_SUCCEED(fixture,
                 store_failure_record(fixture->store, &trouble->failure, support_done, &outcome));
    return trouble->alert.change;
}

/* Opens an alert like trouble_of; returns its id. */
static inline int64_t open_alert(struct fixture *fixture, struct store_mailbox mailbox,
                                 const char *code)
{
    struct trouble trouble = trouble_of(mailbox, FAILURE_IMPERSONATION, code);
    assert_int_equal(record(fixture, &trouble), STORE_ALERT_OPENED);
    return trouble.alert.id;
}

/* One of the profile that absorbs those of its mailboxes. */
static inline struct trouble absorbing(void)
{
    struct store_mailbox none = {0};
    struct trouble trouble = trouble_of(none, FAILURE_IMPERSONATION, "most");
    trouble.alert.absorbs = true;
    return trouble;
}

static inline struct store_resolved resolve(struct fixture *fixture, struct store_mailbox mailbox,
                                            const char *direction)
{
    struct store_resolved resolved = {99, 99, 99};
    MUST_SUCCEED(fixture, store_failure_resolve(fixture->store, "p", mailbox, direction, NOW + 7,
                                                &resolved, support_done, &outcome));
    return resolved;
}

static inline struct store_resolved resolve_grouped(struct fixture *fixture)
{
    struct store_resolved resolved = {99, 99, 99};
    MUST_SUCCEED(fixture, store_alert_resolve_grouped(fixture->store, "p", NOW + 7, &resolved,
                                                      support_done, &outcome));
    return resolved;
}

static inline void register_all(struct fixture *fixture, struct store_registration *registrations,
                                size_t count)
{
    MUST_SUCCEED(fixture, store_register_mailboxes(fixture->store, registrations, count, NOW + 9,
                                                   support_done, &outcome));
}

/* Two mailboxes on profile "p". */
static inline void register_two(struct fixture *fixture, struct store_mailbox mailboxes[2])
{
    struct store_registration two[] = {{.address = "a@x", .profile = "p"},
                                       {.address = "b@x", .profile = "p"}};
    register_all(fixture, two, 2);
    mailboxes[0] = two[0].mailbox;
    mailboxes[1] = two[1].mailbox;
}

static inline void prune(struct fixture *fixture, int64_t removed_before_ms,
                         int64_t resolved_before_ms)
{
    bool more = true;
    while (more)
        MUST_SUCCEED(fixture, store_prune(fixture->store, removed_before_ms, resolved_before_ms,
                                          &more, support_done, &outcome));
}

/* --- alerts that are read --- */

enum { ROWS_MAX = 16, TEXT_MAX = 120 };

struct row {
    struct store_alert_row row; /* its strings are gone */
    char opening[TEXT_MAX];
    char reason[TEXT_MAX];
    char mailbox[TEXT_MAX];
};

struct rows {
    struct row rows[ROWS_MAX];
    size_t count;
    uint64_t total;
};

static inline void copy_rows(struct rows *rows, const struct store_alert_rows *alerts)
{
    assert_true(alerts->count <= ROWS_MAX);
    rows->count = alerts->count;
    rows->total = alerts->total;
    for (size_t i = 0; i < rows->count; i++) {
        struct row *row = &rows->rows[i];
        row->row = alerts->rows[i];
        snprintf(row->opening, sizeof row->opening, "%s", row->row.opening);
        snprintf(row->reason, sizeof row->reason, "%s", row->row.told_reason);
        snprintf(row->mailbox, sizeof row->mailbox, "%s", row->row.mailbox);
    }
}

struct rows_outcome {
    struct outcome outcome;
    struct rows rows;
};

static inline void rows_done(void *argument, const struct failure *failure,
                             const struct store_alert_rows *alerts)
{
    struct rows_outcome *read = argument;
    assert_true((failure == NULL) == (alerts != NULL));
    if (alerts != NULL)
        copy_rows(&read->rows, alerts);
    support_done(&read->outcome, failure);
}

static inline struct rows list(struct fixture *fixture, bool all, size_t limit)
{
    struct rows_outcome read = {.outcome.fixture = fixture};
    store_alerts_list(fixture->store, all, 0, limit, rows_done, &read);
    support_wait(&read.outcome);
    assert_false(read.outcome.failed);
    return read.rows;
}

/* The alert as it is now. */
static inline struct row alert_of(struct fixture *fixture, int64_t id)
{
    struct rows rows = list(fixture, true, ROWS_MAX);
    for (size_t i = 0; i < rows.count; i++)
        if (rows.rows[i].row.id == id)
            return rows.rows[i];
    fail_msg("there is no alert %lld", (long long)id);
    return rows.rows[0];
}

static inline enum store_alert_told told(struct fixture *fixture, int64_t id)
{
    return alert_of(fixture, id).row.told;
}

/* --- what is to be told --- */

struct look {
    struct outcome outcome;
    struct store_notify_state state;
    struct rows untold;
    struct rows over;
};

static inline void looked(void *argument, const struct failure *failure,
                          const struct store_notify_state *state)
{
    struct look *look = argument;
    assert_null(failure);
    look->state = *state;
    copy_rows(&look->untold, &state->untold);
    copy_rows(&look->over, &state->over);
    support_done(&look->outcome, failure);
}

static inline struct look look_at(struct fixture *fixture, const char *profile, const char *owner,
                                  int64_t since_ms, size_t limit)
{
    struct look look = {.outcome.fixture = fixture};
    store_notify_look(fixture->store, profile, owner, since_ms, limit, looked, &look);
    support_wait(&look.outcome);
    return look;
}

static inline struct look look(struct fixture *fixture)
{
    return look_at(fixture, "p", "owner@x", 0, ROWS_MAX);
}

/* --- notifications --- */

static inline void notification_id(char *id, unsigned number)
{
    snprintf(id, STORE_NOTIFICATION_ID_SIZE, "10000000-0000-4000-8000-%012u", number);
}

static inline struct store_notification
notification_of(unsigned number, enum store_notification_kind kind, int64_t up_to)
{
    struct store_notification notification = {.profile = "p",
                                              .owner = "owner@x",
                                              .kind = kind,
                                              .message = "Subject: s\r\n\r\nbody\r\n",
                                              .json = "{}",
                                              .channels = 1,
                                              .alerts_up_to = up_to};
    notification_id(notification.id, number);
    return notification;
}

static inline bool add(struct fixture *fixture, const struct store_notification *notification,
                       int64_t now_ms)
{
    bool added = false;
    MUST_SUCCEED(fixture, store_notification_add(fixture->store, notification, now_ms, &added,
                                                 support_done, &outcome));
    return added;
}

/* Tells all that is untold, by these channels. */
static inline bool tell(struct fixture *fixture, unsigned number, unsigned channels)
{
    struct store_notification notification =
        notification_of(number, STORE_NOTIFICATION_TROUBLE, look(fixture).state.untold_last);
    notification.channels = channels;
    return add(fixture, &notification, NOW);
}

static inline bool tell_well(struct fixture *fixture, unsigned number)
{
    struct store_notification notification =
        notification_of(number, STORE_NOTIFICATION_WELL, look(fixture).state.over_last);
    return add(fixture, &notification, NOW);
}

static inline struct rows result(struct fixture *fixture, unsigned number, unsigned channel,
                                 enum store_notice_outcome what, const char *reason)
{
    char id[STORE_NOTIFICATION_ID_SIZE];
    struct rows_outcome read = {.outcome.fixture = fixture};
    const struct store_notice_result result = {.id = id,
                                               .channel = channel,
                                               .outcome = what,
                                               .reason = reason,
                                               .next_try_ms = NOW + 60000};
    notification_id(id, number);
    store_notice_result(fixture->store, &result, NOW + 3, ROWS_MAX, rows_done, &read);
    memset(id, '?', sizeof id - 1);
    support_wait(&read.outcome);
    assert_false(read.outcome.failed);
    return read.rows;
}

/* Opens an alert of which the owner is told at once by notification `number`. */
static inline int64_t told_alert(struct fixture *fixture, struct store_mailbox mailbox,
                                 const char *code, unsigned number)
{
    int64_t id = open_alert(fixture, mailbox, code);
    assert_true(tell(fixture, number, 1));
    assert_int_equal(result(fixture, number, 0, STORE_NOTICE_HANDED, NULL).total, 1);
    return id;
}

#endif
