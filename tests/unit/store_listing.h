/* What store_open_items finds, and items that fail or are seen: for tests of the ledger. */
#ifndef EXSYNC_TESTS_UNIT_STORE_LISTING_H
#define EXSYNC_TESTS_UNIT_STORE_LISTING_H

#include "store_support.h"

/* A copy of what store_open_items found. */
struct listing {
    struct outcome outcome;
    size_t count;
    bool more;
    bool waiting;
    int64_t position;
    struct {
        enum store_open_kind kind;
        struct store_key key;
        int64_t received_ms;
        uint32_t attempts;
        char name[64];
        char reference[64];
    } items[64];
};

__attribute__((unused)) static void copy_text(char *copy, size_t size, const char *text)
{
    snprintf(copy, size, "%s", text != NULL ? text : "(none)");
}

__attribute__((unused)) static void listed(void *argument, const struct failure *failure,
                                           const struct store_open_items *items)
{
    struct listing *listing = argument;
    assert_null(failure);
    listing->count = items->count;
    listing->more = items->more;
    listing->waiting = items->waiting;
    listing->position = items->position;
    assert_true(items->count <= 64);
    for (size_t i = 0; i < items->count; i++) {
        const struct store_open_item *item = &items->items[i];
        listing->items[i].kind = item->kind;
        listing->items[i].key = item->key;
        listing->items[i].received_ms = item->received_ms;
        listing->items[i].attempts = item->attempts;
        copy_text(listing->items[i].name, 64, item->name);
        copy_text(listing->items[i].reference, 64, item->reference);
    }
    support_done(&listing->outcome, failure);
}

__attribute__((unused)) static struct listing list_from(struct fixture *fixture,
                                                        struct store_mailbox mailbox,
                                                        int64_t now_ms, int64_t position,
                                                        size_t limit)
{
    struct listing listing = {.outcome.fixture = fixture};
    store_open_items(fixture->store, mailbox, now_ms, position, limit, listed, &listing);
    support_wait(&listing.outcome);
    return listing;
}

__attribute__((unused)) static struct listing
list(struct fixture *fixture, struct store_mailbox mailbox, int64_t now_ms, size_t limit)
{
    return list_from(fixture, mailbox, now_ms, 0, limit);
}

__attribute__((unused)) static void fail_item_as(struct fixture *fixture,
                                                 struct store_mailbox mailbox, struct store_key key,
                                                 const char *reference, uint32_t attempts,
                                                 int64_t next_retry_ms, bool set_aside)
{
    struct store_delivery item = {.key = key, .received_ms = NOW - 5, .reference = reference};
    struct store_failure failure = {
        .profile = "p",
        .mailbox = mailbox,
        .direction = "incoming",
        .now_ms = NOW,
        .next_retry_ms = next_retry_ms,
        .item = &item,
        .attempts = attempts,
        .set_aside = set_aside,
        .failure = {.category = FAILURE_ITEM,
                    .scope = FAILURE_SCOPE_ITEM,
                    .sentence = "s",
                    .remedy = ""},
    };
    failure_set_code(&failure.failure, "ErrorCorruptData");
    failure_set_step(&failure.failure, "GetItem");
    MUST_SUCCEED(fixture, store_failure_record(fixture->store, &failure, support_done, &outcome));
}

__attribute__((unused)) static void fail_item(struct fixture *fixture, struct store_mailbox mailbox,
                                              struct store_key key, const char *reference,
                                              uint32_t attempts, int64_t next_retry_ms)
{
    fail_item_as(fixture, mailbox, key, reference, attempts, next_retry_ms, false);
}

__attribute__((unused)) static void see(struct fixture *fixture, struct store_mailbox mailbox,
                                        struct store_key key, const char *reference, int64_t now_ms)
{
    struct store_seen seen = {.key = key, .reference = reference};
    MUST_SUCCEED(fixture, store_ledger_seen(fixture->store, mailbox, &seen, 1, now_ms, support_done,
                                            &outcome));
}

__attribute__((unused)) static int64_t open_failures(struct fixture *fixture)
{
    return support_number(fixture, "SELECT count(*) FROM failure WHERE resolved_at IS NULL");
}

#endif
