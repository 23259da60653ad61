/* For the tests of notifications: a store in memory that knows of one profile's alerts only how
 * many there are, and of each channel's notices the oldest. It answers when the test says so. To be
 * included by one file of a test. */
#ifndef EXSYNC_TESTS_DAEMON_NOTIFY_STORE_H
#define EXSYNC_TESTS_DAEMON_NOTIFY_STORE_H

#include "daemon_clock.h"

#include "base/memory.h"
#include "store/store_alerts.h"

#include <stdio.h>
#include <string.h>

enum { MADE_MAX = 16 };

/* Questions that the store cannot answer. */
enum { LOOKING_FAILS = 1, ADDING_FAILS = 2, LOADING_FAILS = 4, RESULT_FAILS = 8 };

static struct {
    /* The alerts, all alike. */
    struct store_alert_row alert;
    uint64_t untold, told, over;
    bool vanish; /* they are over between being looked for and being told of */

    /* The notifications, and the last one of them. */
    int64_t made_ms[MADE_MAX];
    size_t made;
    char id[STORE_NOTIFICATION_ID_SIZE];
    char owner[64];
    enum store_notification_kind kind;
    unsigned channels;
    char *message, *json; /* owned */
    uint64_t tells;       /* alerts */

    /* Its notices. */
    struct store_notice notices[STORE_CHANNELS];
    bool waits[STORE_CHANNELS];
    bool handed;

    /* What was asked. */
    unsigned looks, adds, loads, results;
    struct store_notice_result result; /* the last; its strings are gone */
    char reason[256];
    char looked_for[64]; /* the owner */

    unsigned fails; /* the questions that meet a full disk */
} kept;

static inline void kept_forget(void)
{
    memory_free(kept.message);
    memory_free(kept.json);
    memset(&kept, 0, sizeof kept);
}

/* --- answers that are still to come --- */

struct answer {
    void (*run)(struct answer *answer);
    void (*done)(void); /* cast back by `run` */
    void *argument;
    bool changes; /* what the owner knows */
    struct answer *next;
};

static struct answer *first_answer;

static inline struct answer *answer_later(void (*run)(struct answer *answer), void (*done)(void),
                                          void *argument)
{
    struct answer *answer = memory_allocate(sizeof *answer), **end = &first_answer;
    while (*end != NULL)
        end = &(*end)->next;
    answer->run = run;
    answer->done = done;
    answer->argument = argument;
    *end = answer;
    return answer;
}

static inline bool answer_next(void)
{
    struct answer *answer = first_answer;
    if (answer == NULL)
        return false;
    first_answer = answer->next;
    answer->run(answer);
    memory_free(answer);
    return true;
}

static inline void answer_all(void)
{
    while (answer_next())
        continue;
}

static const struct failure disk_full = {
    .category = FAILURE_STORAGE,
    .scope = FAILURE_SCOPE_SERVER,
    .code = "SQLITE_FULL",
};

static inline const struct failure *kept_failure(unsigned question)
{
    return (kept.fails & question) != 0 ? &disk_full : NULL;
}

/* --- what is to be told --- */

static inline struct store_alert_rows kept_rows(uint64_t count)
{
    return (struct store_alert_rows){
        .rows = count > 0 ? &kept.alert : NULL, .count = count > 0 ? 1 : 0, .total = count};
}

static inline bool kept_waits(void)
{
    for (size_t i = 0; i < STORE_CHANNELS; i++) {
        if (kept.waits[i])
            return true;
    }
    return false;
}

static inline void kept_look(struct answer *answer)
{
    store_notify_done *done = (store_notify_done *)answer->done;
    struct store_notify_state state = {
        .untold = kept_rows(kept.untold),
        .untold_last = 5,
        .over = kept_rows(kept.over),
        .over_last = 6,
        .open_told = kept.told,
        .pending = kept_waits() && !kept.handed,
    };
    for (size_t i = kept.made; i-- > 0;) {
        if (kept.made_ms[i] < wall_ms - HOUR_MS)
            continue;
        state.recent++;
        state.recent_first_ms = kept.made_ms[i];
    }
    const struct failure *failure = kept_failure(LOOKING_FAILS);
    done(answer->argument, failure, failure == NULL ? &state : NULL);
}

void store_notify_look(struct store *store, const char *profile, const char *owner,
                       int64_t since_ms, size_t limit, store_notify_done *done, void *argument)
{
    (void)store;
    assert_string_equal(profile, "contoso");
    assert_int_equal(since_ms, wall_ms - HOUR_MS);
    assert_true(limit > 0);
    snprintf(kept.looked_for, sizeof kept.looked_for, "%s", owner);
    kept.looks++;
    answer_later(kept_look, (void (*)(void))done, argument);
}

/* --- a notification --- */

static inline void kept_take(const struct store_notification *notification)
{
    assert_true(kept.made < MADE_MAX);
    kept.made_ms[kept.made++] = wall_ms;
    memory_free(kept.message);
    memory_free(kept.json);
    memcpy(kept.id, notification->id, sizeof kept.id);
    snprintf(kept.owner, sizeof kept.owner, "%s", notification->owner);
    kept.kind = notification->kind;
    kept.channels = notification->channels;
    kept.message = memory_copy_string(notification->message);
    kept.json = memory_copy_string(notification->json);
    kept.handed = false;
    for (unsigned channel = 0; channel < STORE_CHANNELS; channel++) {
        kept.waits[channel] = (kept.channels >> channel & 1) != 0;
        kept.notices[channel] = (struct store_notice){.channel = channel,
                                                      .kind = kept.kind,
                                                      .channels = kept.channels,
                                                      .created_ms = wall_ms,
                                                      .owner = kept.owner,
                                                      .message = kept.message,
                                                      .json = kept.json};
        memcpy(kept.notices[channel].id, kept.id, sizeof kept.id);
    }
}

static inline void kept_add(struct answer *answer)
{
    store_done *done = (store_done *)answer->done;
    done(answer->argument, kept_failure(ADDING_FAILS));
}

void store_notification_add(struct store *store, const struct store_notification *notification,
                            int64_t now_ms, bool *added, store_done *done, void *argument)
{
    bool trouble = notification->kind == STORE_NOTIFICATION_TROUBLE;
    (void)store;
    assert_int_equal(now_ms, wall_ms);
    assert_string_equal(notification->profile, "contoso");
    assert_int_equal(notification->alerts_up_to, trouble ? 5 : 6);
    kept.adds++;
    *added = kept_failure(ADDING_FAILS) == NULL && !kept.vanish;
    if (*added) {
        kept_take(notification);
        kept.tells = trouble ? kept.untold : kept.over;
        kept.told += trouble ? kept.untold : 0;
        *(trouble ? &kept.untold : &kept.over) = 0;
    }
    answer_later(kept_add, (void (*)(void))done, argument);
}

/* --- notices --- */

static inline void kept_load(struct answer *answer)
{
    store_notices_done *done = (store_notices_done *)answer->done;
    struct store_notice notices[STORE_CHANNELS];
    size_t count = 0;
    for (size_t i = 0; i < STORE_CHANNELS; i++) {
        if (kept.waits[i])
            notices[count++] = kept.notices[i];
    }
    const struct failure *failure = kept_failure(LOADING_FAILS);
    done(answer->argument, failure, failure == NULL ? notices : NULL, failure == NULL ? count : 0);
}

void store_notices_waiting(struct store *store, const char *profile, store_notices_done *done,
                           void *argument)
{
    (void)store;
    assert_string_equal(profile, "contoso");
    kept.loads++;
    answer_later(kept_load, (void (*)(void))done, argument);
}

static inline void kept_settle(struct answer *answer)
{
    store_alerts_done *done = (store_alerts_done *)answer->done;
    struct store_alert_rows changed = kept_rows(answer->changes ? kept.tells : 0);
    const struct failure *failure = kept_failure(RESULT_FAILS);
    done(answer->argument, failure, failure == NULL ? &changed : NULL);
}

static inline bool kept_change_told(const struct store_notice_result *result)
{
    enum store_alert_told told =
        result->outcome == STORE_NOTICE_HANDED ? STORE_TOLD_DONE : STORE_TOLD_NOT;
    bool changes = kept.alert.told != told && kept.alert.told != STORE_TOLD_DONE;
    if (changes)
        kept.alert.told = told;
    return changes;
}

void store_notice_result(struct store *store, const struct store_notice_result *result,
                         int64_t now_ms, size_t limit, store_alerts_done *done, void *argument)
{
    (void)store;
    assert_int_equal(now_ms, wall_ms);
    assert_true(limit > 0);
    assert_string_equal(result->id, kept.id);
    kept.results++;
    kept.result = *result;
    snprintf(kept.reason, sizeof kept.reason, "%s", result->reason == NULL ? "" : result->reason);
    struct answer *answer = answer_later(kept_settle, (void (*)(void))done, argument);
    if (kept_failure(RESULT_FAILS) != NULL)
        return;
    struct store_notice *notice = &kept.notices[result->channel];
    assert_true(kept.waits[result->channel]);
    kept.waits[result->channel] = result->outcome == STORE_NOTICE_FAILED;
    notice->next_try_ms = result->next_try_ms;
    notice->attempts += result->outcome != STORE_NOTICE_HANDED;
    kept.handed |= result->outcome == STORE_NOTICE_HANDED;
    for (size_t i = 0; i < STORE_CHANNELS; i++)
        kept.notices[i].handed = kept.handed;
    kept.alert.told_reason = kept.reason;
    answer->changes = kept.kind == STORE_NOTIFICATION_TROUBLE && kept_change_told(result);
}

#endif
