/* For the tests of alerts: a profile with some mailboxes, and a store that keeps what it was asked
 * and answers as the test says. To be included by one file of a test. */
#ifndef EXSYNC_TESTS_DAEMON_ALERTS_WORLD_H
#define EXSYNC_TESTS_DAEMON_ALERTS_WORLD_H

#include "daemon_logged.h"

#include "base/buffer.h"
#include "daemon/alerts.h"
#include "daemon/mailbox.h"
#include "daemon/messages.h"
#include "daemon/notify.h"
#include "daemon/profile.h"

enum { MAILBOXES = 8, RECORDS_MAX = 8 };

/* --- the store --- */

/* A failure that was recorded; its alert is read when the store answers, as the real one does. */
struct recorded {
    struct store_failure row; /* its strings are gone */
    bool has_alert;
    struct store_alert *alert;
    char trace[512];
    store_done *done;
    void *argument;
};

static struct {
    struct recorded records[RECORDS_MAX];
    size_t count;
    size_t answered;
    struct store_resolved resolves; /* what resolving finds */
    struct failure failure;         /* what each write meets */
    char resolved[64];              /* what was asked to be resolved last: MAILBOX DIRECTION */
    unsigned resolved_grouped;
} kept;

void store_failure_record(struct store *store, const struct store_failure *failure,
                          store_done *done, void *argument)
{
    (void)store;
    assert_true(kept.count < RECORDS_MAX);
    struct recorded *record = &kept.records[kept.count++];
    record->row = *failure;
    record->has_alert = failure->alert != NULL;
    record->alert = failure->alert;
    snprintf(record->trace, sizeof record->trace, "%s", failure->trace);
    record->done = done;
    record->argument = argument;
}

static const struct failure *kept_failure(void)
{
    return failure_is_set(&kept.failure) ? &kept.failure : NULL;
}

/* The store answers the oldest question. */
static inline void store_answers(int64_t id, enum store_alert_change change)
{
    assert_true(kept.answered < kept.count);
    struct recorded *record = &kept.records[kept.answered++];
    if (record->has_alert && !failure_is_set(&kept.failure)) {
        record->alert->id = id;
        record->alert->change = change;
    }
    record->alert = NULL;
    if (record->done != NULL)
        record->done(record->argument, kept_failure());
}

void store_failure_resolve(struct store *store, const char *profile, struct store_mailbox mailbox,
                           const char *direction, int64_t now_ms, struct store_resolved *resolved,
                           store_done *done, void *argument)
{
    (void)store, (void)now_ms;
    assert_string_equal(profile, "contoso");
    snprintf(kept.resolved, sizeof kept.resolved, "%d %s", (int)mailbox.number,
             direction == NULL ? "both" : direction);
    *resolved = kept.resolves;
    done(argument, kept_failure());
}

void store_alert_resolve_grouped(struct store *store, const char *profile, int64_t now_ms,
                                 struct store_resolved *resolved, store_done *done, void *argument)
{
    (void)store, (void)now_ms;
    assert_string_equal(profile, "contoso");
    kept.resolved_grouped++;
    *resolved = kept.resolves;
    done(argument, kept_failure());
}

/* --- the owner --- */

static unsigned owners_woken;

void notifier_wake(struct notifier *notifier, const char *profile)
{
    assert_null(notifier);
    assert_string_equal(profile, "contoso");
    owners_woken++;
}

void notifier_wake_if_well(struct notifier *notifier, const char *profile)
{
    assert_null(notifier);
    assert_string_equal(profile, "contoso");
}

/* --- a profile with some mailboxes --- */

struct fixture {
    struct context context;
    struct config_profile profile_config;
    struct config_mailbox mailbox_config;
    struct profile profile;
    struct mailbox mailbox;
    unsigned done; /* records whose end was told */
    unsigned failed;
};

static inline int set_up(void **state)
{
    struct fixture *fixture = memory_allocate(sizeof *fixture);
    memset(&kept, 0, sizeof kept);
    owners_woken = 0;
    fixture->context.executor = executor_create();
    fixture->profile_config = (struct config_profile){
        .name = "contoso",
        .url = "https://mail.contoso.com/EWS/Exchange.asmx",
        .username = "CONTOSO\\svc-sync",
        .owner = "admins@contoso.com",
        .notify_channels = CONFIG_NOTIFY_SMTP,
        .item_attempts = 3,
    };
    fixture->mailbox_config.address = "carla@contoso.com";
    fixture->profile.context = &fixture->context;
    fixture->profile.config = &fixture->profile_config;
    fixture->profile.current = true;
    fixture->profile.users = 1;
    fixture->profile.mailbox_count = MAILBOXES;
    fixture->mailbox.config = &fixture->mailbox_config;
    fixture->mailbox.profile = &fixture->profile;
    fixture->mailbox.id.number = 7;
    *state = fixture;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(kept.answered, kept.count);
    assert_int_equal(fixture->profile.users, 1); /* whoever used it has given it back */
    logged_forget();
    executor_free(fixture->context.executor);
    memory_free(fixture);
    return 0;
}

static inline struct cycle cycle_of(struct fixture *fixture)
{
    struct cycle cycle = {
        .context = &fixture->context,
        .mailbox = &fixture->mailbox,
        .profile = &fixture->profile,
        .activity = "6f0c2c1e-0000-4000-8000-000000000000",
        .started_wall_ms = 1700000000000,
    };
    return cycle;
}

static const struct failure denied = {
    .category = FAILURE_IMPERSONATION,
    .scope = FAILURE_SCOPE_MAILBOX,
    .permanent = true,
    .http_status = 500,
    .code = "ErrorImpersonateUserDenied",
    .step = "FindItem",
    .text = "The account does not have permission to impersonate the requested user.",
    .sentence = "The account may not impersonate the mailbox.",
    .remedy = "Give it the role.",
};

static const struct failure busy = {
    .category = FAILURE_THROTTLING,
    .scope = FAILURE_SCOPE_MAILBOX,
    .code = "ErrorServerBusy",
    .step = "FindItem",
    .sentence = "The server is busy.",
    .remedy = "",
};

static const struct failure refused = {
    .category = FAILURE_AUTHENTICATION,
    .scope = FAILURE_SCOPE_PROFILE,
    .permanent = true,
    .http_status = 401,
    .code = "HTTP 401",
    .step = "FindItem",
    .sentence = "The server did not accept the account's credentials.",
    .remedy = "",
};

/* As the outcome of a cycle records it. */
static inline struct store_failure row_of(struct fixture *fixture, const struct cycle *cycle,
                                          const struct failure *failure)
{
    bool of_profile = failure->scope == FAILURE_SCOPE_PROFILE;
    struct store_failure row = {
        .failure = *failure,
        .profile = "contoso",
        .mailbox = of_profile ? (struct store_mailbox){0} : fixture->mailbox.id,
        .direction = of_profile ? NULL : cycle_direction_name(cycle->direction),
        .activity = cycle->activity,
    };
    return row;
}

static inline void note_done(void *argument, const struct failure *failure)
{
    struct fixture *fixture = argument;
    fixture->done++;
    fixture->failed += failure != NULL;
}

/* Records it, with all that the caller passed gone before the store answers. Returns the alert that
 * the store is to open; NULL: none. */
static inline const struct store_alert *
record_row(struct fixture *fixture, const struct cycle *cycle, struct store_failure row)
{
    size_t before = kept.count;
    alerts_record(cycle, &row, note_done, fixture);
    assert_true(kept.count > before);
    return kept.records[before].alert;
}

static inline const struct store_alert *record(struct fixture *fixture,
                                               const struct failure *failure)
{
    struct cycle cycle = cycle_of(fixture);
    return record_row(fixture, &cycle, row_of(fixture, &cycle, failure));
}

#define with_profile(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
