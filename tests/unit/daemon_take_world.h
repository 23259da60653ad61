/* For the taker's tests: a server with bad items, a disk with faults and a store that fails. The
 * back end, the sink and the ledger are replaced by ones in memory that hold the taker to their
 * contracts. To be included by one file of a test. */
#ifndef EXSYNC_TESTS_DAEMON_TAKE_WORLD_H
#define EXSYNC_TESTS_DAEMON_TAKE_WORLD_H

#include "daemon_world.h"

#include "daemon/take.h"

enum { ITEMS_MAX = 128, REQUESTS_MAX = 512 };

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
    bool set_aside;      /* marked so when it was */
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
    bool refused_for_good; /* what the server refuses cannot be had later either */
    bool cut;       /* a request with poison fails where the poison is, not before everything */
    bool disk_full; /* no message is ready for more */
    unsigned requests;
    size_t request_sizes[REQUESTS_MAX];
    int request_first[REQUESTS_MAX];
    unsigned publications;
    struct sink_message *messages; /* alive */
    unsigned records;              /* failures of items */
    unsigned hangs;                /* failures of the mailbox, whose disk hangs */
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

static inline int number_of(const char *reference)
{
    return atoi(reference);
}

static inline struct digest key_of(int number)
{
    struct digest key = {{0}};
    memcpy(key.bytes, &number, sizeof number);
    return key;
}

static inline int number_of_key(const struct digest *key)
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

static inline void fetch_end(struct backend_operation *operation, const struct failure *failure)
{
    operation->done(operation->argument, failure);
    memory_free(operation);
}

static inline bool has_poison(const struct backend_operation *operation)
{
    for (size_t i = 0; i < operation->count; i++) {
        if (world.fates[operation->numbers[i]].treatment == TREAT_POISON)
            return true;
    }
    return false;
}

static inline void fetch_send(struct backend_operation *operation, size_t index, struct fate *fate)
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

static inline void fetch_refuse(struct backend_operation *operation, size_t index,
                                const struct fate *fate)
{
    struct failure failure = {
        .category = FAILURE_ITEM, .scope = FAILURE_SCOPE_ITEM, .permanent = world.refused_for_good};
    if (fate->treatment == TREAT_SUSPECT)
        failure = world.suspect_failure;
    failure.gone = fate->treatment == TREAT_GONE;
    operation->receiver->item_end(operation->argument, index, &failure);
    operation->next++;
}

/* One item, or the end. */
static inline void fetch_step(void *answer)
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

static inline void acknowledge_step(void *answer)
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

struct sink_message *sink_begin(struct sink *sink, const struct maildir_mark *mark,
                                void (*on_ready)(void *argument), void *argument)
{
    assert_ptr_equal(sink, the_sink);
    assert_non_null(mark);
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

static inline void message_free(struct sink_message *message)
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

static inline void sync_step(void *answer)
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

static inline void publish_step(void *answer)
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

static inline void batch_later(struct sink_batch *batch, void (*run)(void *answer))
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
    if (failure->item == NULL) {
        assert_string_equal(failure->failure.code, "DiskHangs");
        world.hangs++;
        store_answer_later(done, argument, NULL);
        return;
    }
    assert_int_equal(failure->failure.scope, FAILURE_SCOPE_ITEM);
    world.fates[number_of_key(&failure->item->key.item)].recorded++;
    world.fates[number_of_key(&failure->item->key.item)].set_aside = failure->set_aside;
    world.records++;
    store_answer_later(done, argument, &world.record_failure);
}

void store_failure_resolve(struct store *store, const char *profile, struct store_mailbox mailbox,
                           const char *direction, int64_t now_ms, struct store_resolved *resolved,
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

#endif
