/* For the tests of verifications: everything that one asks of others, which answers when the test
 * says so. To be included by one file of a test. */
#ifndef EXSYNC_TESTS_DAEMON_VERIFICATION_WORLD_H
#define EXSYNC_TESTS_DAEMON_VERIFICATION_WORLD_H

#include "base/memory.h"
#include "daemon/disks.h"
#include "daemon/recover.h"
#include "daemon/verification.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CALLS_MAX = 8, MESSAGES_MAX = 450, PAGES = 2 };

enum asked {
    ASKED_NOTHING,
    ASKED_SINK_PATH,
    ASKED_COMPARE,
    ASKED_ROWS,
    ASKED_FILES,
    ASKED_LIST,
    ASKED_RESTORE
};

static struct {
    /* The loop. */
    struct executor_call *calls[CALLS_MAX];
    size_t call_count;
    struct executor_timer *timer; /* that runs */

    /* What there is. */
    size_t messages;
    bool in_doubt;     /* none of them is to be sent */
    size_t lost;       /* of these, the first ones, have no file */
    bool disk_refuses; /* disks_admit */
    bool exchange_refuses;
    char ids[MESSAGES_MAX][OUTBOX_ID_SIZE];

    /* Who waits for an answer. */
    enum asked asked;
    store_done *done;
    store_submissions_done *rows_done;
    outbox_list_done *list_done;
    void *argument;
    int64_t after;
    size_t limit;
    char **sink_path;
    const char *const *looked_for;
    bool *found;
    size_t count;
    struct sink_listing *listing; /* that the disk is at */
    backend_search_done *search_done;
    void *search_argument;
    size_t search_count;

    /* What has come of it. */
    unsigned claims, sinks, profiles, configurations, lists; /* held */
    unsigned pages, searches, cancelled_searches, restored;
    unsigned ends;
    struct verification result;
    struct failure end;
} world;

static struct config config = {.ledger_keep_ms = 1000};
static struct configuration configuration = {.config = &config};
static struct service service = {.configuration = &configuration};
static struct mailbox mailbox;
static struct profile *const profile = (struct profile *)&service; /* nobody looks at it */

/* --- the loop --- */

void executor_defer(struct executor *executor, struct executor_call *call,
                    void (*callback)(void *argument), void *argument)
{
    (void)executor;
    call->callback = callback;
    call->argument = argument;
    assert_true(world.call_count < CALLS_MAX);
    world.calls[world.call_count++] = call;
}

void executor_cancel_call(struct executor *executor, struct executor_call *call)
{
    (void)executor;
    for (size_t i = 0; i < world.call_count; i++) {
        if (world.calls[i] == call)
            world.calls[i] = NULL;
    }
}

void executor_after(struct executor *executor, struct executor_timer *timer, uint64_t delay_ms,
                    void (*callback)(void *argument), void *argument)
{
    (void)executor;
    assert_int_equal(delay_ms, DISK_PATIENCE_MS);
    timer->callback = callback;
    timer->argument = argument;
    world.timer = timer;
}

void executor_cancel_timer(struct executor *executor, struct executor_timer *timer)
{
    (void)executor;
    if (world.timer == timer)
        world.timer = NULL;
}

uint64_t executor_now(const struct executor *executor)
{
    (void)executor;
    return 0;
}

static void turn(void)
{
    for (size_t i = 0; i < world.call_count; i++) {
        struct executor_call *call = world.calls[i];
        world.calls[i] = NULL;
        if (call != NULL)
            call->callback(call->argument);
    }
    world.call_count = 0;
}

/* --- claims, and what is held --- */

static void claim_is_ready(void *argument)
{
    struct claim *claim = argument;
    claim->ready(claim, true);
}

void claim_start(struct claim *claim)
{
    world.claims++;
    executor_defer(NULL, &claim->call, claim_is_ready, claim);
}

void claim_end(struct claim *claim, bool now)
{
    (void)now;
    world.claims--;
    executor_cancel_call(NULL, &claim->call);
}

void cycle_init(struct cycle *cycle, const struct context *context, struct mailbox *of,
                enum cycle_direction direction, const struct cycle_operations *operations,
                void (*on_end)(struct cycle *cycle))
{
    (void)context, (void)of, (void)direction, (void)operations, (void)on_end;
    *cycle = (struct cycle){.profile = profile};
}

void configuration_use(struct configuration *used)
{
    (void)used;
    world.configurations++;
}

void configuration_release(struct configuration *used)
{
    (void)used;
    world.configurations--;
}

void profile_use(struct profile *used)
{
    (void)used;
    world.profiles++;
}

void profile_release(struct profile *used)
{
    (void)used;
    world.profiles--;
}

bool mailbox_is_configured(const struct mailbox *of, enum cycle_direction direction)
{
    (void)of, (void)direction;
    return true;
}

char *config_maildir_path(const struct config_mailbox *of)
{
    (void)of;
    return memory_copy_string("/mail");
}

/* --- the disk --- */

struct sink *recovery_create_sink(const struct cycle *cycle, const char *maildir)
{
    (void)cycle;
    assert_string_equal(maildir, "/mail");
    world.sinks++;
    return (struct sink *)&world;
}

/* The job that is at work tells nobody any more. */
void sink_free(struct sink *sink)
{
    if (sink == NULL)
        return;
    world.sinks--;
    world.listing = NULL;
}

void sink_list_start(struct sink *sink, struct sink_listing *listing)
{
    (void)sink;
    world.pages++;
    world.listing = listing;
}

void sink_list_end(struct sink_listing *listing)
{
    assert_null(world.listing);
    (void)listing;
}

bool disks_admit(const struct disks *disks, uint64_t now_ms, const struct sink *sink,
                 struct failure *failure)
{
    (void)disks, (void)now_ms;
    if (world.disk_refuses)
        disks_explain(sink, failure);
    return !world.disk_refuses;
}

void disks_explain(const struct sink *sink, struct failure *failure)
{
    (void)sink;
    *failure = (struct failure){.category = FAILURE_STORAGE, .code = "DiskHangs"};
}

void rebuild_fill(struct store_published *files, const struct sink_listing *listing)
{
    (void)files, (void)listing;
}

static void disk_answers(void)
{
    struct sink_listing *listing = world.listing;
    world.listing = NULL;
    listing->count = 10;
    listing->more = world.pages < PAGES;
    listing->done(listing);
}

/* --- the store and the outbox --- */

static void ask(enum asked asked, store_done *done, void *argument)
{
    assert_int_equal(world.asked, ASKED_NOTHING);
    world.asked = asked;
    world.done = done;
    world.argument = argument;
}

void store_folders_load(struct store *store, struct store_mailbox of, const char *const *names,
                        size_t count, struct store_folder *folders, char **sink_path,
                        store_done *done, void *argument)
{
    (void)store, (void)of, (void)names, (void)count, (void)folders;
    world.sink_path = sink_path;
    ask(ASKED_SINK_PATH, done, argument);
}

const char *store_instance(const struct store *store)
{
    (void)store;
    return "0123456789ab";
}

void store_ledger_compare(struct store *store, struct store_mailbox of,
                          const struct store_published *files, size_t count,
                          struct store_comparison *comparison, store_done *done, void *argument)
{
    (void)store, (void)of, (void)files, (void)count, (void)comparison;
    ask(ASKED_COMPARE, done, argument);
}

void store_submissions_unsent(struct store *store, struct store_mailbox of, int64_t after,
                              size_t limit, store_submissions_done *done, void *argument)
{
    (void)store, (void)of;
    world.after = after;
    world.limit = limit;
    world.rows_done = done;
    ask(ASKED_ROWS, NULL, argument);
}

void outbox_look_for(struct outbox *outbox, enum outbox_part part, const char *const *ids,
                     size_t count, bool *found, outbox_done *done, void *argument)
{
    (void)outbox;
    assert_int_equal(part, OUTBOX_IN_QUEUE);
    world.looked_for = ids;
    world.found = found;
    world.count = count;
    ask(ASKED_FILES, done, argument);
}

void outbox_list(struct outbox *outbox, enum outbox_part part, outbox_list_done *done,
                 void *argument)
{
    (void)outbox, (void)part;
    world.list_done = done;
    ask(ASKED_LIST, NULL, argument);
}

void store_restore(struct store *store, struct store_restoration *restoration, store_done *done,
                   void *argument)
{
    (void)store, (void)restoration;
    world.restored++;
    ask(ASKED_RESTORE, done, argument);
}

void id_list_keep(struct id_list *folder, const char (*ids)[OUTBOX_ID_SIZE], size_t count)
{
    (void)folder, (void)ids, (void)count;
    world.lists++;
}

void id_list_release(struct id_list *folder)
{
    (void)folder;
}

void submission_list_fill(struct submission_list *list, const struct store_submissions *rows)
{
    list->items = memory_allocate_array(rows->count + 1, sizeof *list->items);
    list->count = rows->count;
    for (size_t i = 0; i < rows->count; i++)
        list->items[i].row = rows->submissions[i];
}

void submission_list_release(struct submission_list *list)
{
    memory_free(list->items);
    *list = (struct submission_list){0};
}

static void rows_answer(void)
{
    static struct store_submission rows[MESSAGES_MAX];
    struct store_submissions answer = {.submissions = rows};
    size_t first = (size_t)world.after;
    for (size_t i = first; i < world.messages && answer.count < world.limit; i++) {
        snprintf(world.ids[i], OUTBOX_ID_SIZE, "%zu", i);
        struct store_submission *row = &rows[answer.count++];
        *row = (struct store_submission){.state = world.in_doubt ? STORE_SUBMISSION_CREATING
                                                                 : STORE_SUBMISSION_QUEUED,
                                         .order = (int64_t)i + 1};
        snprintf(row->id, sizeof row->id, "%s", world.ids[i]);
    }
    answer.more = first + answer.count < world.messages;
    world.rows_done(world.argument, NULL, &answer);
}

static void files_answer(void)
{
    for (size_t i = 0; i < world.count; i++)
        world.found[i] = strtoul(world.looked_for[i], NULL, 10) >= world.lost;
    world.done(world.argument, NULL);
}

static void store_answers(void)
{
    enum asked asked = world.asked;
    world.asked = ASKED_NOTHING;
    if (asked == ASKED_ROWS) {
        rows_answer();
    } else if (asked == ASKED_FILES) {
        files_answer();
    } else if (asked == ASKED_LIST) {
        world.list_done(world.argument, NULL, NULL, 0);
    } else {
        if (asked == ASKED_SINK_PATH)
            *world.sink_path = memory_copy_string("/mail");
        world.done(world.argument, NULL);
    }
}

/* --- Exchange --- */

struct backend_operation *backend_search_start(struct backend *backend,
                                               const struct backend_mailbox *of,
                                               const char *const *ids, size_t count,
                                               backend_search_done *done, void *argument)
{
    (void)backend, (void)of, (void)ids;
    world.searches++;
    world.search_count = count;
    world.search_done = done;
    world.search_argument = argument;
    return (struct backend_operation *)&world;
}

void backend_cancel(struct backend_operation *operation)
{
    assert_ptr_equal(operation, &world);
    world.cancelled_searches++;
    world.search_done = NULL;
}

static void exchange_answers(void)
{
    backend_search_done *done = world.search_done;
    const struct failure refused = {.category = FAILURE_AUTHORIZATION, .code = "ErrorAccessDenied"};
    world.search_done = NULL;
    done(world.search_argument, world.exchange_refuses ? &refused : NULL, NULL, 0);
}

/* --- the test's hand --- */

static void ended(struct verification *verification, const struct failure *failure)
{
    world.ends++;
    world.result = *verification;
    world.end = failure == NULL ? (struct failure){0} : *failure;
    memory_free(verification); /* as whoever has started it does */
}

static struct verification *start(bool repair)
{
    struct verification *verification = memory_allocate(sizeof *verification);
    *verification = (struct verification){.service = &service, .repair = repair, .done = ended};
    verification_start(verification, &mailbox);
    return verification;
}

/* One thing happens; false: nothing does any more. */
static bool step(void)
{
    if (world.call_count > 0)
        turn();
    else if (world.asked != ASKED_NOTHING)
        store_answers();
    else if (world.listing != NULL)
        disk_answers();
    else if (world.search_done != NULL)
        exchange_answers();
    else
        return false;
    return true;
}

static void run(void)
{
    while (step())
        ;
}

static void assert_over(void)
{
    assert_int_equal(world.ends, 1);
    assert_int_equal(world.claims, 0);
    assert_int_equal(world.sinks, 0);
    assert_int_equal(world.profiles, 0);
    assert_int_equal(world.configurations, 0);
    assert_null(world.timer);
    assert_null(world.search_done);
}

static int set_up(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    mailbox = (struct mailbox){.configuration = &configuration};
    return 0;
}

static struct verification *at_the_disk(void)
{
    struct verification *verification = start(false);
    while (world.listing == NULL)
        assert_true(step());
    return verification;
}

#endif
