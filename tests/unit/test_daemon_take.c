/* The taker against a server with bad items, a disk with faults and a store that fails: what is
 * delivered, what is recorded, and what is left to recovery. The back end, the sink and the ledger
 * are replaced by ones in memory that hold the taker to their contracts. */
#include "daemon_world.h"

#include "daemon/disks.h"
#include "daemon/scheduler.h"
#include "daemon/take.h"

enum { ITEMS_MAX = 128, REQUESTS_MAX = 512, STEPS_MAX = 4096 };

/* How the server treats an item. */
enum treatment {
    TREAT_WELL,
    TREAT_POISON,  /* every request with it fails as a whole */
    TREAT_REFUSED, /* the server says that this item cannot be had */
    TREAT_GONE,
    TREAT_SUSPECT, /* the server says for this item that more is in trouble */
};

struct sink_message {
    void (*on_ready)(void *argument);
    void *argument;
    char text[64];
    size_t length;
    char name[SINK_NAME_SIZE];
    int number; /* of its item; -1 before its first byte */
    bool ended, synced, published;
    bool busy; /* a sync or publish that includes it runs */
    struct sink_message *next;
};

/* What came of an item, seen from outside. */
struct fate {
    enum treatment treatment;
    struct failure sync_failure;
    struct failure publish_failure;
    bool known;          /* the ledger has it from before */
    unsigned sent;       /* whole messages that the server sent */
    unsigned committed;  /* ledger rows written */
    unsigned published;  /* files in new/ */
    unsigned marked;     /* as delivered */
    unsigned recorded;   /* as failed */
    unsigned told_gone;  /* to the ledger */
    unsigned done;       /* acknowledged to the server */
    unsigned abandoned;  /* messages thrown away */
    unsigned left;       /* files that stay in the spool for recovery */
    int64_t publication; /* its place among those published */
};

static struct world {
    struct fate fates[ITEMS_MAX];
    struct failure request_failure; /* of every request, whatever is asked for */
    struct failure suspect_failure;
    struct failure commit_failure, mark_failure, record_failure;
    bool cut;       /* a request with poison fails where the poison is, not before everything */
    bool disk_full; /* no message is ready for more */
    unsigned requests;
    size_t request_sizes[REQUESTS_MAX];
    int request_first[REQUESTS_MAX];
    unsigned cancelled_requests;
    unsigned publications;
    struct sink_message *messages; /* alive */
    unsigned records;              /* failures of items */
    unsigned states;               /* of the taker, those that were seen: a bit for each */
    unsigned ends;
    struct failure end;
} world;

/* --- the server --- */

struct backend_operation {
    struct answer answer;
    const struct backend_receiver *receiver;
    backend_fetch_done *done;
    backend_acknowledge_done *acknowledged;
    void *argument;
    int numbers[TAKE_BATCH_MAX];
    size_t count;
    size_t next;
    bool paused;
    bool begun;
};

static int number_of(const char *reference)
{
    return atoi(reference);
}

static struct digest key_of(int number)
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

static const struct failure whole_failure = {
    .category = FAILURE_SERVER,
    .scope = FAILURE_SCOPE_MAILBOX,
    .divisible = true,
    .http_status = 500,
    .code = "HTTP 500",
    .step = "GetItem",
};

static void fetch_end(struct backend_operation *operation, const struct failure *failure)
{
    operation->done(operation->argument, failure);
    memory_free(operation);
}

static bool has_poison(const struct backend_operation *operation)
{
    for (size_t i = 0; i < operation->count; i++) {
        if (world.fates[operation->numbers[i]].treatment == TREAT_POISON)
            return true;
    }
    return false;
}

static void fetch_send(struct backend_operation *operation, size_t index, struct fate *fate)
{
    if (!operation->begun)
        operation->receiver->item_begin(operation->argument, index);
    operation->begun = true;
    if (!operation->receiver->ready(operation->argument)) {
        operation->paused = true;
        return;
    }
    char text[32];
    snprintf(text, sizeof text, "message %d", operation->numbers[index]);
    operation->receiver->item_data(operation->argument, index, text, strlen(text));
    operation->receiver->item_end(operation->argument, index, NULL);
    fate->sent++;
    operation->begun = false;
    operation->next++;
}

static void fetch_refuse(struct backend_operation *operation, size_t index, const struct fate *fate)
{
    struct failure failure = {.category = FAILURE_ITEM, .scope = FAILURE_SCOPE_ITEM};
    if (fate->treatment == TREAT_SUSPECT)
        failure = world.suspect_failure;
    failure.gone = fate->treatment == TREAT_GONE;
    operation->receiver->item_end(operation->argument, index, &failure);
    operation->next++;
}

/* One item, or the end. */
static void fetch_step(void *answer)
{
    struct backend_operation *operation = answer;
    if (failure_is_set(&world.request_failure)) {
        fetch_end(operation, &world.request_failure);
        return;
    }
    if (operation->next == operation->count) {
        fetch_end(operation, NULL);
        return;
    }
    struct fate *fate = &world.fates[operation->numbers[operation->next]];
    if (fate->treatment == TREAT_POISON || (!world.cut && has_poison(operation))) {
        fetch_end(operation, &whole_failure);
        return;
    }
    if (fate->treatment == TREAT_WELL)
        fetch_send(operation, operation->next, fate);
    else
        fetch_refuse(operation, operation->next, fate);
    if (!operation->paused)
        answer_later(&operation->answer, fetch_step);
}

struct backend_operation *backend_fetch_start(struct backend *backend,
                                              const struct backend_mailbox *mailbox,
                                              const char *const *references, size_t count,
                                              uint64_t max_message_size,
                                              const struct backend_receiver *receiver,
                                              backend_fetch_done *done, void *argument)
{
    (void)backend, (void)mailbox, (void)max_message_size;
    struct backend_operation *operation = memory_allocate(sizeof *operation);
    operation->receiver = receiver;
    operation->done = done;
    operation->argument = argument;
    operation->count = count;
    for (size_t i = 0; i < count; i++)
        operation->numbers[i] = number_of(references[i]);
    assert_true(world.requests < REQUESTS_MAX);
    world.request_sizes[world.requests] = count;
    world.request_first[world.requests++] = operation->numbers[0];
    answer_later(&operation->answer, fetch_step);
    return operation;
}

void backend_fetch_resume(struct backend_operation *operation)
{
    assert_true(operation->paused);
    operation->paused = false;
    answer_later(&operation->answer, fetch_step);
}

void backend_cancel(struct backend_operation *operation)
{
    world.cancelled_requests++;
    answer_withdraw(&operation->answer);
    memory_free(operation);
}

static void acknowledge_step(void *answer)
{
    struct backend_operation *operation = answer;
    static const struct failure fine[TAKE_BATCH_MAX];
    for (size_t i = 0; i < operation->count; i++)
        world.fates[operation->numbers[i]].done++;
    operation->acknowledged(operation->argument, NULL, fine, operation->count);
    memory_free(operation);
}

struct backend_operation *backend_acknowledge_start(struct backend *backend,
                                                    const struct backend_mailbox *mailbox,
                                                    enum backend_action action,
                                                    const char *folder_id,
                                                    const char *const *references, size_t count,
                                                    backend_acknowledge_done *done, void *argument)
{
    (void)backend, (void)mailbox, (void)action, (void)folder_id;
    struct backend_operation *operation = memory_allocate(sizeof *operation);
    operation->acknowledged = done;
    operation->argument = argument;
    operation->count = count;
    for (size_t i = 0; i < count; i++) {
        operation->numbers[i] = number_of(references[i]);
        /* Never before it is delivered. */
        assert_int_equal(world.fates[operation->numbers[i]].marked, 1);
    }
    answer_later(&operation->answer, acknowledge_step);
    return operation;
}

struct backend_operation *backend_folder_start(struct backend *backend,
                                               const struct backend_mailbox *mailbox,
                                               const char *path, bool create,
                                               backend_folder_done *done, void *argument)
{
    (void)backend, (void)mailbox, (void)path, (void)create, (void)done, (void)argument;
    fail_msg("no folder is to be looked up");
    return NULL;
}

/* --- the sink --- */

static struct sink *const the_sink = (struct sink *)&world;

const char *sink_mount(const struct sink *sink)
{
    assert_ptr_equal(sink, the_sink);
    return "/srv/mail";
}

struct sink_message *sink_begin(struct sink *sink, void (*on_ready)(void *argument), void *argument)
{
    assert_ptr_equal(sink, the_sink);
    struct sink_message *message = memory_allocate(sizeof *message);
    message->on_ready = on_ready;
    message->argument = argument;
    message->number = -1;
    message->next = world.messages;
    world.messages = message;
    return message;
}

bool sink_ready(const struct sink_message *message)
{
    assert_false(message->ended);
    return !world.disk_full;
}

void sink_write(struct sink_message *message, const char *bytes, size_t length)
{
    assert_true(sink_ready(message));
    assert_true(message->length + length < sizeof message->text);
    memcpy(message->text + message->length, bytes, length);
    message->length += length;
    assert_int_equal(sscanf(message->text, "message %d", &message->number), 1);
}

void sink_end(struct sink_message *message)
{
    assert_false(message->ended);
    message->ended = true;
    snprintf(message->name, sizeof message->name, "%d.name", message->number);
}

const char *sink_message_name(const struct sink_message *message)
{
    assert_true(message->ended);
    return message->name;
}

uint64_t sink_message_size(const struct sink_message *message)
{
    return message->length;
}

static void message_free(struct sink_message *message)
{
    assert_false(message->busy);
    struct sink_message **place = &world.messages;
    while (*place != message)
        place = &(*place)->next;
    *place = message->next;
    memory_free(message);
}

void sink_abandon(struct sink_message *message)
{
    assert_false(message->published);
    if (message->number >= 0) {
        struct fate *fate = &world.fates[message->number];
        /* The name of a committed row is thrown away only when the ledger refused it. */
        assert_int_equal(fate->committed, 0);
        fate->abandoned++;
    }
    message_free(message);
}

void sink_release(struct sink_message *message)
{
    if (!message->synced) {
        sink_abandon(message);
        return;
    }
    if (!message->published)
        world.fates[message->number].left++;
    message_free(message);
}

struct sink_answer {
    struct answer answer;
    struct sink_batch *batch;
};

static void sync_step(void *answer)
{
    struct sink_batch *batch = ((struct sink_answer *)answer)->batch;
    memory_free(answer);
    for (size_t i = 0; i < batch->count; i++) {
        struct sink_message *message = batch->messages[i];
        message->busy = false;
        batch->failures[i] = world.fates[message->number].sync_failure;
        message->synced = !failure_is_set(&batch->failures[i]);
    }
    batch->done(batch);
}

static void publish_step(void *answer)
{
    struct sink_batch *batch = ((struct sink_answer *)answer)->batch;
    memory_free(answer);
    for (size_t i = 0; i < batch->count; i++) {
        struct sink_message *message = batch->messages[i];
        struct fate *fate = &world.fates[message->number];
        message->busy = false;
        assert_int_equal(fate->committed, 1); /* never before */
        batch->failures[i] = fate->publish_failure;
        if (failure_is_set(&batch->failures[i]))
            continue;
        message->published = true;
        fate->published++;
        fate->publication = ++world.publications;
    }
    batch->done(batch);
}

static void batch_later(struct sink_batch *batch, void (*run)(void *answer))
{
    assert_true(batch->count > 0);
    for (size_t i = 0; i < batch->count; i++) {
        assert_true(batch->messages[i]->ended);
        batch->messages[i]->busy = true;
    }
    struct sink_answer *answer = memory_allocate(sizeof *answer);
    answer->batch = batch;
    answer_later(&answer->answer, run);
}

void sink_sync_start(struct sink *sink, struct sink_batch *batch)
{
    assert_ptr_equal(sink, the_sink);
    batch_later(batch, sync_step);
}

void sink_publish_start(struct sink *sink, struct sink_batch *batch)
{
    assert_ptr_equal(sink, the_sink);
    batch_later(batch, publish_step);
}

/* --- the store --- */

void store_ledger_deliver(struct store *store, struct store_mailbox mailbox,
                          struct store_delivery *deliveries, size_t count, int64_t now_ms,
                          store_done *done, void *argument)
{
    (void)store, (void)mailbox, (void)now_ms;
    for (size_t i = 0; i < count && !failure_is_set(&world.commit_failure); i++) {
        struct fate *fate = &world.fates[number_of_key(&deliveries[i].key.item)];
        deliveries[i].duplicate = fate->known;
        fate->committed += !fate->known;
    }
    store_answer_later(done, argument, &world.commit_failure);
}

void store_ledger_delivered(struct store *store, struct store_mailbox mailbox,
                            const struct digest *items, size_t count, int64_t now_ms,
                            store_done *done, void *argument)
{
    (void)store, (void)mailbox, (void)now_ms;
    for (size_t i = 0; i < count; i++) {
        struct fate *fate = &world.fates[number_of_key(&items[i])];
        assert_int_equal(fate->published, 1); /* never before */
        fate->marked++;
    }
    store_answer_later(done, argument, &world.mark_failure);
}

void store_ledger_acknowledged(struct store *store, struct store_mailbox mailbox,
                               const struct digest *items, size_t count, store_done *done,
                               void *argument)
{
    (void)store, (void)mailbox, (void)items, (void)count;
    store_answer_later(done, argument, NULL);
}

void store_ledger_gone(struct store *store, struct store_mailbox mailbox,
                       const struct digest *items, size_t count, int64_t now_ms, store_done *done,
                       void *argument)
{
    (void)store, (void)mailbox, (void)now_ms;
    for (size_t i = 0; i < count; i++)
        world.fates[number_of_key(&items[i])].told_gone++;
    store_answer_later(done, argument, NULL);
}

void store_failure_record(struct store *store, const struct store_failure *failure,
                          store_done *done, void *argument)
{
    (void)store;
    assert_non_null(failure->item);
    assert_int_equal(failure->failure.scope, FAILURE_SCOPE_ITEM);
    world.fates[number_of_key(&failure->item->key.item)].recorded++;
    world.records++;
    store_answer_later(done, argument, &world.record_failure);
}

void store_failure_resolve(struct store *store, const char *profile, struct store_mailbox mailbox,
                           const char *direction, int64_t now_ms, uint32_t *resolved,
                           store_done *done, void *argument)
{
    (void)store, (void)profile, (void)mailbox, (void)direction, (void)now_ms, (void)resolved;
    store_answer_later(done, argument, NULL);
}

void store_probe(struct store *store, store_done *done, void *argument)
{
    (void)store;
    store_answer_later(done, argument, NULL);
}

/* --- a mailbox whose items are taken --- */

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

static void taken(struct taker *taker, const struct failure *failure)
{
    (void)taker;
    world.ends++;
    world.end = failure == NULL ? (struct failure){0} : *failure;
}

/* Items 0 .. count-1 in the order in which they were received; newest first in the list. */
static struct fixture *fixture_create(int count)
{
    struct fixture *fixture = memory_allocate(sizeof *fixture);
    world = (struct world){.suspect_failure = whole_failure};
    logged_forget();
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

static struct item *item_numbered(struct fixture *fixture, int number)
{
    return &fixture->items.items[fixture->items.count - 1 - (size_t)number];
}

static void fixture_free(struct fixture *fixture)
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

static void start(struct fixture *fixture, bool retries)
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

static void finish(void)
{
    answer_all();
    assert_int_equal(world.ends, 1);
}

static void take(struct fixture *fixture, bool retries)
{
    start(fixture, retries);
    finish();
}

static void assert_went_through(void)
{
    assert_false(failure_is_set(&world.end));
}

static void assert_delivered(int number)
{
    const struct fate *fate = &world.fates[number];
    if (fate->published != 1 || fate->marked != 1 || fate->recorded != 0 || fate->left != 0)
        fail_msg("item %d: published %u, marked %u, recorded %u, left in the spool %u", number,
                 fate->published, fate->marked, fate->recorded, fate->left);
}

static void assert_delivered_from_to(int first, int last)
{
    for (int i = first; i <= last; i++)
        assert_delivered(i);
}

static void assert_recorded(int number)
{
    assert_int_equal(world.fates[number].recorded, 1);
    assert_int_equal(world.fates[number].published, 0);
}

static void assert_left_to_recovery(const struct fixture *fixture)
{
    assert_false(fixture->mailbox.sink_checked);
    assert_true(fixture->mailbox.may_have_open);
}

static void treat(int first, int last, enum treatment treatment)
{
    for (int i = first; i <= last; i++)
        world.fates[i].treatment = treatment;
}

/* --- the order, and the size of requests --- */

static void the_oldest_are_taken_first(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(7);
    fixture->profile_config.batch_size = 3;
    take(fixture, false);
    assert_went_through();
    for (int i = 0; i < 7; i++)
        assert_int_equal(world.fates[i].publication, i + 1);
    assert_int_equal(world.requests, 3);
    assert_int_equal(fixture->cycle.moved, 7);
    assert_int_equal(fixture->cycle.moved_bytes, 7 * strlen("message 0"));
    fixture_free(fixture);
}

static void a_request_is_cut_where_the_sizes_exceed_the_limit(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(6);
    fixture->profile_config.batch_bytes = 1000;
    const uint64_t sizes[] = {400, 400, 400, 5000, 100, 100};
    for (int i = 0; i < 6; i++)
        item_numbered(fixture, i)->size = sizes[i];
    take(fixture, false);
    assert_int_equal(world.requests, 4);
    const size_t counts[] = {2, 1, 1, 2};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(world.request_sizes[i], counts[i]);
    assert_delivered_from_to(0, 5);
    fixture_free(fixture);
}

static void a_request_is_cut_before_the_sink_would_hold_too_much(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(9);
    for (int i = 0; i < 9; i++)
        item_numbered(fixture, i)->size = 10 * 1024 * 1024;
    take(fixture, false);
    for (size_t i = 0; i < world.requests; i++)
        assert_true(world.request_sizes[i] <= TAKE_BUFFERED_MAX / SINK_MESSAGE_BUFFER);
    assert_int_equal(world.requests, 3);
    fixture_free(fixture);
}

static void a_cycle_that_is_to_end_finishes_the_batch_under_way(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(6);
    fixture->profile_config.batch_size = 2;
    start(fixture, false);
    answer_next();
    fixture->cycle.ending = true;
    finish();
    assert_went_through();
    assert_int_equal(world.requests, 1);
    assert_delivered_from_to(0, 1);
    assert_false(item_numbered(fixture, 2)->settled);
    fixture_free(fixture);
}

/* --- bad items --- */

static void a_bad_item_is_found_by_halving_and_the_others_are_delivered(void **state)
{
    (void)state;
    for (int bad = 0; bad < 16; bad++) {
        struct fixture *fixture = fixture_create(16);
        treat(bad, bad, TREAT_POISON);
        take(fixture, false);
        assert_went_through();
        for (int i = 0; i < 16; i++) {
            if (i == bad)
                assert_recorded(i);
            else
                assert_delivered(i);
        }
        assert_int_equal(fixture->cycle.failed, 1);
        assert_int_equal(fixture->cycle.moved, 15);
        assert_true(fixture->mailbox.may_have_open);
        assert_in_range(world.requests, 2, 20);
        fixture_free(fixture);
    }
}

static void what_arrived_before_a_request_broke_is_kept(void **state)
{
    (void)state;
    for (int bad = 0; bad < 16; bad++) {
        struct fixture *fixture = fixture_create(16);
        treat(bad, bad, TREAT_POISON);
        world.cut = true;
        take(fixture, false);
        assert_went_through();
        for (int i = 0; i < 16; i++) {
            if (i != bad) {
                assert_delivered(i);
                assert_int_equal(world.fates[i].sent, 1);
            }
        }
        assert_recorded(bad);
        fixture_free(fixture);
    }
}

static void sixty_bad_items_do_not_hold_up_a_good_newer_one(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(61);
    treat(0, 59, TREAT_POISON);
    take(fixture, false);
    assert_delivered(60);
    assert_int_equal(fixture->cycle.moved, 1);
    assert_in_range(world.records, 1, 2 * TAKE_BAD_ITEMS_MAX);
    assert_in_range(world.requests, 1, 40);
    fixture_free(fixture);
}

static void bad_items_between_good_ones_are_all_recorded_in_one_cycle(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(60);
    for (int i = 0; i < 60; i += 3)
        treat(i, i, TREAT_POISON);
    take(fixture, false);
    assert_went_through();
    for (int i = 0; i < 60; i++) {
        if (i % 3 == 0)
            assert_recorded(i);
        else
            assert_delivered(i);
    }
    fixture_free(fixture);
}

static void when_every_item_fails_it_is_the_mailbox_and_hardly_any_is_recorded(void **state)
{
    (void)state;
    for (int count = 4; count <= 100; count += 32) {
        struct fixture *fixture = fixture_create(count);
        treat(0, count - 1, TREAT_POISON);
        take(fixture, false);
        assert_true(failure_is_set(&world.end));
        assert_int_equal(world.end.scope, FAILURE_SCOPE_MAILBOX);
        assert_string_equal(world.end.code, "HTTP 500");
        assert_in_range(world.records, 0, TAKE_BAD_ITEMS_MAX);
        assert_in_range(world.requests, 1, 12);
        assert_false(item_numbered(fixture, count - 1)->settled);
        fixture_free(fixture);
    }
}

static void a_lone_bad_item_is_recorded_and_the_cycle_goes_on(void **state)
{
    (void)state;
    for (int count = 1; count <= TAKE_BAD_ITEMS_MAX; count++) {
        struct fixture *fixture = fixture_create(count);
        treat(0, count - 1, TREAT_POISON);
        take(fixture, false);
        assert_went_through();
        assert_int_equal(world.records, (unsigned)count);
        fixture_free(fixture);
    }
}

static void retries_never_end_with_a_failure_because_of_bad_items(void **state)
{
    (void)state;
    for (int count = 1; count <= 100; count += 11) {
        struct fixture *fixture = fixture_create(count);
        treat(0, count - 1, TREAT_POISON);
        take(fixture, true);
        assert_went_through();
        assert_in_range(world.records, 1, TAKE_BAD_ITEMS_MAX);
        fixture_free(fixture);
    }
}

static void an_item_that_the_server_refuses_by_name_costs_no_request(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(10);
    treat(2, 7, TREAT_REFUSED);
    take(fixture, false);
    assert_went_through();
    assert_int_equal(world.requests, 1);
    for (int i = 2; i <= 7; i++)
        assert_recorded(i);
    assert_delivered_from_to(0, 1);
    assert_delivered_from_to(8, 9);
    fixture_free(fixture);
}

static void trouble_told_for_an_item_that_may_be_its_cause_is_looked_into(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(10);
    treat(4, 4, TREAT_SUSPECT);
    take(fixture, false);
    assert_went_through();
    assert_recorded(4);
    assert_delivered_from_to(0, 3);
    assert_delivered_from_to(5, 9);
    fixture_free(fixture);
}

static void trouble_told_for_an_item_that_cannot_be_its_cause_ends_the_cycle(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(10);
    treat(4, 4, TREAT_SUSPECT);
    world.suspect_failure.divisible = false;
    take(fixture, false);
    assert_true(failure_is_set(&world.end));
    assert_int_equal(world.requests, 1);
    assert_int_equal(world.records, 0);
    assert_delivered_from_to(0, 3);
    assert_delivered_from_to(5, 9);
    assert_false(item_numbered(fixture, 4)->settled);
    fixture_free(fixture);
}

static void a_server_that_asks_for_patience_is_not_asked_again(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(20);
    world.request_failure = whole_failure;
    world.request_failure.retry_after_ms = 5000;
    take(fixture, false);
    assert_int_equal(world.requests, 1);
    assert_int_equal(world.records, 0);
    assert_int_equal(world.end.retry_after_ms, 5000);
    fixture_free(fixture);
}

static void a_server_that_asks_for_patience_with_one_item_is_not_asked_again(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(1);
    treat(0, 0, TREAT_SUSPECT);
    world.suspect_failure.retry_after_ms = 5000;
    take(fixture, false);
    assert_int_equal(world.requests, 1);
    assert_int_equal(world.records, 0);
    assert_int_equal(world.end.retry_after_ms, 5000);
    fixture_free(fixture);
}

static void a_failure_that_no_item_can_cause_ends_the_cycle_at_once(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(20);
    world.request_failure = whole_failure;
    world.request_failure.divisible = false;
    take(fixture, false);
    assert_int_equal(world.requests, 1);
    assert_int_equal(world.records, 0);
    assert_true(failure_is_set(&world.end));
    fixture_free(fixture);
}

static void items_that_are_gone_are_told_to_the_ledger_if_it_knows_them_as_failed(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(6);
    treat(1, 3, TREAT_GONE);
    item_numbered(fixture, 2)->attempts = 2;
    take(fixture, false);
    assert_went_through();
    assert_int_equal(world.fates[1].told_gone, 0);
    assert_int_equal(world.fates[2].told_gone, 1);
    assert_int_equal(world.fates[3].told_gone, 0);
    assert_int_equal(world.records, 0);
    assert_int_equal(fixture->cycle.moved, 3);
    fixture_free(fixture);
}

static void what_the_ledger_has_already_is_thrown_away_and_not_counted(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(4);
    world.fates[1].known = world.fates[2].known = true;
    take(fixture, false);
    assert_went_through();
    assert_int_equal(fixture->cycle.moved, 2);
    assert_delivered(0);
    assert_delivered(3);
    for (int i = 1; i <= 2; i++) {
        assert_int_equal(world.fates[i].published, 0);
        assert_int_equal(world.fates[i].abandoned, 1);
        assert_true(item_numbered(fixture, i)->settled);
    }
    assert_int_equal(world.requests, 1);
    fixture_free(fixture);
}

static void a_batch_of_nothing_but_duplicates_is_no_trouble(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(3);
    for (int i = 0; i < 3; i++)
        world.fates[i].known = true;
    take(fixture, false);
    assert_went_through();
    assert_int_equal(fixture->cycle.moved, 0);
    fixture_free(fixture);
}

/* --- the disk and the store --- */

static struct failure disk_failure(const char *code, bool divisible)
{
    struct failure failure = {
        .category = FAILURE_STORAGE, .scope = FAILURE_SCOPE_MAILBOX, .divisible = divisible};
    failure_set_code(&failure, code);
    return failure;
}

static void a_message_that_the_disk_has_no_room_for_is_recorded_and_others_delivered(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(8);
    world.fates[3].sync_failure = disk_failure("EFBIG", true);
    take(fixture, false);
    assert_went_through();
    assert_recorded(3);
    assert_delivered_from_to(0, 2);
    assert_delivered_from_to(4, 7);
    assert_true(fixture->mailbox.sink_checked);
    assert_int_equal(world.fates[3].sent, 2); /* in the batch, and alone */
    fixture_free(fixture);
}

static void a_full_disk_ends_the_cycle_and_hardly_anything_is_recorded(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(50);
    for (int i = 0; i < 50; i++)
        world.fates[i].sync_failure = disk_failure("ENOSPC", true);
    take(fixture, false);
    assert_int_equal(world.end.category, FAILURE_STORAGE);
    assert_int_equal(world.end.scope, FAILURE_SCOPE_MAILBOX);
    assert_in_range(world.records, 0, TAKE_BAD_ITEMS_MAX);
    assert_in_range(world.requests, 1, 12);
    fixture_free(fixture);
}

static void a_disk_that_fails_ends_the_cycle_after_what_it_took(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(8);
    fixture->profile_config.batch_size = 4;
    world.fates[2].sync_failure = disk_failure("EIO", false);
    take(fixture, false);
    assert_string_equal(world.end.code, "EIO");
    assert_int_equal(world.records, 0);
    assert_int_equal(world.requests, 1);
    assert_delivered_from_to(0, 1);
    assert_delivered(3);
    assert_false(item_numbered(fixture, 2)->settled);
    fixture_free(fixture);
}

static void a_commit_that_failed_leaves_the_files_to_recovery(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(8);
    fixture->profile_config.batch_size = 4;
    world.commit_failure = (struct failure){
        .category = FAILURE_STORAGE, .scope = FAILURE_SCOPE_SERVER, .code = "SQLITE_FULL"};
    take(fixture, false);
    assert_string_equal(world.end.code, "SQLITE_FULL");
    assert_left_to_recovery(fixture);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(world.fates[i].left, 1);
        assert_int_equal(world.fates[i].published, 0);
    }
    assert_int_equal(world.requests, 1);
    assert_int_equal(fixture->cycle.moved, 0);
    fixture_free(fixture);
}

static void a_message_that_is_committed_and_not_published_is_left_to_recovery(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(8);
    fixture->profile_config.batch_size = 4;
    world.fates[1].publish_failure = disk_failure("EIO", false);
    take(fixture, false);
    assert_string_equal(world.end.code, "EIO");
    assert_left_to_recovery(fixture);
    assert_int_equal(world.fates[1].left, 1);
    assert_int_equal(world.fates[1].marked, 0);
    assert_true(item_numbered(fixture, 1)->settled); /* it is never fetched again */
    assert_delivered(0);
    assert_delivered_from_to(2, 3);
    assert_int_equal(fixture->cycle.moved, 3);
    assert_int_equal(world.requests, 1);
    fixture_free(fixture);
}

static void a_batch_of_which_nothing_is_published_is_left_to_recovery(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(2);
    world.fates[0].publish_failure = world.fates[1].publish_failure = disk_failure("EIO", false);
    take(fixture, false);
    assert_string_equal(world.end.code, "EIO");
    assert_left_to_recovery(fixture);
    assert_int_equal(world.fates[0].left + world.fates[1].left, 2);
    fixture_free(fixture);
}

static void what_is_published_and_not_marked_is_left_to_recovery(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(2);
    world.mark_failure = (struct failure){
        .category = FAILURE_STORAGE, .scope = FAILURE_SCOPE_SERVER, .code = "SQLITE_IOERR"};
    take(fixture, false);
    assert_string_equal(world.end.code, "SQLITE_IOERR");
    assert_left_to_recovery(fixture);
    assert_int_equal(fixture->cycle.moved, 2);
    fixture_free(fixture);
}

static void a_failure_that_cannot_be_recorded_ends_the_cycle(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(4);
    treat(1, 1, TREAT_REFUSED);
    world.record_failure = (struct failure){
        .category = FAILURE_STORAGE, .scope = FAILURE_SCOPE_SERVER, .code = "SQLITE_FULL"};
    take(fixture, false);
    assert_string_equal(world.end.code, "SQLITE_FULL");
    assert_delivered(0);
    assert_delivered_from_to(2, 3);
    fixture_free(fixture);
}

/* --- a disk that hangs --- */

/* The watch's time is over: the timer is what runs out, so the test need not wait for it. */
static void run_out_of_patience(struct fixture *fixture)
{
    struct executor_timer *timer = &fixture->cycle.disk.timer;
    assert_true(executor_timer_pending(timer));
    assert_int_equal(timer->entry.key - executor_now(fixture->executor), DISK_PATIENCE_MS);
    executor_cancel_timer(fixture->executor, timer);
    timer->callback(timer->argument);
}

static void a_disk_that_hangs_while_the_server_sends_gives_the_request_up(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(4);
    fixture->profile.running = 1;
    start(fixture, false);
    answer_next(); /* the first item arrives whole */
    world.disk_full = true;
    answer_all(); /* the second waits */
    assert_int_equal(world.ends, 0);
    run_out_of_patience(fixture);
    assert_int_equal(world.ends, 1);
    assert_int_equal(world.cancelled_requests, 1);
    assert_string_equal(world.end.code, "DiskHangs");
    assert_int_equal(world.end.scope, FAILURE_SCOPE_MAILBOX);
    assert_int_equal(fixture->profile.running_stuck, 0);
    struct failure why;
    uint64_t now = executor_now(fixture->executor);
    assert_false(disks_admit(&fixture->disks, now, the_sink, &why));
    assert_string_equal(why.code, "DiskHangs");
    assert_true(disks_admit(&fixture->disks, now + DISK_SUSPECT_MS, the_sink, &why));
    fixture_free(fixture);
}

static void a_disk_that_hangs_is_given_up_when_what_was_to_be_recorded_is(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(4);
    treat(0, 0, TREAT_REFUSED);
    world.disk_full = true;
    start(fixture, false);
    store_slow = true;
    answer_all(); /* the first is refused, the second waits for the disk */
    assert_int_equal(fixture->taker.outstanding, 1);
    run_out_of_patience(fixture);
    assert_int_equal(world.cancelled_requests, 1);
    assert_int_equal(world.ends, 0);
    store_slow = false;
    finish();
    assert_string_equal(world.end.code, "DiskHangs");
    fixture_free(fixture);
}

static void a_disk_that_answers_in_time_lets_the_server_go_on(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(2);
    world.disk_full = true;
    start(fixture, false);
    answer_all();
    assert_true(executor_timer_pending(&fixture->cycle.disk.timer));
    world.disk_full = false;
    world.messages->on_ready(world.messages->argument);
    assert_false(executor_timer_pending(&fixture->cycle.disk.timer));
    finish();
    assert_went_through();
    assert_delivered_from_to(0, 1);
    fixture_free(fixture);
}

static void a_disk_that_hangs_in_a_sync_gives_its_place_back_and_takes_it_again(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(2);
    fixture->profile.running = 1;
    start(fixture, false);
    while (fixture->taker.state != TAKE_SYNCING)
        assert_true(answer_next());
    run_out_of_patience(fixture);
    assert_int_equal(fixture->profile.running_stuck, 1);
    assert_int_equal(world.ends, 0);
    finish();
    assert_int_equal(fixture->profile.running_stuck, 0);
    assert_went_through();
    assert_int_equal(logged_count(MESSAGE_DISK_STUCK), 1);
    assert_int_equal(logged_count(MESSAGE_DISK_ANSWERS), 1);
    fixture_free(fixture);
}

/* --- cancel --- */

/* Something of everything. */
static struct fixture *eventful(void)
{
    struct fixture *fixture = fixture_create(12);
    fixture->profile_config.batch_size = 4;
    fixture->settings.after_processing = CONFIG_AFTER_MARK_READ;
    treat(1, 1, TREAT_REFUSED);
    treat(5, 5, TREAT_GONE);
    treat(10, 10, TREAT_POISON);
    item_numbered(fixture, 5)->attempts = 1;
    world.fates[2].known = true;
    return fixture;
}

/* Each item is in one of the few states that a later cycle can go on from. */
static void assert_nothing_lost(struct fixture *fixture)
{
    for (int i = 0; i < (int)fixture->items.count; i++) {
        const struct fate *fate = &world.fates[i];
        assert_in_range(fate->published, 0, 1);
        /* What is committed is published, or its file is there and recovery is due. */
        if (fate->committed > fate->published) {
            assert_int_equal(fate->left, 1);
            assert_left_to_recovery(fixture);
        }
        assert_int_equal(fate->marked, fate->published);
        if (item_numbered(fixture, i)->settled)
            assert_true(fate->published + fate->recorded + fate->known + fate->left == 1 ||
                        fate->treatment == TREAT_GONE);
    }
}

static unsigned committed_count(void)
{
    unsigned count = 0;
    for (int i = 0; i < ITEMS_MAX; i++)
        count += world.fates[i].committed;
    return count;
}

static void cancelled_in_any_state_it_ends_once_and_loses_nothing(void **state)
{
    (void)state;
    unsigned seen = 0;
    for (unsigned steps = 0; steps < STEPS_MAX; steps++) {
        struct fixture *fixture = eventful();
        start(fixture, false);
        for (unsigned i = 0; i < steps && answer_next(); i++)
            continue;
        bool over = world.ends > 0;
        seen |= 1U << fixture->taker.state;
        unsigned requests = world.requests, committed = committed_count();
        bool uncommitted = fixture->taker.state < TAKE_COMMITTING;
        taker_cancel(&fixture->taker);
        finish();
        taker_cancel(&fixture->taker); /* one that does not run is left alone */
        finish();
        assert_nothing_lost(fixture);
        assert_int_equal(world.requests, requests);
        if (uncommitted) /* nothing more is begun */
            assert_int_equal(committed_count(), committed);
        if (!over)
            assert_int_equal(world.end.category, FAILURE_CANCELLED);
        fixture_free(fixture);
        if (over) {
            for (enum take_state each = TAKE_IDLE; each <= TAKE_ACKNOWLEDGING; each++) {
                if ((seen & 1U << each) == 0)
                    fail_msg("the state %d was never cancelled", (int)each);
            }
            return;
        }
    }
    fail_msg("it never came to an end");
}

/* The store fails from a moment on; whatever that hits, it ends once. */
static void a_store_that_begins_to_fail_at_any_moment_loses_nothing(void **state)
{
    (void)state;
    const struct failure full = {
        .category = FAILURE_STORAGE, .scope = FAILURE_SCOPE_SERVER, .code = "SQLITE_FULL"};
    for (unsigned steps = 0; steps < STEPS_MAX; steps++) {
        struct fixture *fixture = eventful();
        start(fixture, false);
        for (unsigned i = 0; i < steps && answer_next(); i++)
            continue;
        bool over = world.ends > 0;
        world.commit_failure = world.record_failure = full;
        finish();
        assert_nothing_lost(fixture);
        fixture_free(fixture);
        if (over)
            return;
    }
    fail_msg("it never came to an end");
}

static void cancelled_while_the_disk_hangs_it_ends_at_once(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_create(3);
    world.disk_full = true;
    start(fixture, false);
    answer_all();
    taker_cancel(&fixture->taker);
    assert_int_equal(world.ends, 1);
    assert_int_equal(world.end.category, FAILURE_CANCELLED);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_are_taken_first),
        cmocka_unit_test(a_request_is_cut_where_the_sizes_exceed_the_limit),
        cmocka_unit_test(a_request_is_cut_before_the_sink_would_hold_too_much),
        cmocka_unit_test(a_cycle_that_is_to_end_finishes_the_batch_under_way),
        cmocka_unit_test(a_bad_item_is_found_by_halving_and_the_others_are_delivered),
        cmocka_unit_test(what_arrived_before_a_request_broke_is_kept),
        cmocka_unit_test(sixty_bad_items_do_not_hold_up_a_good_newer_one),
        cmocka_unit_test(bad_items_between_good_ones_are_all_recorded_in_one_cycle),
        cmocka_unit_test(when_every_item_fails_it_is_the_mailbox_and_hardly_any_is_recorded),
        cmocka_unit_test(a_lone_bad_item_is_recorded_and_the_cycle_goes_on),
        cmocka_unit_test(retries_never_end_with_a_failure_because_of_bad_items),
        cmocka_unit_test(an_item_that_the_server_refuses_by_name_costs_no_request),
        cmocka_unit_test(trouble_told_for_an_item_that_may_be_its_cause_is_looked_into),
        cmocka_unit_test(trouble_told_for_an_item_that_cannot_be_its_cause_ends_the_cycle),
        cmocka_unit_test(a_server_that_asks_for_patience_is_not_asked_again),
        cmocka_unit_test(a_server_that_asks_for_patience_with_one_item_is_not_asked_again),
        cmocka_unit_test(a_failure_that_no_item_can_cause_ends_the_cycle_at_once),
        cmocka_unit_test(items_that_are_gone_are_told_to_the_ledger_if_it_knows_them_as_failed),
        cmocka_unit_test(what_the_ledger_has_already_is_thrown_away_and_not_counted),
        cmocka_unit_test(a_batch_of_nothing_but_duplicates_is_no_trouble),
        cmocka_unit_test(a_message_that_the_disk_has_no_room_for_is_recorded_and_others_delivered),
        cmocka_unit_test(a_full_disk_ends_the_cycle_and_hardly_anything_is_recorded),
        cmocka_unit_test(a_disk_that_fails_ends_the_cycle_after_what_it_took),
        cmocka_unit_test(a_commit_that_failed_leaves_the_files_to_recovery),
        cmocka_unit_test(a_message_that_is_committed_and_not_published_is_left_to_recovery),
        cmocka_unit_test(a_batch_of_which_nothing_is_published_is_left_to_recovery),
        cmocka_unit_test(what_is_published_and_not_marked_is_left_to_recovery),
        cmocka_unit_test(a_failure_that_cannot_be_recorded_ends_the_cycle),
        cmocka_unit_test(a_disk_that_hangs_while_the_server_sends_gives_the_request_up),
        cmocka_unit_test(a_disk_that_hangs_is_given_up_when_what_was_to_be_recorded_is),
        cmocka_unit_test(a_disk_that_answers_in_time_lets_the_server_go_on),
        cmocka_unit_test(a_disk_that_hangs_in_a_sync_gives_its_place_back_and_takes_it_again),
        cmocka_unit_test(cancelled_in_any_state_it_ends_once_and_loses_nothing),
        cmocka_unit_test(a_store_that_begins_to_fail_at_any_moment_loses_nothing),
        cmocka_unit_test(cancelled_while_the_disk_hangs_it_ends_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
