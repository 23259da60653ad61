#include "mail_faults.h"

#include "mail_world.h"

/* --- what the hooks do; set by one test at a time --- */

static enum call refused_call;
static int refused_error;
static atomic_int refused_number; /* which of the calls; counts down; 0: all of them */
static atomic_bool holding;
static const char *held_below; /* only calls on files below it; NULL: all writes */

static int refuse(enum call call, int fd, const char *name)
{
    (void)fd;
    (void)name;
    if (call != refused_call)
        return FAULT_NONE;
    int number = atomic_load(&refused_number);
    if (number == 0)
        return refused_error;
    atomic_store(&refused_number, number - 1);
    if (number != 1)
        return FAULT_NONE;
    atomic_store(&refused_number, 1000000);
    return refused_error;
}

/* The number-th call of this kind from now on fails (0: all of them). */
static void refuse_call(enum call call, int number, int error)
{
    fault_clear();
    refused_call = call;
    refused_error = error;
    atomic_store(&refused_number, number);
    atomic_store(&fault_hook, refuse);
}

static int hold(enum call call, int fd, const char *name)
{
    (void)name;
    char path[4096];
    if (held_below == NULL) {
        if (call != CALL_WRITE)
            return FAULT_NONE;
    } else {
        fault_path(fd, path, sizeof path);
        if (strncmp(path, held_below, strlen(held_below)) != 0)
            return FAULT_NONE;
    }
    while (atomic_load(&holding))
        usleep(1000);
    return FAULT_NONE;
}

static void hold_calls(const char *below)
{
    fault_clear();
    held_below = below;
    atomic_store(&holding, true);
    atomic_store(&fault_hook, hold);
}

static int interrupt_and_shorten(enum call call, int fd, const char *name)
{
    (void)fd;
    (void)name;
    if (call != CALL_WRITE)
        return FAULT_NONE;
    return atomic_load(&fault_counts[CALL_WRITE]) % 2 == 0 ? EINTR : FAULT_SHORT;
}

static enum call last_call;
static char last_path[4096];

static int remember(enum call call, int fd, const char *name)
{
    (void)name;
    last_call = call;
    fault_path(fd, last_path, sizeof last_path);
    return FAULT_NONE;
}

static void assert_synced_last(const struct world *world, const char *folder)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", world->path, folder);
    assert_int_equal(last_call, CALL_FSYNC);
    assert_string_equal(last_path, path);
}

/* --- efficiency --- */

static void a_batch_of_small_messages_costs_the_least(void **state)
{
    enum { COUNT = 10 };
    struct world *world = *state;
    struct sink *sink = world_ready_sink(world);
    struct sink_message *messages[COUNT];
    struct failure failures[COUNT];
    fault_clear();
    atomic_store(&fault_hook, remember);
    for (size_t i = 0; i < COUNT; i++)
        messages[i] = world_text(world, sink, "a small message\r\n");
    world_sync(world, sink, messages, COUNT, failures);
    static const int syncing[CALLS] = {
        [CALL_OPENAT] = COUNT, [CALL_WRITE] = COUNT, [CALL_FSYNC] = COUNT + 1};
    for (int i = 0; i < CALLS; i++)
        assert_int_equal(atomic_load(&fault_counts[i]), syncing[i]);
    assert_synced_last(world, SINK_SPOOL);
    fault_clear();
    atomic_store(&fault_hook, remember);
    world_publish(world, sink, messages, COUNT, failures);
    static const int publishing[CALLS] = {[CALL_RENAMEAT] = COUNT, [CALL_FSYNC] = 1};
    for (int i = 0; i < CALLS; i++)
        assert_int_equal(atomic_load(&fault_counts[i]), publishing[i]);
    assert_synced_last(world, "new");
    fault_clear();
    sink_free(sink);
}

/* --- refused calls --- */

/* Syncs three messages of which the second fails: only that one, and nothing stays of it. */
static void assert_only_one_fails(struct world *world, enum call call, int number, int error,
                                  const char *code)
{
    struct sink *sink = world_ready_sink(world);
    struct sink_message *messages[3];
    struct failure failures[3];
    for (size_t i = 0; i < 3; i++)
        messages[i] = world_text(world, sink, "hello");
    refuse_call(call, number, error);
    world_sync(world, sink, messages, 3, failures);
    fault_clear();
    assert_false(failure_is_set(&failures[0]));
    assert_string_equal(failures[1].code, code);
    assert_int_equal(failures[1].scope, FAILURE_SCOPE_MAILBOX);
    assert_int_equal(failures[1].category, FAILURE_STORAGE);
    assert_non_null(strstr(failures[1].text, world->path));
    assert_true(failures[1].sentence[0] != '\0' && failures[1].remedy[0] != '\0');
    assert_false(failure_is_set(&failures[2]));
    assert_int_equal(world_count(world, SINK_SPOOL), 3);

    struct sink_message *good[] = {messages[0], messages[2]};
    world_publish(world, sink, good, 2, failures);
    assert_false(failure_is_set(&failures[0]) || failure_is_set(&failures[1]));
    assert_int_equal(world_count(world, "new"), 2);
    for (size_t i = 0; i < 3; i++)
        sink_release(messages[i]);
    sink_free(sink);
    world_drain(world);
    assert_int_equal(world_count(world, SINK_SPOOL), 1);
}

static void a_disk_error_of_one_file_fails_only_that_message(void **state)
{
    assert_only_one_fails(*state, CALL_FSYNC, 2, EIO, "EIO");
}

static void a_disk_that_is_full_in_the_middle_leaves_no_half_file(void **state)
{
    assert_only_one_fails(*state, CALL_WRITE, 2, ENOSPC, "ENOSPC");
}

static void a_file_that_cannot_be_created_fails_only_that_message(void **state)
{
    assert_only_one_fails(*state, CALL_OPENAT, 2, EROFS, "EROFS");
}

static void an_unsynced_folder_fails_all_and_leaves_nothing(void **state)
{
    struct world *world = *state;
    struct sink *sink = world_ready_sink(world);
    struct sink_message *messages[] = {world_text(world, sink, "a"), world_text(world, sink, "b")};
    struct failure failures[2];
    refuse_call(CALL_FSYNC, 3, EIO);
    world_sync(world, sink, messages, 2, failures);
    fault_clear();
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(failures[i].code, "EIO");
        sink_release(messages[i]);
    }
    assert_int_equal(world_count(world, SINK_SPOOL), 1);
    sink_free(sink);
}

static void a_large_message_that_failed_takes_the_rest_and_says_so_at_the_sync(void **state)
{
    struct world *world = *state;
    struct sink *sink = world_ready_sink(world);
    refuse_call(CALL_WRITE, 2, ENOSPC);
    char *bytes = memory_allocate(1000000);
    struct sink_message *message = world_message(world, sink, bytes, 1000000);
    memory_free(bytes);
    assert_non_null(sink_message_name(message));
    assert_int_equal(message->buffers[0].capacity + message->buffers[1].capacity, 0);
    assert_int_equal(atomic_load(&fault_counts[CALL_WRITE]), 2);
    world_drain(world);
    assert_int_equal(world_count(world, SINK_SPOOL), 1);
    struct failure failure;
    world_sync(world, sink, &message, 1, &failure);
    assert_string_equal(failure.code, "ENOSPC");
    sink_release(message);
    sink_free(sink);
}

static void interrupted_and_short_writes_go_on(void **state)
{
    struct world *world = *state;
    struct sink *sink = world_ready_sink(world);
    atomic_store(&fault_hook, interrupt_and_shorten);
    char *bytes = memory_allocate(100000);
    for (size_t i = 0; i < 100000; i++)
        bytes[i] = (char)('a' + i % 26);
    struct sink_message *message = world_message(world, sink, bytes, 100000);
    world_deliver(world, sink, &message, 1);
    fault_clear();
    size_t length;
    char *content = world_read(world, "new", sink_message_name(message), &length);
    assert_int_equal(length, 100000);
    assert_memory_equal(content, bytes, length);
    memory_free(content);
    memory_free(bytes);
    sink_release(message);
    sink_free(sink);
}

static void what_could_not_be_published_stays_in_the_spool_and_can_be_tried_again(void **state)
{
    struct world *world = *state;
    struct sink *sink = world_ready_sink(world);
    struct sink_message *messages[3];
    struct failure failures[3];
    for (size_t i = 0; i < 3; i++)
        messages[i] = world_text(world, sink, "hello");
    world_sync(world, sink, messages, 3, failures);
    refuse_call(CALL_RENAMEAT, 2, EACCES);
    world_publish(world, sink, messages, 3, failures);
    assert_false(failure_is_set(&failures[0]));
    assert_string_equal(failures[1].code, "EACCES");
    assert_non_null(strstr(failures[1].text, sink_message_name(messages[1])));
    assert_non_null(strstr(failures[1].text, "the daemon's user must be able to write there"));
    assert_false(failure_is_set(&failures[2]));
    assert_int_equal(world_count(world, SINK_SPOOL), 2);

    refuse_call(CALL_FSYNC, 1, EIO);
    world_publish(world, sink, messages, 3, failures);
    fault_clear();
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(failures[i].code, "EIO");
    world_publish(world, sink, messages, 3, failures);
    for (size_t i = 0; i < 3; i++) {
        assert_false(failure_is_set(&failures[i]));
        sink_release(messages[i]);
    }
    assert_int_equal(world_count(world, "new"), 3);
    sink_free(sink);
}

static void a_recovery_that_fails_sweeps_nothing_and_can_be_tried_again(void **state)
{
    struct world *world = *state;
    sink_free(world_ready_sink(world));
    static const char unclaimed[] = "1700000000.0123456789abb0r0000000000000001.host";
    static const char claimed[] = "1700000000.0123456789abb0r0000000000000002.host";
    const char *names[] = {"1700000000.0123456789abb0r0000000000000002.host,S=5"};
    world_put(world, SINK_SPOOL, unclaimed, "hello");
    world_put(world, SINK_SPOOL, claimed, "hello");
    static const enum call calls[] = {CALL_RENAMEAT, CALL_FLOCK, CALL_FSYNC};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        refuse_call(calls[i], 1, EIO);
        struct sink *sink = world_sink(world);
        struct sink_opening opening = world_open(world, sink, false, names, 1);
        fault_clear();
        assert_string_equal(opening.failure.code, "EIO");
        assert_int_equal(opening.swept, 0);
        assert_true(world_has(world, SINK_SPOOL, unclaimed));
        sink_free(sink);
    }
    struct sink *sink = world_sink(world);
    struct sink_opening opening = world_open(world, sink, false, names, 1);
    assert_false(failure_is_set(&opening.failure));
    assert_int_equal(opening.swept, 1);
    assert_true(world_has(world, "new", names[0]));
    sink_free(sink);
}

/* A name that was published before its new/ was synced is only published for good once it is. */
static void recovery_syncs_new_even_when_there_is_nothing_left_to_rename(void **state)
{
    struct world *world = *state;
    sink_free(world_ready_sink(world));
    const char *names[] = {"1700000000.0123456789abb0r0000000000000002.host,S=5"};
    world_put(world, "new", names[0], "hello");
    world_drain(world);
    fault_clear();
    struct sink *sink = world_sink(world);
    struct sink_opening opening = world_open(world, sink, false, names, 1);
    assert_false(failure_is_set(&opening.failure));
    assert_int_equal(atomic_load(&fault_counts[CALL_FSYNC]), 1);
    sink_free(sink);
}

static void a_group_that_is_not_the_daemons_is_named_as_the_cause(void **state)
{
    struct world *world = *state;
    struct sink_settings settings = {.path = world->path,
                                     .root = world->folder,
                                     .mode = 0640,
                                     .has_group = true,
                                     .group = 54321};
    struct sink *sink = sink_create(world->sinks, &settings);
    refuse_call(CALL_FCHOWN, 0, EPERM);
    struct sink_opening opening = world_open_new(world, sink);
    assert_string_equal(opening.failure.code, "EPERM");
    sink_free(sink);

    fault_clear();
    sink_free(world_ready_sink(world));
    sink = sink_create(world->sinks, &settings);
    struct sink_message *message = world_text(world, sink, "a");
    struct failure failure;
    refuse_call(CALL_FCHOWN, 0, EPERM);
    world_sync(world, sink, &message, 1, &failure);
    fault_clear();
    assert_string_equal(failure.code, "EPERM");
    assert_non_null(strstr(failure.text, "deliver_group"));
    assert_int_equal(world_count(world, SINK_SPOOL), 1);
    sink_release(message);
    sink_free(sink);
}

static void every_step_of_the_creation_may_fail_and_be_tried_again(void **state)
{
    struct world *world = *state;
    static const enum call calls[] = {CALL_MKDIRAT, CALL_FSYNC, CALL_OPENAT, CALL_WRITE,
                                      CALL_FCHMOD};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        snprintf(world->path, sizeof world->path, "%s/%zu/user", world->folder, i);
        struct sink_settings settings = {.path = world->path, .root = world->folder, .mode = 0640};
        bool opened = false;
        int number = 1;
        for (; !opened; number++) {
            struct sink *sink = sink_create(world->sinks, &settings);
            refuse_call(calls[i], number, EIO);
            struct sink_opening opening = world_open_new(world, sink);
            fault_clear();
            opened = !failure_is_set(&opening.failure);
            assert_true(opened || strcmp(opening.failure.code, "EIO") == 0);
            assert_int_equal(opening.created, opened);
            sink_free(sink);
        }
        assert_true(number > 2);
        struct stat status;
        char path[1024];
        snprintf(path, sizeof path, "%s/new", world->path);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 07777, 0750);
    }
}

/* --- files that wait --- */

static void count_ready(void *argument)
{
    ++*(int *)argument;
}

static void stop(void *argument)
{
    executor_stop(argument);
}

static void run_for(struct world *world, uint64_t milliseconds)
{
    executor_after(world->executor, &world->patience, milliseconds, stop, world->executor);
    executor_run(world->executor);
}

static void a_message_whose_disk_is_slow_takes_no_more_than_its_buffers(void **state)
{
    struct world *world = *state;
    static char chunk[SINK_CHUNK_MAX];
    struct sink *sink = world_ready_sink(world);
    int ready = 0;
    hold_calls(NULL);
    struct sink_message *message = sink_begin(sink, NULL, count_ready, &ready);
    size_t taken = 0;
    for (; sink_ready(message); taken += sizeof chunk)
        sink_write(message, chunk, sizeof chunk);
    assert_int_equal(taken, SINK_MESSAGE_BUFFER);
    assert_int_equal(message->buffers[0].capacity + message->buffers[1].capacity,
                     SINK_MESSAGE_BUFFER);
    run_for(world, 30); /* the loop runs on */
    assert_int_equal(ready, 0);
    assert_false(sink_ready(message));
    atomic_store(&holding, false);
    world_drain(world);
    assert_int_equal(ready, 1);
    assert_true(sink_ready(message));
    fault_clear();
    sink_abandon(message);
    sink_free(sink);
}

static void pieces_that_come_after_one_question_are_all_taken(void **state)
{
    struct world *world = *state;
    static char chunk[SINK_CHUNK_MAX];
    struct sink *sink = world_ready_sink(world);
    struct failure failure;
    int ready = 0;
    hold_calls(NULL);
    struct sink_message *message = sink_begin(sink, NULL, count_ready, &ready);
    for (size_t taken = 0; taken + sizeof chunk < SINK_MESSAGE_BUFFER; taken += sizeof chunk)
        sink_write(message, chunk, sizeof chunk);
    assert_true(sink_ready(message));
    for (size_t i = 0; i < 4; i++)
        sink_write(message, chunk, sizeof chunk / 4);
    assert_false(sink_ready(message));
    assert_int_equal(message->buffers[0].capacity + message->buffers[1].capacity,
                     SINK_MESSAGE_BUFFER);
    sink_write(message, chunk, sizeof chunk); /* more than was promised */
    atomic_store(&holding, false);
    world_drain(world);
    sink_end(message);
    assert_int_equal(sink_message_size(message), SINK_MESSAGE_BUFFER + SINK_CHUNK_MAX);
    world_sync(world, sink, &message, 1, &failure);
    assert_string_equal(failure.text, "");
    fault_clear();
    sink_abandon(message);
    sink_free(sink);
}

static void count_batch(struct sink_batch *batch)
{
    ++*(int *)batch->argument;
}

static void a_file_system_that_hangs_stops_no_other(void **state)
{
    (void)state;
    struct world world;
    world_create_folder(&world);
    char list[512];
    char hanging[300];
    snprintf(list, sizeof list, "%s/mountinfo", world.folder);
    snprintf(hanging, sizeof hanging, "%s/hanging", world.folder);
    FILE *file = fopen(list, "w");
    assert_non_null(file);
    fprintf(file, "900001 1 0:1 / / rw - a b c\n900002 900001 0:2 / %s rw - a b c\n", hanging);
    fclose(file);
    world_start(&world, 3, list); /* one more than a lane may take */

    struct sink *stuck[4];
    struct sink_message *messages[4];
    struct failure failures[4];
    struct sink_batch batches[4];
    int done = 0;
    for (size_t i = 0; i < 4; i++) {
        snprintf(world.path, sizeof world.path, "%s/hanging/%zu", world.folder, i);
        stuck[i] = world_ready_sink(&world);
        messages[i] = world_text(&world, stuck[i], "hello");
    }
    snprintf(world.path, sizeof world.path, "%s/working/user", world.folder);
    struct sink *sink = world_ready_sink(&world);
    hold_calls(hanging);
    for (size_t i = 0; i < 4; i++) {
        batches[i] = (struct sink_batch){&messages[i], 1, &failures[i], count_batch, &done};
        sink_sync_start(stuck[i], &batches[i]);
    }
    for (int i = 0; i < 20; i++) {
        struct sink_message *message = world_text(&world, sink, "hello");
        world_deliver(&world, sink, &message, 1);
        sink_release(message);
    }
    assert_int_equal(done, 0);
    assert_int_equal(executor_pool_pending(world.pool), 4);
    assert_string_equal(sink_mount(stuck[0]), hanging);
    atomic_store(&holding, false);
    world_drain(&world);
    assert_int_equal(done, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_false(failure_is_set(&failures[i]));
        sink_free(stuck[i]);
    }
    sink_free(sink);
    world_stop(&world);
    world_remove_tree(world.folder);
    fault_clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_world(a_batch_of_small_messages_costs_the_least),
        in_a_world(a_disk_error_of_one_file_fails_only_that_message),
        in_a_world(a_disk_that_is_full_in_the_middle_leaves_no_half_file),
        in_a_world(a_file_that_cannot_be_created_fails_only_that_message),
        in_a_world(an_unsynced_folder_fails_all_and_leaves_nothing),
        in_a_world(a_large_message_that_failed_takes_the_rest_and_says_so_at_the_sync),
        in_a_world(interrupted_and_short_writes_go_on),
        in_a_world(what_could_not_be_published_stays_in_the_spool_and_can_be_tried_again),
        in_a_world(a_recovery_that_fails_sweeps_nothing_and_can_be_tried_again),
        in_a_world(recovery_syncs_new_even_when_there_is_nothing_left_to_rename),
        in_a_world(a_group_that_is_not_the_daemons_is_named_as_the_cause),
        in_a_world(every_step_of_the_creation_may_fail_and_be_tried_again),
        in_a_world(a_message_whose_disk_is_slow_takes_no_more_than_its_buffers),
        in_a_world(pieces_that_come_after_one_question_are_all_taken),
        cmocka_unit_test(a_file_system_that_hangs_stops_no_other),
    };
    return cmocka_run_group_tests_name("mail: faults", tests, NULL, NULL);
}
