/* For the taker's tests: a mailbox whose items are taken in the world of daemon_take_world.h, and
 * what is asserted of them afterwards. To be included by one file of a test. */
#ifndef EXSYNC_TESTS_DAEMON_TAKE_MAILBOX_H
#define EXSYNC_TESTS_DAEMON_TAKE_MAILBOX_H

#include "daemon_take_world.h"

#include "daemon/disks.h"
#include "daemon/scheduler.h"

struct fixture {
    struct executor *executor;
    struct disks disks;
    struct context context;
    struct config_profile profile_config;
    struct config_mailbox_settings settings;
    struct config_mailbox mailbox_config;
    struct scheduler scheduler;
    struct profile profile;
    struct mailbox mailbox;
    struct cycle cycle;
    struct item_list items;
    struct taker taker;
};

static inline void taken(struct taker *taker, const struct failure *failure)
{
    (void)taker;
    world.ends++;
    world.end = failure == NULL ? (struct failure){0} : *failure;
}

/* Items 0 .. count-1 in the order in which they were received; newest first in the list. */
static inline struct fixture *fixture_create(int count)
{
    struct fixture *fixture = memory_allocate(sizeof *fixture);
    world = (struct world){.suspect_failure = whole_failure};
    logged_forget();
    cancelled_operations = 0;
    fixture->executor = executor_create();
    fixture->context = (struct context){.executor = fixture->executor, .disks = &fixture->disks};
    fixture->scheduler.context = &fixture->context;
    fixture->profile_config = (struct config_profile){
        .name = "contoso",
        .batch_size = 100,
        .batch_bytes = 1 << 30,
        .retry_min_ms = 1000,
        .retry_max_ms = 60000,
        .item_attempts = 5,
    };
    fixture->settings.profile = &fixture->profile_config;
    fixture->mailbox_config.address = "ann@example.com";
    fixture->mailbox_config.settings = &fixture->settings;
    fixture->profile.config = &fixture->profile_config;
    fixture->profile.owner = &fixture->scheduler;
    fixture->profile.users = 1;
    fixture->mailbox.config = &fixture->mailbox_config;
    fixture->mailbox.profile = &fixture->profile;
    fixture->mailbox.sink_checked = true;
    fixture->cycle.context = &fixture->context;
    fixture->cycle.mailbox = &fixture->mailbox;
    fixture->cycle.profile = &fixture->profile;
    for (int i = count - 1; i >= 0; i--) {
        char reference[16];
        snprintf(reference, sizeof reference, "%d", i);
        struct item *item = item_list_add(&fixture->items, reference);
        item->key.item = key_of(i);
        item->received_ms = INT64_C(1790000000000) + i * 1000;
        item->size = 1000;
    }
    return fixture;
}

static inline struct item *item_numbered(struct fixture *fixture, int number)
{
    return &fixture->items.items[fixture->items.count - 1 - (size_t)number];
}

static inline void fixture_free(struct fixture *fixture)
{
    assert_null(first_answer);
    assert_null(world.messages);
    assert_null(fixture->cycle.disk.sink);
    assert_false(executor_timer_pending(&fixture->cycle.disk.timer));
    executor_cancel_call(fixture->executor, &fixture->scheduler.dispatch);
    disks_release(&fixture->disks);
    item_list_release(&fixture->items);
    executor_free(fixture->executor);
    memory_free(fixture);
}

static inline void start(struct fixture *fixture, bool retries)
{
    fixture->taker = (struct taker){
        .cycle = &fixture->cycle,
        .sink = the_sink,
        .items = &fixture->items,
        .retries = retries,
        .done = taken,
    };
    taker_start(&fixture->taker);
}

static inline void finish(void)
{
    answer_all();
    assert_int_equal(world.ends, 1);
}

static inline void take(struct fixture *fixture, bool retries)
{
    start(fixture, retries);
    finish();
}

static inline void assert_went_through(void)
{
    assert_false(failure_is_set(&world.end));
}

static inline void assert_delivered(int number)
{
    const struct fate *fate = &world.fates[number];
    if (fate->published != 1 || fate->marked != 1 || fate->recorded != 0 || fate->left != 0)
        fail_msg("item %d: published %u, marked %u, recorded %u, left in the spool %u", number,
                 fate->published, fate->marked, fate->recorded, fate->left);
}

static inline void assert_delivered_from_to(int first, int last)
{
    for (int i = first; i <= last; i++)
        assert_delivered(i);
}

static inline void assert_recorded(int number)
{
    assert_int_equal(world.fates[number].recorded, 1);
    assert_int_equal(world.fates[number].published, 0);
}

static inline void assert_left_to_recovery(const struct fixture *fixture)
{
    assert_false(fixture->mailbox.sink_checked);
    assert_true(fixture->mailbox.may_have_open);
}

static inline void treat(int first, int last, enum treatment treatment)
{
    for (int i = first; i <= last; i++)
        world.fates[i].treatment = treatment;
}

#endif
