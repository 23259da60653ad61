/* For the daemon's tests: what cycles tell the store and do not depend on. It always answers, and
 * counts. To be included by one file of a test, after daemon_world.h. */
#ifndef EXSYNC_TESTS_DAEMON_STORE_H
#define EXSYNC_TESTS_DAEMON_STORE_H

#include "daemon_world.h"

#include "store/store_alerts.h"

static struct {
    unsigned profile_rows, mailbox_rows; /* failures recorded */
    unsigned profile_resolved, mailbox_resolved;
    struct failure probe_failure;
    unsigned probes;
} store_world;

void store_failure_record(struct store *store, const struct store_failure *failure,
                          store_done *done, void *argument)
{
    (void)store;
    assert_null(failure->item); /* of single items others tell */
    if (failure->mailbox.number == 0)
        store_world.profile_rows++;
    else
        store_world.mailbox_rows++;
    store_answer_later(done, argument, NULL);
}

void store_failure_resolve(struct store *store, const char *profile, struct store_mailbox mailbox,
                           const char *direction, int64_t now_ms, struct store_resolved *resolved,
                           store_done *done, void *argument)
{
    (void)store, (void)profile, (void)direction, (void)now_ms, (void)resolved;
    if (mailbox.number == 0)
        store_world.profile_resolved++;
    else
        store_world.mailbox_resolved++;
    store_answer_later(done, argument, NULL);
}

void store_alert_resolve_grouped(struct store *store, const char *profile, int64_t now_ms,
                                 struct store_resolved *resolved, store_done *done, void *argument)
{
    (void)store, (void)profile, (void)now_ms, (void)resolved;
    store_answer_later(done, argument, NULL);
}

void store_sign_in_save(struct store *store, const char *profile,
                        const struct store_sign_in *sign_in, store_done *done, void *argument)
{
    (void)store, (void)profile, (void)sign_in;
    store_answer_later(done, argument, NULL);
}

void store_sign_ins_load(struct store *store,
                         void (*each)(void *argument, const char *profile,
                                      const struct store_sign_in *sign_in),
                         store_done *done, void *argument)
{
    (void)store, (void)each, (void)done, (void)argument;
    fail_msg("nothing was there before");
}

void store_probe(struct store *store, store_done *done, void *argument)
{
    (void)store;
    store_world.probes++;
    store_answer_later(done, argument, &store_world.probe_failure);
}

void store_ledger_acknowledged(struct store *store, struct store_mailbox mailbox,
                               const struct digest *items, size_t count, store_done *done,
                               void *argument)
{
    (void)store, (void)mailbox, (void)items, (void)count;
    store_answer_later(done, argument, NULL);
}

#endif
