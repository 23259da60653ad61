/* For the tests of recovery: a mailbox with real Maildirs, in which a process that was killed left
 * committed messages. Store and server are replaced by ones in memory. To be included by one file
 * of a test, which defines _GNU_SOURCE for mail_world.h. */
#ifndef EXSYNC_TESTS_DAEMON_RECOVER_WORLD_H
#define EXSYNC_TESTS_DAEMON_RECOVER_WORLD_H

#include "daemon_store.h"
#include "mail_world.h"

#include "daemon/disks.h"
#include "daemon/recover.h"

enum { OWNER = 7, COMMITTED_MAX = 4 };

struct fixture {
    struct world files;
    struct disks disks;
    struct context context;
    struct config config;
    struct configuration configuration;
    struct config_profile profile_config;
    struct config_mailbox_settings settings;
    struct config_mailbox ann, miller; /* the same mailbox before and after it is renamed */
    struct profile profile;
    struct mailbox *mailbox;
    char template[512];
    struct executor_timer pump;

    /* What the store knows. */
    char *sink_path;
    char *committed[COMMITTED_MAX];
    size_t committed_count;
    unsigned marked, ready_noted;
    unsigned files_told, checked; /* of the Maildir, by the comparison with the ledger */
    struct store_published last_file;
    unsigned calls, cancel_at;  /* of the store, while a recovery runs */
    const char *must_not_exist; /* when something is marked as delivered */
    struct failure mark_failure;

    struct cycle cycle;
    struct recovery recovery;
    unsigned ends;
    struct failure end;
};

static struct fixture *world;

/* --- the store --- */

static inline void count_call(void)
{
    if (++world->calls == world->cancel_at)
        recovery_cancel(&world->recovery);
}

void store_folders_load(struct store *store, struct store_mailbox mailbox, const char *const *names,
                        size_t count, struct store_folder *folders, char **sink_path,
                        store_done *done, void *argument)
{
    (void)store, (void)mailbox, (void)names;
    for (size_t i = 0; i < count; i++)
        folders[i].total = -1;
    *sink_path = memory_copy_string(world->sink_path);
    store_answer_later(done, argument, NULL);
}

void store_sink_ready(struct store *store, struct store_mailbox mailbox, const char *path,
                      store_done *done, void *argument)
{
    (void)store;
    assert_int_equal(mailbox.number, OWNER);
    memory_free(world->sink_path);
    world->sink_path = memory_copy_string(path);
    world->ready_noted++;
    store_answer_later(done, argument, NULL);
    count_call();
}

struct open_answer {
    struct answer answer;
    store_open_items_done *done;
    void *argument;
};

static inline struct digest key_of(size_t index)
{
    struct digest key = {{0}};
    key.bytes[0] = (uint8_t)(index + 1);
    return key;
}

static inline void open_items_step(void *answer)
{
    struct open_answer *open = answer;
    struct store_open_item items[COMMITTED_MAX] = {{0}};
    for (size_t i = 0; i < world->committed_count; i++) {
        items[i].kind = STORE_OPEN_DELIVERING;
        items[i].key.item = key_of(i);
        items[i].name = world->committed[i];
    }
    const struct store_open_items result = {.items = items, .count = world->committed_count};
    open->done(open->argument, NULL, &result);
    memory_free(open);
}

void store_open_items(struct store *store, struct store_mailbox mailbox, int64_t now_ms,
                      int64_t position, size_t limit, store_open_items_done *done, void *argument)
{
    (void)store, (void)mailbox, (void)now_ms, (void)position, (void)limit;
    struct open_answer *open = memory_allocate(sizeof *open);
    open->done = done;
    open->argument = argument;
    answer_later(&open->answer, open_items_step);
}

void store_ledger_delivered(struct store *store, struct store_mailbox mailbox,
                            const struct digest *items, size_t count, int64_t now_ms,
                            store_done *done, void *argument)
{
    (void)store, (void)mailbox, (void)now_ms;
    assert_int_equal(count, world->committed_count);
    if (world->must_not_exist != NULL)
        assert_int_equal(access(world->must_not_exist, F_OK), -1);
    if (!failure_is_set(&world->mark_failure)) {
        for (size_t i = 0; i < count; i++) {
            const struct digest key = key_of(i);
            assert_true(digest_equal(&items[i], &key));
            memory_free(world->committed[i]);
        }
        world->marked += (unsigned)count;
        world->committed_count = 0;
    }
    store_answer_later(done, argument, &world->mark_failure);
    count_call();
}

void store_folder_save(struct store *store, struct store_mailbox mailbox, const char *name,
                       const struct store_folder *folder, store_done *done, void *argument)
{
    (void)store, (void)mailbox, (void)name, (void)folder;
    store_answer_later(done, argument, NULL);
}

void store_ledger_check(struct store *store, struct store_mailbox mailbox,
                        const struct store_key *keys, size_t count, uint8_t *states,
                        store_done *done, void *argument)
{
    (void)store, (void)mailbox, (void)keys;
    memset(states, STORE_ITEM_DELIVERED, count);
    store_answer_later(done, argument, NULL);
}

void store_ledger_seen(struct store *store, struct store_mailbox mailbox,
                       const struct store_seen *items, size_t count, int64_t now_ms,
                       store_done *done, void *argument)
{
    (void)store, (void)mailbox, (void)items, (void)count, (void)now_ms;
    store_answer_later(done, argument, NULL);
}

void store_ledger_forget(struct store *store, struct store_mailbox mailbox, int64_t before_ms,
                         store_done *done, void *argument)
{
    (void)store, (void)mailbox, (void)before_ms;
    store_answer_later(done, argument, NULL);
}

void store_ledger_deliver(struct store *store, struct store_mailbox mailbox,
                          struct store_delivery *deliveries, size_t count, int64_t now_ms,
                          store_done *done, void *argument)
{
    (void)store, (void)mailbox, (void)deliveries, (void)count, (void)now_ms;
    store_answer_later(done, argument, NULL);
}

void store_ledger_set_aside(struct store *store, struct store_mailbox mailbox,
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
    (void)store, (void)mailbox, (void)items, (void)count, (void)now_ms;
    store_answer_later(done, argument, NULL);
}

void store_ledger_rebuild(struct store *store, struct store_mailbox mailbox,
                          const struct store_published *files, size_t count, int64_t now_ms,
                          struct store_comparison *comparison, store_done *done, void *argument)
{
    (void)store, (void)mailbox, (void)now_ms;
    for (size_t i = 0; i < count; i++)
        world->last_file = files[i];
    world->files_told += (unsigned)count;
    comparison->unknown += count;
    store_answer_later(done, argument, &world->mark_failure);
    count_call();
}

void store_mailbox_checked(struct store *store, struct store_mailbox mailbox, store_done *done,
                           void *argument)
{
    (void)store;
    assert_int_equal(mailbox.number, OWNER);
    world->checked++;
    store_answer_later(done, argument, NULL);
    count_call();
}

/* --- the server: one folder, with nothing in it --- */

struct backend_operation {
    struct answer answer;
    backend_list_done *listed;
    backend_folder_done *found;
    void *argument;
};

static inline void operation_step(void *answer)
{
    struct backend_operation *operation = answer;
    const struct backend_page page = {.last = true, .next_offset = -1};
    if (operation->found != NULL)
        operation->found(operation->argument, NULL, "inbox", false);
    else
        operation->listed(operation->argument, NULL, &page);
    memory_free(operation);
}

struct backend_operation *backend_folder_start(struct backend *backend,
                                               const struct backend_mailbox *mailbox,
                                               const char *path, bool create,
                                               backend_folder_done *done, void *argument)
{
    (void)backend, (void)mailbox, (void)path, (void)create;
    struct backend_operation *operation = memory_allocate(sizeof *operation);
    operation->found = done;
    operation->argument = argument;
    answer_later(&operation->answer, operation_step);
    return operation;
}

struct backend_operation *backend_list_start(struct backend *backend,
                                             const struct backend_mailbox *mailbox,
                                             const char *folder_id, int64_t offset, uint32_t limit,
                                             const struct backend_mark *known,
                                             backend_list_done *done, void *argument)
{
    (void)backend, (void)mailbox, (void)folder_id, (void)offset, (void)limit, (void)known;
    struct backend_operation *operation = memory_allocate(sizeof *operation);
    operation->listed = done;
    operation->argument = argument;
    answer_later(&operation->answer, operation_step);
    return operation;
}

struct backend_operation *backend_fetch_start(struct backend *backend,
                                              const struct backend_mailbox *mailbox,
                                              const char *const *references, size_t count,
                                              uint64_t max_message_size,
                                              const struct backend_receiver *receiver,
                                              backend_fetch_done *done, void *argument)
{
    (void)backend, (void)mailbox, (void)references, (void)count, (void)max_message_size;
    (void)receiver, (void)done, (void)argument;
    fail_msg("there is nothing to fetch");
    return NULL;
}

void backend_fetch_resume(struct backend_operation *operation)
{
    (void)operation;
}

struct backend_operation *backend_acknowledge_start(struct backend *backend,
                                                    const struct backend_mailbox *mailbox,
                                                    enum backend_action action,
                                                    const char *folder_id,
                                                    const char *const *references, size_t count,
                                                    backend_acknowledge_done *done, void *argument)
{
    (void)backend, (void)mailbox, (void)action, (void)folder_id, (void)references, (void)count;
    (void)done, (void)argument;
    fail_msg("there is nothing to acknowledge");
    return NULL;
}

/* --- a mailbox with Maildirs --- */

static const char *const inbox[] = {"Inbox", NULL};

static inline int set_up(void **state)
{
    struct fixture *fixture = memory_allocate(sizeof *fixture);
    world = fixture;
    logged_forget();
    world_create_folder(&fixture->files);
    world_start(&fixture->files, 4, NULL);
    fixture->context = (struct context){.executor = fixture->files.executor,
                                        .sinks = fixture->files.sinks,
                                        .disks = &fixture->disks};
    fixture->configuration = (struct configuration){.config = &fixture->config, .users = 1};
    fixture->profile_config = (struct config_profile){.name = "contoso", .page_size = 100};
    snprintf(fixture->template, sizeof fixture->template, "%s/%%u", fixture->files.folder);
    fixture->settings = (struct config_mailbox_settings){.profile = &fixture->profile_config,
                                                         .folders = inbox,
                                                         .maildir = fixture->template,
                                                         .deliver_mode = 0600};
    fixture->ann =
        (struct config_mailbox){.address = "ann@example.com", .settings = &fixture->settings};
    fixture->miller =
        (struct config_mailbox){.address = "miller@example.com", .settings = &fixture->settings};
    fixture->profile.config = &fixture->profile_config;
    fixture->profile.users = 1;
    fixture->mailbox = mailbox_create(&fixture->ann, &fixture->configuration, &fixture->profile);
    fixture->mailbox->id.number = OWNER;
    fixture->cycle = (struct cycle){
        .context = &fixture->context, .mailbox = fixture->mailbox, .profile = &fixture->profile};
    *state = fixture;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *fixture = *state;
    assert_null(first_answer);
    mailbox_free(fixture->mailbox);
    assert_int_equal(fixture->configuration.users, 1);
    assert_int_equal(fixture->profile.users, 1);
    disks_release(&fixture->disks);
    world_stop(&fixture->files);
    world_remove_tree(fixture->files.folder);
    for (size_t i = 0; i < fixture->committed_count; i++)
        memory_free(fixture->committed[i]);
    memory_free(fixture->sink_path);
    memory_free(fixture);
    return 0;
}

/* FOLDER/NAME; memory_free. */
static inline char *path_of(const struct fixture *fixture, const char *name)
{
    struct buffer path = {0};
    buffer_append_format(&path, "%s/%s", fixture->files.folder, name);
    return buffer_take(&path);
}

static inline bool exists(const char *path, const char *below)
{
    struct buffer whole = {0};
    buffer_append_format(&whole, "%s/%s", path, below);
    bool there = access(buffer_string(&whole), F_OK) == 0;
    buffer_release(&whole);
    return there;
}

/* A Maildir at `path` that was set up before, with committed messages in its spool, as a process
 * that was killed leaves it. */
static inline void leave_committed(struct fixture *fixture, const char *path, size_t count)
{
    assert_int_equal(fixture->committed_count, 0);
    struct sink_settings settings = {
        .path = path, .root = fixture->files.folder, .owner = OWNER, .mode = 0600};
    struct sink *sink = sink_create(fixture->files.sinks, &settings);
    struct sink_opening opening =
        world_open(&fixture->files, sink, !exists(path, SINK_SPOOL), NULL, 0);
    assert_string_equal(opening.failure.text, "");
    for (size_t i = 0; i < count; i++) {
        struct sink_message *message = world_text(&fixture->files, sink, "Subject: kept\n\n");
        struct failure failure = {0};
        world_sync(&fixture->files, sink, &message, 1, &failure);
        assert_string_equal(failure.text, "");
        fixture->committed[fixture->committed_count++] =
            memory_copy_string(sink_message_name(message));
        sink_release(message);
    }
    sink_free(sink);
    memory_free(fixture->sink_path);
    fixture->sink_path = memory_copy_string(path);
}

static inline int count_in(struct fixture *fixture, const char *path, const char *below)
{
    snprintf(fixture->files.path, sizeof fixture->files.path, "%s", path);
    return world_count(&fixture->files, below);
}

/* Lets store and server answer between the turns of the loop, until something has ended. */
static inline void pump(void *argument)
{
    struct fixture *fixture = argument;
    if (fixture->ends == 0)
        answer_next();
    if (fixture->ends > 0)
        executor_stop(fixture->files.executor);
    else
        executor_after(fixture->files.executor, &fixture->pump, 1, pump, fixture);
}

static inline void run(struct fixture *fixture)
{
    executor_after(fixture->files.executor, &fixture->pump, 0, pump, fixture);
    world_run(&fixture->files);
    assert_int_equal(fixture->ends, 1);
}

static inline void assert_nothing_concluded(const struct fixture *fixture, const char *maildir)
{
    assert_true(failure_is_set(&fixture->end));
    assert_int_equal(fixture->end.scope, FAILURE_SCOPE_MAILBOX);
    assert_int_equal(fixture->marked, 0);
    assert_int_equal(fixture->committed_count, 1);
    assert_int_equal(fixture->ready_noted, 0);
    assert_false(fixture->mailbox->sink_checked);
    assert_int_equal(access(maildir, F_OK), -1);
}

#define with_maildirs(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
