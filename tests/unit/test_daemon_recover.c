/* Recovery: what was committed is published where it lies, before anything else, and nothing is
 * concluded from a Maildir that is not there. The Maildirs are real; store and server are replaced
 * by ones in memory. */
#define _GNU_SOURCE /* nftw */
#include "daemon_world.h"
#include "mail_world.h"

#include "daemon/disks.h"
#include "daemon/incoming.h"
#include "daemon/recover.h"
#include "daemon/scheduler.h"

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

static void count_call(void)
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

static struct digest key_of(size_t index)
{
    struct digest key = {{0}};
    key.bytes[0] = (uint8_t)(index + 1);
    return key;
}

static void open_items_step(void *answer)
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
    (void)store, (void)mailbox, (void)items, (void)count, (void)now_ms;
    store_answer_later(done, argument, NULL);
}

void store_failure_record(struct store *store, const struct store_failure *failure,
                          store_done *done, void *argument)
{
    (void)store, (void)failure;
    store_answer_later(done, argument, NULL);
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

/* --- the server: one folder, with nothing in it --- */

struct backend_operation {
    struct answer answer;
    backend_list_done *listed;
    backend_folder_done *found;
    void *argument;
};

static void operation_step(void *answer)
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
                                             backend_list_done *done, void *argument)
{
    (void)backend, (void)mailbox, (void)folder_id, (void)offset, (void)limit;
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

void backend_cancel(struct backend_operation *operation)
{
    answer_withdraw(&operation->answer);
    memory_free(operation);
}

/* --- a mailbox with Maildirs --- */

static const char *const inbox[] = {"Inbox", NULL};

static int set_up(void **state)
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

static int tear_down(void **state)
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
static char *path_of(const struct fixture *fixture, const char *name)
{
    struct buffer path = {0};
    buffer_append_format(&path, "%s/%s", fixture->files.folder, name);
    return buffer_take(&path);
}

static bool exists(const char *path, const char *below)
{
    struct buffer whole = {0};
    buffer_append_format(&whole, "%s/%s", path, below);
    bool there = access(buffer_string(&whole), F_OK) == 0;
    buffer_release(&whole);
    return there;
}

/* A Maildir at `path` that was set up before, with committed messages in its spool, as a process
 * that was killed leaves it. */
static void leave_committed(struct fixture *fixture, const char *path, size_t count)
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

static int count_in(struct fixture *fixture, const char *path, const char *below)
{
    snprintf(fixture->files.path, sizeof fixture->files.path, "%s", path);
    return world_count(&fixture->files, below);
}

/* Lets store and server answer between the turns of the loop, until something has ended. */
static void pump(void *argument)
{
    struct fixture *fixture = argument;
    if (fixture->ends == 0)
        answer_next();
    if (fixture->ends > 0)
        executor_stop(fixture->files.executor);
    else
        executor_after(fixture->files.executor, &fixture->pump, 1, pump, fixture);
}

static void run(struct fixture *fixture)
{
    executor_after(fixture->files.executor, &fixture->pump, 0, pump, fixture);
    world_run(&fixture->files);
    assert_int_equal(fixture->ends, 1);
}

/* --- recovery alone --- */

static void recovered(struct recovery *recovery, const struct failure *failure)
{
    struct fixture *fixture = recovery->argument;
    fixture->ends++;
    fixture->end = failure == NULL ? (struct failure){0} : *failure;
    assert_int_equal(failure == NULL, recovery->sink != NULL);
}

/* The names and keys as the cycle reads them from the store. */
static void recover_cancelled_at(struct fixture *fixture, const char *maildir, unsigned call)
{
    char *names[COMMITTED_MAX];
    struct digest keys[COMMITTED_MAX];
    size_t count = fixture->committed_count;
    for (size_t i = 0; i < count; i++) {
        names[i] = memory_copy_string(fixture->committed[i]);
        keys[i] = key_of(i);
    }
    char *former = memory_copy_string(fixture->sink_path);
    fixture->ends = fixture->calls = 0;
    fixture->cancel_at = call;
    fixture->mailbox->sink_ready = former != NULL && strcmp(former, maildir) == 0;
    fixture->recovery = (struct recovery){
        .cycle = &fixture->cycle,
        .maildir = maildir,
        .former_maildir = former,
        .names = names,
        .keys = keys,
        .count = count,
        .done = recovered,
        .argument = fixture,
    };
    recovery_start(&fixture->recovery);
    if (call == 0)
        recovery_cancel(&fixture->recovery);
    if (fixture->ends == 0)
        run(fixture);
    assert_null(fixture->cycle.disk.sink);
    sink_free(fixture->recovery.sink);
    for (size_t i = 0; i < count; i++)
        memory_free(names[i]);
    memory_free(former);
}

static void recover(struct fixture *fixture, const char *maildir)
{
    recover_cancelled_at(fixture, maildir, UINT32_MAX);
}

static void what_was_committed_is_published(void **state)
{
    struct fixture *fixture = *state;
    char *maildir = path_of(fixture, "ann@example.com");
    leave_committed(fixture, maildir, 2);
    recover(fixture, maildir);
    assert_string_equal(fixture->end.text, "");
    assert_int_equal(count_in(fixture, maildir, "new"), 2);
    assert_int_equal(fixture->marked, 2);
    assert_int_equal(fixture->cycle.moved, 2);
    assert_true(fixture->mailbox->sink_checked);
    assert_int_equal(logged_count(MESSAGE_SINK_RECOVERED), 1);
    memory_free(maildir);
}

static void a_former_maildir_is_settled_before_the_configured_one_is_opened(void **state)
{
    struct fixture *fixture = *state;
    char *former = path_of(fixture, "former"), *maildir = path_of(fixture, "ann@example.com");
    leave_committed(fixture, former, 2);
    fixture->must_not_exist = maildir;
    recover(fixture, maildir);
    assert_string_equal(fixture->end.text, "");
    assert_int_equal(count_in(fixture, former, "new"), 2);
    assert_int_equal(fixture->marked, 2);
    assert_int_equal(count_in(fixture, maildir, "new"), 0);
    assert_true(exists(maildir, SINK_SPOOL "/" SINK_MARKER));
    assert_string_equal(fixture->sink_path, maildir);
    assert_true(fixture->mailbox->sink_checked);
    memory_free(former);
    memory_free(maildir);
}

static void with_nothing_committed_a_former_maildir_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
    char *former = path_of(fixture, "gone"), *maildir = path_of(fixture, "ann@example.com");
    fixture->sink_path = memory_copy_string(former);
    recover(fixture, maildir);
    assert_string_equal(fixture->end.text, "");
    assert_int_equal(access(former, F_OK), -1);
    assert_true(exists(maildir, SINK_SPOOL "/" SINK_MARKER));
    memory_free(former);
    memory_free(maildir);
}

static void assert_nothing_concluded(const struct fixture *fixture, const char *maildir)
{
    assert_true(failure_is_set(&fixture->end));
    assert_int_equal(fixture->end.scope, FAILURE_SCOPE_MAILBOX);
    assert_int_equal(fixture->marked, 0);
    assert_int_equal(fixture->committed_count, 1);
    assert_int_equal(fixture->ready_noted, 0);
    assert_false(fixture->mailbox->sink_checked);
    assert_int_equal(access(maildir, F_OK), -1);
}

static void nothing_is_concluded_from_a_former_maildir_that_is_gone(void **state)
{
    struct fixture *fixture = *state;
    char *former = path_of(fixture, "former"), *maildir = path_of(fixture, "ann@example.com");
    char *away = path_of(fixture, "away");
    leave_committed(fixture, former, 1);
    assert_int_equal(rename(former, away), 0); /* as if it were not mounted */
    recover(fixture, maildir);
    assert_nothing_concluded(fixture, maildir);
    assert_int_equal(access(former, F_OK), -1); /* and nothing is created there */
    assert_int_equal(mkdir(former, 0700), 0);   /* a bare mount point */
    recover(fixture, maildir);
    assert_nothing_concluded(fixture, maildir);
    assert_int_equal(count_in(fixture, former, "."), 0);
    assert_int_equal(rmdir(former), 0);
    assert_int_equal(rename(away, former), 0);
    recover(fixture, maildir);
    assert_string_equal(fixture->end.text, "");
    assert_int_equal(count_in(fixture, former, "new"), 1);
    assert_int_equal(fixture->marked, 1);
    memory_free(former);
    memory_free(maildir);
    memory_free(away);
}

/* What must exist of a former path is the path, whatever the configured template begins with. */
static void a_former_maildir_does_not_depend_on_the_configured_root(void **state)
{
    struct fixture *fixture = *state;
    char *former = path_of(fixture, "former");
    char *maildir = path_of(fixture, "a/root/that/is/not/mounted/ann@example.com");
    char *root = path_of(fixture, "a/root/that/is/not/mounted");
    leave_committed(fixture, former, 1);
    snprintf(fixture->template, sizeof fixture->template, "%s/%%u", root);
    recover(fixture, maildir);
    assert_int_equal(count_in(fixture, former, "new"), 1);
    assert_int_equal(fixture->marked, 1);
    assert_true(failure_is_set(&fixture->end)); /* of the configured one */
    assert_false(fixture->mailbox->sink_checked);
    assert_int_equal(access(root, F_OK), -1);
    memory_free(former);
    memory_free(maildir);
    memory_free(root);
}

static void marks_that_the_store_refuses_are_made_by_the_next_recovery(void **state)
{
    struct fixture *fixture = *state;
    char *former = path_of(fixture, "former"), *maildir = path_of(fixture, "ann@example.com");
    leave_committed(fixture, former, 1);
    fixture->mark_failure = (struct failure){
        .category = FAILURE_STORAGE, .scope = FAILURE_SCOPE_SERVER, .code = "SQLITE_FULL"};
    recover(fixture, maildir);
    assert_string_equal(fixture->end.code, "SQLITE_FULL");
    assert_false(fixture->mailbox->sink_checked);
    fixture->mark_failure = (struct failure){0};
    recover(fixture, maildir);
    assert_string_equal(fixture->end.text, "");
    assert_int_equal(count_in(fixture, former, "new"), 1); /* once */
    assert_int_equal(fixture->marked, 1);
    memory_free(former);
    memory_free(maildir);
}

static void a_disk_that_is_known_to_hang_is_not_opened(void **state)
{
    struct fixture *fixture = *state;
    char *maildir = path_of(fixture, "ann@example.com");
    struct sink *sink = recovery_create_sink(&fixture->cycle, maildir);
    disk_watch_begin(&fixture->cycle.disk, &fixture->cycle, sink, NULL, NULL);
    struct scheduler scheduler = {.context = &fixture->context};
    fixture->profile.owner = &scheduler;
    struct executor_timer *timer = &fixture->cycle.disk.timer;
    executor_cancel_timer(fixture->files.executor, timer);
    timer->callback(timer->argument); /* its time is over */
    disk_watch_give_up(&fixture->cycle.disk);
    executor_cancel_call(fixture->files.executor, &scheduler.dispatch);
    sink_free(sink);
    recover(fixture, maildir);
    assert_string_equal(fixture->end.code, "DiskHangs");
    assert_int_equal(access(maildir, F_OK), -1);
    assert_false(fixture->mailbox->sink_checked);
    memory_free(maildir);
}

static void cancelled_at_any_moment_it_ends_once_and_the_next_goes_on(void **state)
{
    struct fixture *fixture = *state;
    char *former = path_of(fixture, "former"), *maildir = path_of(fixture, "ann@example.com");
    for (unsigned call = 0; call <= 2; call++) {
        leave_committed(fixture, former, 1);
        recover_cancelled_at(fixture, maildir, call);
        assert_int_equal(fixture->end.category, FAILURE_CANCELLED);
        assert_false(fixture->mailbox->sink_checked);
        recover(fixture, maildir);
        assert_string_equal(fixture->end.text, "");
        assert_true(fixture->mailbox->sink_checked);
        assert_int_equal(count_in(fixture, former, "new"), (int)call + 1);
        assert_int_equal(fixture->marked, call + 1);
        fixture->mailbox->sink_checked = false;
        world_remove_tree(maildir);
    }
    memory_free(former);
    memory_free(maildir);
}

/* --- the whole cycle --- */

static void cycle_ended(struct cycle *cycle)
{
    world->ends++;
    world->end = cycle->failure;
    struct direction *direction = &cycle->mailbox->incoming;
    cycle->operations->free(cycle);
    direction->state = DIRECTION_OFF;
    direction->cycle = NULL;
    mailbox_settle(direction->mailbox);
}

static void run_cycle(struct fixture *fixture)
{
    fixture->ends = 0;
    fixture->cancel_at = UINT32_MAX;
    fixture->mailbox->incoming.state = DIRECTION_RUNNING;
    incoming_start(&fixture->context, &fixture->mailbox->incoming, cycle_ended);
    run(fixture);
}

static void assert_cycle_went_through(const struct fixture *fixture)
{
    assert_string_equal(fixture->end.text, "");
    assert_string_equal(fixture->end.code, "");
    assert_false(failure_is_set(&fixture->end));
}

static void an_idle_cycle_leaves_a_maildir_alone_that_was_checked(void **state)
{
    struct fixture *fixture = *state;
    char *maildir = path_of(fixture, "ann@example.com");
    run_cycle(fixture);
    assert_cycle_went_through(fixture);
    assert_true(fixture->mailbox->sink_checked);
    assert_string_equal(fixture->sink_path, maildir);
    world_remove_tree(maildir);
    run_cycle(fixture);
    assert_cycle_went_through(fixture);
    assert_int_equal(access(maildir, F_OK), -1);
    memory_free(maildir);
}

static void a_renamed_mailbox_is_recovered_where_it_was_and_opened_where_it_is(void **state)
{
    struct fixture *fixture = *state;
    char *old = path_of(fixture, "ann@example.com"), *new = path_of(fixture, "miller@example.com");
    run_cycle(fixture);
    assert_cycle_went_through(fixture);
    leave_committed(fixture, old, 1); /* a publishing that failed, say */
    mailbox_reconfigure(fixture->mailbox, &fixture->miller, &fixture->configuration,
                        &fixture->profile);
    assert_false(fixture->mailbox->sink_checked);
    assert_true(fixture->mailbox->may_have_open);
    assert_null(fixture->mailbox->folders);
    run_cycle(fixture);
    assert_cycle_went_through(fixture);
    assert_int_equal(count_in(fixture, old, "new"), 1);
    assert_int_equal(fixture->marked, 1);
    assert_true(exists(new, SINK_SPOOL "/" SINK_MARKER));
    assert_string_equal(fixture->sink_path, new);
    assert_true(fixture->mailbox->sink_checked);

    memory_free(old);
    memory_free(new);
}

static void a_mailbox_that_is_renamed_while_a_cycle_runs_is_opened_anew_by_the_next(void **state)
{
    struct fixture *fixture = *state;
    char *new = path_of(fixture, "miller@example.com");
    fixture->ends = 0;
    fixture->cancel_at = UINT32_MAX;
    fixture->mailbox->incoming.state = DIRECTION_RUNNING;
    incoming_start(&fixture->context, &fixture->mailbox->incoming, cycle_ended);
    mailbox_reconfigure(fixture->mailbox, &fixture->miller, &fixture->configuration,
                        &fixture->profile);
    assert_string_equal(mailbox_address(fixture->mailbox), "ann@example.com");
    run(fixture);
    assert_cycle_went_through(fixture);
    assert_string_equal(mailbox_address(fixture->mailbox), "miller@example.com");
    assert_false(fixture->mailbox->sink_checked);
    run_cycle(fixture);
    assert_cycle_went_through(fixture);
    assert_true(exists(new, SINK_SPOOL "/" SINK_MARKER));
    memory_free(new);
}

static void a_template_that_changes_makes_the_maildir_be_opened_anew(void **state)
{
    struct fixture *fixture = *state;
    char *other = path_of(fixture, "other");
    run_cycle(fixture);
    assert_cycle_went_through(fixture);
    struct config_mailbox_settings settings = fixture->settings;
    settings.maildir = other;
    const struct config_mailbox moved = {.address = "ann@example.com", .settings = &settings};
    mailbox_reconfigure(fixture->mailbox, &moved, &fixture->configuration, &fixture->profile);
    assert_false(fixture->mailbox->sink_checked);
    assert_int_equal(mkdir(other, 0700), 0); /* what is written out must exist */
    run_cycle(fixture);
    assert_cycle_went_through(fixture);
    assert_true(exists(other, SINK_SPOOL "/" SINK_MARKER));
    mailbox_reconfigure(fixture->mailbox, &fixture->ann, &fixture->configuration,
                        &fixture->profile);
    memory_free(other);
}

static void a_configuration_that_is_the_same_keeps_what_was_checked(void **state)
{
    struct fixture *fixture = *state;
    run_cycle(fixture);
    struct config_mailbox_settings settings = fixture->settings;
    const struct config_mailbox same = {.address = "ann@example.com", .settings = &settings};
    mailbox_reconfigure(fixture->mailbox, &same, &fixture->configuration, &fixture->profile);
    assert_true(fixture->mailbox->sink_checked);
    assert_non_null(fixture->mailbox->folders);
    mailbox_reconfigure(fixture->mailbox, &fixture->ann, &fixture->configuration,
                        &fixture->profile);
}

static void a_cycle_goes_on_with_a_former_maildir_when_it_is_back(void **state)
{
    struct fixture *fixture = *state;
    char *former = path_of(fixture, "former"), *away = path_of(fixture, "away");
    char *maildir = path_of(fixture, "ann@example.com");
    leave_committed(fixture, former, 1);
    assert_int_equal(rename(former, away), 0);
    for (int i = 0; i < 3; i++) {
        run_cycle(fixture);
        assert_nothing_concluded(fixture, maildir);
        assert_string_equal(fixture->sink_path, former);
    }
    assert_int_equal(rename(away, former), 0);
    run_cycle(fixture);
    assert_cycle_went_through(fixture);
    assert_int_equal(count_in(fixture, former, "new"), 1);
    assert_string_equal(fixture->sink_path, maildir);
    memory_free(former);
    memory_free(away);
    memory_free(maildir);
}

#define with_maildirs(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_maildirs(what_was_committed_is_published),
        with_maildirs(a_former_maildir_is_settled_before_the_configured_one_is_opened),
        with_maildirs(with_nothing_committed_a_former_maildir_is_left_alone),
        with_maildirs(nothing_is_concluded_from_a_former_maildir_that_is_gone),
        with_maildirs(a_former_maildir_does_not_depend_on_the_configured_root),
        with_maildirs(marks_that_the_store_refuses_are_made_by_the_next_recovery),
        with_maildirs(a_disk_that_is_known_to_hang_is_not_opened),
        with_maildirs(cancelled_at_any_moment_it_ends_once_and_the_next_goes_on),
        with_maildirs(an_idle_cycle_leaves_a_maildir_alone_that_was_checked),
        with_maildirs(a_renamed_mailbox_is_recovered_where_it_was_and_opened_where_it_is),
        with_maildirs(a_mailbox_that_is_renamed_while_a_cycle_runs_is_opened_anew_by_the_next),
        with_maildirs(a_template_that_changes_makes_the_maildir_be_opened_anew),
        with_maildirs(a_configuration_that_is_the_same_keeps_what_was_checked),
        with_maildirs(a_cycle_goes_on_with_a_former_maildir_when_it_is_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
