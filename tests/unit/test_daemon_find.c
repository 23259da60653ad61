/* The finder against a folder that changes while it is being read. The back end and the ledger are
 * replaced by a folder and a set in memory; everything else is the daemon's own code. */
#include "base/executor.h"
#include "base/memory.h"
#include "daemon/find.h"
#include "daemon/folder_progress.h"
#include "daemon/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FOLDER_MAX = 20000, HOUR_MS = 3600 * 1000, PAGE_SIZE = 100 };

struct message {
    int number;
    int64_t received_ms;
    bool known; /* the ledger has it */
    bool test;  /* a test message */
};

/* A folder on the server, newest first, and everything that was ever in it. */
struct world {
    struct executor *executor;
    struct executor_call call;
    struct message *messages[FOLDER_MAX];
    size_t count;
    struct message *all[FOLDER_MAX];
    int numbers;
    int64_t now_ms;
    unsigned seed;
    unsigned changes; /* how many changes come between two pages */
    unsigned requests;
    size_t most_found;

    const struct backend_mark *known;
    int64_t offset;
    uint32_t limit;
    backend_list_done *list_done;
    store_done *store_done;
    void *argument;
    bool finished;
    bool failed;
};

static struct world *world;

static unsigned chance(unsigned bound)
{
    return (unsigned)rand_r(&world->seed) % bound;
}

/* --- the folder --- */

static void folder_insert(int64_t received_ms)
{
    struct message *message = memory_allocate(sizeof *message);
    message->number = world->numbers;
    message->received_ms = received_ms;
    world->all[world->numbers++] = message;
    size_t place = 0;
    while (place < world->count && world->messages[place]->received_ms > received_ms)
        place++;
    memmove(&world->messages[place + 1], &world->messages[place],
            (world->count - place) * sizeof world->messages[0]);
    world->messages[place] = message;
    world->count++;
}

static void folder_remove(size_t place)
{
    world->count--;
    memmove(&world->messages[place], &world->messages[place + 1],
            (world->count - place) * sizeof world->messages[0]);
}

static void folder_change(void)
{
    for (unsigned i = 0; i < world->changes; i++) {
        if (chance(3) == 0 && world->count > 0) {
            folder_remove(chance((unsigned)world->count));
        } else {
            world->now_ms += chance(3) * 1000;
            folder_insert(world->now_ms);
        }
    }
}

/* --- what the finder asks --- */

/* A key from which the ledger below reads the number back. */
static struct digest key_of_number(int number)
{
    struct digest key = {{0}};
    memcpy(key.bytes, &number, sizeof number);
    return key;
}

static int number_of_key(const struct digest *key)
{
    int number;
    memcpy(&number, key->bytes, sizeof number);
    return number;
}

static void list_answer(void *argument)
{
    (void)argument;
    folder_change();
    static struct backend_item items[1000];
    static char references[1000][16];
    struct backend_page page = {.items = items, .total = (int64_t)world->count};
    for (size_t i = (size_t)world->offset; i < world->count && page.count < world->limit; i++) {
        memset(references[page.count], 0, sizeof references[0]);
        snprintf(references[page.count], sizeof references[0], "%d", world->messages[i]->number);
        items[page.count] = (struct backend_item){
            .reference = references[page.count],
            .key = key_of_number(world->messages[i]->number),
            .received_ms = world->messages[i]->received_ms,
            .test = world->messages[i]->test,
        };
        page.count++;
    }
    const struct digest_part parts[] = {{references, page.count * sizeof references[0]},
                                        {&world->count, sizeof world->count}};
    page.mark.page = digest_of(parts, 2);
    page.last = (size_t)world->offset + page.count >= world->count;
    page.next_offset = world->offset + (int64_t)page.count;
    if (world->known != NULL && digest_equal(&world->known->page, &page.mark.page))
        page = (struct backend_page){.mark = page.mark, .same = true};
    world->list_done(world->argument, NULL, &page);
}

struct backend_operation *backend_list_start(struct backend *backend,
                                             const struct backend_mailbox *mailbox,
                                             const char *folder_id, int64_t offset, uint32_t limit,
                                             const struct backend_mark *known,
                                             backend_list_done *done, void *argument)
{
    (void)backend, (void)mailbox, (void)folder_id;
    world->known = known;
    world->offset = offset;
    world->limit = limit;
    world->list_done = done;
    world->argument = argument;
    world->requests++;
    executor_defer(world->executor, &world->call, list_answer, NULL);
    return (struct backend_operation *)world;
}

void backend_cancel(struct backend_operation *operation)
{
    (void)operation;
    executor_cancel_call(world->executor, &world->call);
}

static void store_answer(void *argument)
{
    (void)argument;
    world->store_done(world->argument, NULL);
}

static void answer_later(store_done *done, void *argument)
{
    world->store_done = done;
    world->argument = argument;
    executor_defer(world->executor, &world->call, store_answer, NULL);
}

void store_ledger_check(struct store *store, struct store_mailbox mailbox,
                        const struct store_key *keys, size_t count, uint8_t *states,
                        store_done *done, void *argument)
{
    (void)store, (void)mailbox;
    for (size_t i = 0; i < count; i++) {
        bool known = world->all[number_of_key(&keys[i].item)]->known;
        states[i] = known ? STORE_ITEM_DELIVERED : STORE_ITEM_UNKNOWN;
    }
    answer_later(done, argument);
}

void store_ledger_seen(struct store *store, struct store_mailbox mailbox,
                       const struct store_seen *items, size_t count, int64_t now_ms,
                       store_done *done, void *argument)
{
    (void)store, (void)mailbox, (void)items, (void)count, (void)now_ms;
    answer_later(done, argument);
}

/* --- a mailbox that is polled --- */

struct fixture {
    struct world world;
    struct config_profile config;
    struct profile profile;
    struct mailbox mailbox;
    struct context context;
    struct cycle cycle;
    struct mailbox_folder folder;
};

static void look_done(struct finder *finder, const struct failure *failure)
{
    (void)finder;
    world->finished = true;
    world->failed = failure != NULL;
    executor_stop(world->executor);
}

/* What the taker does: from the oldest on, what the ledger knows by now is not taken again. */
static void take(const struct finder *finder)
{
    int64_t before = INT64_MIN;
    for (size_t i = finder->found.count; i > 0; i--) {
        const struct item *item = &finder->found.items[i - 1];
        assert_true(item->received_ms >= before);
        before = item->received_ms;
        world->all[atoi(item->reference)]->known = true;
    }
}

static void look(struct fixture *fixture, bool pass)
{
    struct finder finder = {.cycle = &fixture->cycle, .folder_id = "inbox", .done = look_done};
    folder_plan(&fixture->folder, &finder, pass, world->now_ms);
    world->finished = false;
    finder_start(&finder);
    executor_run(world->executor);
    assert_true(world->finished);
    assert_false(world->failed);
    if (finder.found.count > world->most_found)
        world->most_found = finder.found.count;
    take(&finder);
    if (!finder.nothing_changed && pass)
        folder_note_pass(&fixture->folder, &finder, world->now_ms);
    else if (!finder.nothing_changed)
        folder_note_found(&fixture->folder, &finder, world->now_ms);
    finder_release(&finder);
}

static void cycle(struct fixture *fixture)
{
    look(fixture, false);
    if (folder_pass_wanted(&fixture->folder, world->now_ms))
        look(fixture, true);
}

static size_t missing(void)
{
    size_t count = 0;
    for (size_t i = 0; i < world->count; i++)
        count += !world->messages[i]->known;
    return count;
}

static struct fixture *fixture_create(unsigned seed)
{
    struct fixture *fixture = memory_allocate(sizeof *fixture);
    world = &fixture->world;
    world->executor = executor_create();
    world->seed = seed;
    world->now_ms = INT64_C(1790000000000);
    fixture->config.page_size = PAGE_SIZE;
    fixture->profile.config = &fixture->config;
    fixture->cycle.profile = &fixture->profile;
    fixture->cycle.mailbox = &fixture->mailbox;
    fixture->cycle.context = &fixture->context;
    fixture->folder.state.total = -1;
    fixture->folder.state.process_from_ms = 0;
    fixture->folder.state.watermark_ms = 0;
    return fixture;
}

static void fixture_free(struct fixture *fixture)
{
    for (int i = 0; i < world->numbers; i++)
        memory_free(world->all[i]);
    executor_free(world->executor);
    memory_free(fixture);
    world = NULL;
}

static void fill(size_t count, int64_t step_ms)
{
    int64_t first = world->now_ms - (int64_t)count * step_ms;
    for (size_t i = 0; i < count; i++)
        folder_insert(first + (int64_t)i * step_ms);
}

/* --- what must hold --- */

static void an_idle_poll_is_one_request(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(1);
    fill(300, 60000);
    cycle(fixture);
    cycle(fixture);
    world->requests = 0;
    cycle(fixture);
    assert_int_equal(world->requests, 1);
    fixture_free(fixture);
}

static void a_long_backlog_is_taken_whole_in_bounded_memory(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(2);
    fill(5000, 60000);
    for (int i = 0; i < 20; i++)
        cycle(fixture);
    assert_int_equal(missing(), 0);
    assert_true(world->most_found <= FIND_ITEMS_MAX);
    fixture_free(fixture);
}

static void a_backlog_costs_about_one_reading_of_the_folder_and_a_half(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(3);
    fill(5000, 60000);
    while (missing() > 0)
        cycle(fixture);
    assert_true(world->requests < 5000 / PAGE_SIZE * 3);
    fixture_free(fixture);
}

static void a_folder_that_changes_between_pages_loses_nothing(void **state)
{
    (void)state;
    for (unsigned seed = 10; seed < 210; seed++) {
        struct fixture *fixture = fixture_create(seed);
        fill(200 + chance(1800), 20000);
        world->changes = 1 + chance(8);
        for (int i = 0; i < 6; i++) {
            cycle(fixture);
            world->now_ms += HOUR_MS / 6;
        }
        world->changes = 0;
        /* What slipped past is found by complete passes, at the latest after a day. */
        for (int i = 0; i < 30; i++) {
            world->now_ms += HOUR_MS;
            cycle(fixture);
        }
        for (int i = 0; i < 10; i++)
            cycle(fixture);
        if (missing() > 0)
            fail_msg("seed %u: %zu messages were never found", seed, missing());
        fixture_free(fixture);
    }
}

static void what_is_moved_in_with_an_old_time_is_found_at_once(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(4);
    fill(900, 60000);
    for (int i = 0; i < 4; i++)
        cycle(fixture);
    folder_insert(world->now_ms - 10 * HOUR_MS);
    cycle(fixture);
    cycle(fixture);
    assert_int_equal(missing(), 0);
    fixture_free(fixture);
}

static void what_is_moved_in_while_another_leaves_is_found_within_a_day(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(5);
    fill(900, 60000);
    for (int i = 0; i < 4; i++)
        cycle(fixture);
    folder_remove(500);
    folder_insert(world->now_ms - 10 * HOUR_MS);
    for (int i = 0; i < 26; i++) {
        world->now_ms += HOUR_MS;
        cycle(fixture);
    }
    assert_int_equal(missing(), 0);
    fixture_free(fixture);
}

static void mail_dated_in_the_future_hides_nothing_that_comes_later(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(6);
    fill(50, 60000);
    folder_insert(world->now_ms + 365 * 24 * (int64_t)HOUR_MS);
    cycle(fixture);
    assert_true(fixture->folder.state.watermark_ms <= world->now_ms);
    world->now_ms += 3 * HOUR_MS;
    for (int i = 0; i < 200; i++)
        folder_insert(world->now_ms - i * 1000);
    cycle(fixture);
    assert_int_equal(missing(), 0);
    fixture_free(fixture);
}

static void nothing_before_process_from_is_found(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(7);
    fill(300, 60000);
    fixture->folder.state.process_from_ms = world->now_ms - 100 * 60000 - 30000;
    for (int i = 0; i < 3; i++)
        cycle(fixture);
    assert_int_equal(missing(), 200);
    fixture_free(fixture);
}

static void the_message_of_a_test_is_never_found(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(8);
    fill(1500, 60000);
    for (int i = 0; i < world->numbers; i += 7)
        world->all[i]->test = true;
    for (int i = 0; i < 6; i++)
        cycle(fixture);
    look(fixture, true);
    for (int i = 0; i < world->numbers; i++)
        assert_true(world->all[i]->known != world->all[i]->test);
    for (int i = 0; i < 3; i++)
        cycle(fixture);
    world->requests = 0;
    cycle(fixture);
    assert_int_equal(world->requests, 1); /* what is left there is no work */
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_poll_is_one_request),
        cmocka_unit_test(a_long_backlog_is_taken_whole_in_bounded_memory),
        cmocka_unit_test(a_backlog_costs_about_one_reading_of_the_folder_and_a_half),
        cmocka_unit_test(a_folder_that_changes_between_pages_loses_nothing),
        cmocka_unit_test(what_is_moved_in_with_an_old_time_is_found_at_once),
        cmocka_unit_test(what_is_moved_in_while_another_leaves_is_found_within_a_day),
        cmocka_unit_test(mail_dated_in_the_future_hides_nothing_that_comes_later),
        cmocka_unit_test(nothing_before_process_from_is_found),
        cmocka_unit_test(the_message_of_a_test_is_never_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
