#define _GNU_SOURCE
#include "mail_world.h"

static void assert_content(const struct world *world, const char *name, const char *bytes,
                           size_t length)
{
    size_t found = 0;
    char *content = world_read(world, "new", name, &found);
    assert_non_null(content);
    assert_int_equal(found, length);
    assert_memory_equal(content, bytes, length);
    memory_free(content);
}

static struct stat world_stat(const struct world *world, const char *below)
{
    char path[1024];
    struct stat status;
    snprintf(path, sizeof path, "%s/%s", world->path, below);
    assert_int_equal(lstat(path, &status), 0);
    return status;
}

static void assert_mode(const struct world *world, const char *below, mode_t mode)
{
    assert_int_equal(world_stat(world, below).st_mode & 07777, mode);
}

/* --- delivery --- */

static void a_message_goes_through_the_spool_into_new(void **state)
{
    struct world *world = *state;
    struct sink *sink = world_ready_sink(world);
    struct sink_message *message = world_text(world, sink, "From: a\r\n\r\nhello\r\n");
    assert_int_equal(world_count(world, SINK_SPOOL), 1);

    struct failure failure;
    world_sync(world, sink, &message, 1, &failure);
    assert_false(failure_is_set(&failure));
    assert_int_equal(world_count(world, SINK_SPOOL), 2);
    assert_int_equal(world_count(world, "new"), 0);

    world_publish(world, sink, &message, 1, &failure);
    assert_false(failure_is_set(&failure));
    assert_int_equal(world_count(world, SINK_SPOOL), 1);
    assert_int_equal(world_count(world, "new"), 1);
    char *text = world_read(world, "new", sink_message_name(message), NULL);
    assert_string_equal(text, "From: a\n\nhello\n");
    assert_int_equal(sink_message_size(message), strlen(text));
    memory_free(text);
    sink_release(message);
    sink_free(sink);
    world_drain(world);
}

static void crlf_is_kept_when_it_is_to_be_kept(void **state)
{
    struct world *world = *state;
    struct sink_settings settings = {
        .path = world->path, .root = world->folder, .mode = 0600, .crlf = true};
    struct sink *sink = sink_create(world->sinks, &settings);
    assert_string_equal(world_open_new(world, sink).failure.code, "");
    struct sink_message *message = world_text(world, sink, "a\r\n\rb\n\r");
    world_deliver(world, sink, &message, 1);
    assert_content(world, sink_message_name(message), "a\r\n\rb\n\r", 7);
    sink_release(message);
    sink_free(sink);
}

static void a_cr_at_the_very_end_stays(void **state)
{
    struct world *world = *state;
    struct sink *sink = world_ready_sink(world);
    struct sink_message *message = world_text(world, sink, "a\r\nb\r");
    world_deliver(world, sink, &message, 1);
    assert_content(world, sink_message_name(message), "a\nb\r", 4);
    sink_release(message);
    sink_free(sink);
}

static void an_empty_message_becomes_an_empty_file(void **state)
{
    struct world *world = *state;
    struct sink *sink = world_ready_sink(world);
    struct sink_message *message = world_text(world, sink, "");
    assert_non_null(strstr(sink_message_name(message), ",S=0"));
    world_deliver(world, sink, &message, 1);
    assert_content(world, sink_message_name(message), "", 0);
    sink_release(message);
    sink_free(sink);
}

/* Sizes around every border at which a buffer is full. */
static void messages_of_any_size_arrive_whole_in_bounded_memory(void **state)
{
    struct world *world = *state;
    struct sink *sink = world_ready_sink(world);
    static const size_t sizes[] = {1,      4095,   4096,   4097,    16384,  16385,  65535,
                                   65536,  65537,  98304,  131071,  131072, 131073, 196607,
                                   196608, 200000, 262144, 1000000, 5000000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char *bytes = memory_allocate(sizes[i]);
        for (size_t at = 0; at < sizes[i]; at++)
            bytes[at] = (char)('a' + at * 7 % 23);
        struct sink_message *message = world_message(world, sink, bytes, sizes[i]);
        assert_true(message->buffers[0].capacity <= SINK_MESSAGE_BUFFER / 2);
        assert_true(message->buffers[1].capacity <= SINK_MESSAGE_BUFFER / 2);
        world_deliver(world, sink, &message, 1);
        assert_int_equal(sink_message_size(message), sizes[i]);
        assert_content(world, sink_message_name(message), bytes, sizes[i]);
        memory_free(bytes);
        sink_release(message);
    }
    sink_free(sink);
}

static void a_small_message_takes_little_memory(void **state)
{
    struct world *world = *state;
    struct sink *sink = world_ready_sink(world);
    char bytes[9000];
    memset(bytes, 'x', sizeof bytes);
    struct sink_message *message = world_message(world, sink, bytes, sizeof bytes);
    assert_int_equal(message->buffers[0].capacity, sizeof bytes);
    assert_int_equal(message->buffers[1].capacity, 0);
    sink_abandon(message);
    sink_free(sink);
}

static void a_batch_may_hold_more_messages_than_files_are_opened_at_a_time(void **state)
{
    enum { COUNT = 150 };
    struct world *world = *state;
    struct sink *sink = world_ready_sink(world);
    struct sink_message *messages[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        char text[32];
        snprintf(text, sizeof text, "message %zu\r\n", i);
        messages[i] = world_text(world, sink, text);
    }
    world_deliver(world, sink, messages, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        char text[32];
        snprintf(text, sizeof text, "message %zu\n", i);
        assert_content(world, sink_message_name(messages[i]), text, strlen(text));
        sink_release(messages[i]);
    }
    world_deliver(world, sink, NULL, 0);
    sink_free(sink);
}

static void the_spool_file_is_the_name_up_to_the_comma(void **state)
{
    struct world *world = *state;
    struct sink *sink = world_ready_sink(world);
    struct sink_message *message = world_text(world, sink, "0123456789");
    const char *name = sink_message_name(message);
    assert_true(strlen(name) < SINK_NAME_SIZE);
    assert_string_equal(strchr(name, ','), ",S=10");
    struct failure failure;
    world_sync(world, sink, &message, 1, &failure);
    char spool[SINK_NAME_SIZE];
    snprintf(spool, sizeof spool, "%.*s", (int)strcspn(name, ","), name);
    assert_true(world_has(world, SINK_SPOOL, spool));
    sink_release(message);
    assert_true(world_has(world, SINK_SPOOL, spool));
    sink_free(sink);
}

/* --- access --- */

static void folders_and_files_get_the_modes_that_were_asked_for(void **state)
{
    static const struct {
        mode_t file, folder;
    } modes[] = {{0600, 0700}, {0640, 0750}, {0660, 0770}, {0644, 0755}, {0620, 0770}};
    struct world *world = *state;
    mode_t before = umask(077);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        snprintf(world->path, sizeof world->path, "%s/%zu/user", world->folder, i);
        struct sink_settings settings = {
            .path = world->path, .root = world->folder, .mode = modes[i].file};
        struct sink *sink = sink_create(world->sinks, &settings);
        assert_string_equal(world_open_new(world, sink).failure.code, "");
        struct sink_message *messages[] = {world_text(world, sink, "a"),
                                           world_text(world, sink, "b")};
        world_deliver(world, sink, messages, 2);
        assert_mode(world, "..", modes[i].folder);
        assert_mode(world, "", modes[i].folder);
        assert_mode(world, "cur", modes[i].folder);
        assert_mode(world, "new", modes[i].folder);
        assert_mode(world, "tmp", modes[i].folder);
        assert_mode(world, SINK_SPOOL, 0700);
        for (size_t j = 0; j < 2; j++) {
            char below[SINK_NAME_SIZE + 8];
            snprintf(below, sizeof below, "new/%s", sink_message_name(messages[j]));
            assert_mode(world, below, modes[i].file);
            sink_release(messages[j]);
        }
        sink_free(sink);
    }
    umask(before);
}

static void a_group_is_given_to_folders_and_files(void **state)
{
    struct world *world = *state;
    gid_t groups[64];
    int count = geteuid() == 0 ? 1 : getgroups(64, groups);
    gid_t group = geteuid() == 0 ? 12345 : (count > 0 ? groups[count - 1] : getegid());
    struct sink_settings settings = {.path = world->path,
                                     .root = world->folder,
                                     .mode = 0640,
                                     .has_group = true,
                                     .group = group};
    struct sink *sink = sink_create(world->sinks, &settings);
    assert_string_equal(world_open_new(world, sink).failure.code, "");
    assert_mode(world, "", 02750);
    assert_mode(world, "new", 02750);
    assert_mode(world, SINK_SPOOL, 02700);
    struct sink_message *message = world_text(world, sink, "a");
    world_deliver(world, sink, &message, 1);
    char below[SINK_NAME_SIZE + 8];
    snprintf(below, sizeof below, "new/%s", sink_message_name(message));
    assert_mode(world, below, 0640);
    assert_int_equal(world_stat(world, below).st_gid, group);
    assert_int_equal(world_stat(world, "cur").st_gid, group);
    sink_release(message);
    sink_free(sink);

    /* A spool without the set-group-id bit, as a copied Maildir has it. */
    char spool[1024];
    snprintf(spool, sizeof spool, "%s/" SINK_SPOOL, world->path);
    assert_int_equal(chown(spool, (uid_t)-1, getegid()), 0);
    assert_int_equal(chmod(spool, 0700), 0);
    sink = sink_create(world->sinks, &settings);
    struct sink_message *messages[] = {world_text(world, sink, "a"), world_text(world, sink, "b")};
    world_deliver(world, sink, messages, 2);
    for (size_t i = 0; i < 2; i++) {
        snprintf(below, sizeof below, "new/%s", sink_message_name(messages[i]));
        assert_int_equal(world_stat(world, below).st_gid, group);
        assert_mode(world, below, 0640);
        sink_release(messages[i]);
    }
    sink_free(sink);
}

static void what_an_administrator_set_up_keeps_its_mode(void **state)
{
    struct world *world = *state;
    char path[1024];
    snprintf(path, sizeof path, "%s/example.com", world->folder);
    assert_int_equal(mkdir(path, 0751), 0);
    assert_int_equal(mkdir(world->path, 0700), 0);
    assert_int_equal(chmod(world->path, 01775), 0);
    struct sink *sink = world_ready_sink(world);
    assert_mode(world, "..", 0751);
    assert_mode(world, "", 01775);
    sink_free(sink);
}

/* --- abandoning and freeing --- */

static void an_abandoned_message_leaves_nothing(void **state)
{
    struct world *world = *state;
    struct sink *sink = world_ready_sink(world);
    sink_abandon(world_text(world, sink, "small"));
    struct sink_message *unfinished = sink_begin(sink, NULL, world_ready, world->executor);
    sink_write(unfinished, "a", 1);
    sink_abandon(unfinished);

    char *bytes = memory_allocate(300000);
    sink_abandon(world_message(world, sink, bytes, 300000)); /* a write job is in flight */
    memory_free(bytes);

    struct sink_message *synced = world_text(world, sink, "synced");
    struct failure failure;
    world_sync(world, sink, &synced, 1, &failure);
    sink_abandon(synced);
    sink_release(world_text(world, sink, "released without having been synced"));
    world_drain(world);
    assert_int_equal(world_count(world, SINK_SPOOL), 1);
    assert_int_equal(world_count(world, "new"), 0);
    sink_free(sink);
}

static void never_batch(struct sink_batch *batch)
{
    (void)batch;
    fail_msg("a freed sink called back");
}

static void never_opened(struct sink_opening *opening)
{
    (void)opening;
    fail_msg("a freed sink called back");
}

static void never_ready(void *argument)
{
    (void)argument;
    fail_msg("a freed sink called back");
}

/* What the caller had lent is gone, too: the sanitizer sees who touches it. */
static void a_sink_freed_while_it_opens_does_not_call_back(void **state)
{
    struct world *world = *state;
    struct sink *sink = world_sink(world);
    struct sink_opening *opening = memory_allocate(sizeof *opening);
    const char **names = memory_allocate_array(1, sizeof *names);
    char *name = maildir_name_create(INSTANCE, 0, NULL, "host");
    names[0] = name;
    *opening = (struct sink_opening){
        .may_create = true, .names = names, .name_count = 1, .done = never_opened};
    sink_open_start(sink, opening);
    sink_free(sink);
    memory_free(opening);
    memory_free(names);
    memory_free(name);
    world_drain(world);
}

static void a_sink_freed_while_it_syncs_removes_the_files(void **state)
{
    struct world *world = *state;
    struct sink *sink = world_ready_sink(world);
    char *bytes = memory_allocate(300000);
    struct sink_message *large = sink_begin(sink, NULL, never_ready, NULL);
    size_t written = 0;
    for (; sink_ready(large) && written < 300000; written += SINK_CHUNK_MAX)
        sink_write(large, bytes, SINK_CHUNK_MAX);
    sink_end(large);
    memory_free(bytes);
    struct sink_message **messages = memory_allocate_array(2, sizeof(struct sink_message *));
    struct sink_batch *batches = memory_allocate_array(2, sizeof *batches);
    struct failure *failures = memory_allocate_array(2, sizeof *failures);
    messages[0] = world_text(world, sink, "small");
    messages[1] = large;
    /* One that runs, and one that waits for a write job. */
    for (size_t i = 0; i < 2; i++) {
        batches[i] = (struct sink_batch){messages + i, 1, failures, never_batch, NULL};
        sink_sync_start(sink, &batches[i]);
    }
    sink_free(sink);
    memory_free(messages);
    memory_free(batches);
    memory_free(failures);
    world_drain(world);
    assert_int_equal(world_count(world, SINK_SPOOL), 1);
    assert_int_equal(world_count(world, "new"), 0);
}

static void a_sink_freed_while_it_publishes_publishes(void **state)
{
    struct world *world = *state;
    struct sink *sink = world_ready_sink(world);
    struct sink_message **messages = memory_allocate_array(2, sizeof(struct sink_message *));
    struct failure *failures = memory_allocate_array(2, sizeof *failures);
    struct sink_batch *batch = memory_allocate(sizeof *batch);
    messages[0] = world_text(world, sink, "one");
    messages[1] = world_text(world, sink, "two");
    world_sync(world, sink, messages, 2, failures);
    *batch = (struct sink_batch){messages, 1, failures, never_batch, NULL};
    sink_publish_start(sink, batch);
    sink_free(sink);
    memory_free(messages);
    memory_free(failures);
    memory_free(batch);
    world_drain(world);
    assert_int_equal(world_count(world, "new"), 1);
    assert_int_equal(world_count(world, SINK_SPOOL), 2); /* the other may be committed */
}

static void free_the_sink(struct sink_batch *batch)
{
    struct world *world = batch->argument;
    sink_free(batch->messages[0]->sink);
    executor_stop(world->executor);
}

static void a_sink_may_be_freed_by_its_own_callback(void **state)
{
    struct world *world = *state;
    struct sink *sink = world_ready_sink(world);
    struct sink_message *message = world_text(world, sink, "one");
    struct failure failure;
    struct sink_batch batch = {&message, 1, &failure, free_the_sink, world};
    sink_sync_start(sink, &batch);
    world_run(world);
    world_drain(world);
    assert_int_equal(world_count(world, SINK_SPOOL), 2);
    sink_free(NULL);
}

/* Jobs that the pool drops at the end of the process leave nothing behind in memory: the leak
 * checker looks at what the teardown frees. */
static void jobs_that_never_ran_leak_nothing(void **state)
{
    struct world *world = *state;
    struct sink *sink = world_ready_sink(world);
    struct sink_message *messages[8];
    struct failure failures[8];
    struct sink_batch batches[8];
    for (size_t i = 0; i < 8; i++) {
        messages[i] = world_text(world, sink, "a message");
        batches[i] = (struct sink_batch){&messages[i], 1, &failures[i], never_batch, NULL};
        sink_sync_start(sink, &batches[i]);
    }
    sink_free(sink);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_world(a_message_goes_through_the_spool_into_new),
        in_a_world(crlf_is_kept_when_it_is_to_be_kept),
        in_a_world(a_cr_at_the_very_end_stays),
        in_a_world(an_empty_message_becomes_an_empty_file),
        in_a_world(messages_of_any_size_arrive_whole_in_bounded_memory),
        in_a_world(a_small_message_takes_little_memory),
        in_a_world(a_batch_may_hold_more_messages_than_files_are_opened_at_a_time),
        in_a_world(the_spool_file_is_the_name_up_to_the_comma),
        in_a_world(folders_and_files_get_the_modes_that_were_asked_for),
        in_a_world(a_group_is_given_to_folders_and_files),
        in_a_world(what_an_administrator_set_up_keeps_its_mode),
        in_a_world(an_abandoned_message_leaves_nothing),
        in_a_world(a_sink_freed_while_it_opens_does_not_call_back),
        in_a_world(a_sink_freed_while_it_syncs_removes_the_files),
        in_a_world(a_sink_freed_while_it_publishes_publishes),
        in_a_world(a_sink_may_be_freed_by_its_own_callback),
        in_a_world(jobs_that_never_ran_leak_nothing),
    };
    return cmocka_run_group_tests_name("mail: sink", tests, NULL, NULL);
}
