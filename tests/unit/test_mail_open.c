#define _GNU_SOURCE
#include "mail_world.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>

static const char marker[] = SINK_SPOOL "/" SINK_MARKER;

/* A name of this instance and mailbox 0, as it will be in new/, and as it is in the spool. */
struct name {
    char full[SINK_NAME_SIZE];
    char spool[SINK_NAME_SIZE];
};

static struct name name_of(unsigned number)
{
    struct name name;
    snprintf(name.spool, sizeof name.spool, "1700000000.%.12sb0r%016x.host", INSTANCE, number);
    snprintf(name.full, sizeof name.full, "1700000000.%.12sb0r%016x.host,S=5", INSTANCE, number);
    return name;
}

static void assert_fails_without_marker(struct world *world, bool may_create,
                                        const char *const *names, size_t count)
{
    struct sink *sink = world_sink(world);
    struct sink_opening opening = world_open(world, sink, may_create, names, count);
    assert_string_equal(opening.failure.code, "MarkerMissing");
    assert_int_equal(opening.failure.category, FAILURE_STORAGE);
    assert_int_equal(opening.failure.scope, FAILURE_SCOPE_MAILBOX);
    assert_false(opening.failure.permanent);
    assert_non_null(strstr(opening.failure.text, world->path));
    assert_non_null(strstr(opening.failure.text, marker));
    assert_false(opening.created);
    assert_int_equal(opening.published + opening.swept, 0);
    sink_free(sink);
}

static void assert_nothing_created(const struct world *world)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/example.com", world->folder);
    assert_true(access(path, F_OK) < 0);
}

/* --- the marker --- */

static void the_folders_are_created_once(void **state)
{
    struct world *world = *state;
    sink_free(world_ready_sink(world));
    static const char *const parts[] = {"cur", "new", "tmp", marker};
    for (size_t i = 0; i < 4; i++)
        assert_true(world_has(world, "", parts[i]));
    struct sink *sink = world_sink(world);
    struct sink_opening opening = world_open(world, sink, false, NULL, 0);
    assert_false(failure_is_set(&opening.failure));
    assert_false(opening.created);
    sink_free(sink);
}

static void a_maildir_that_is_there_already_is_taken_over(void **state)
{
    struct world *world = *state;
    sink_free(world_ready_sink(world));
    world_put(world, "new", "1.other.host", "mine");
    world_put(world, "cur", "2.other.host:2,S", "mine");
    sink_free(world_ready_sink(world)); /* as after a crash before the store had heard of it */
    assert_true(world_has(world, "new", "1.other.host"));
    assert_true(world_has(world, "cur", "2.other.host:2,S"));
}

static void without_its_marker_nothing_is_written_or_concluded(void **state)
{
    struct world *world = *state;
    struct name name = name_of(1);
    const char *names[] = {name.full};
    assert_fails_without_marker(world, false, NULL, 0);
    assert_fails_without_marker(world, false, names, 1);
    assert_fails_without_marker(world, true, names, 1);
    assert_nothing_created(world);

    /* The same with a folder that has everything but the marker. */
    sink_free(world_ready_sink(world));
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", world->path, marker);
    assert_int_equal(unlink(path), 0);
    world_put(world, SINK_SPOOL, name.spool, "hello");
    assert_fails_without_marker(world, false, NULL, 0);
    assert_fails_without_marker(world, true, names, 1);
    assert_true(world_has(world, SINK_SPOOL, name.spool));
}

static void a_sink_that_was_not_opened_checks_the_marker_when_it_writes(void **state)
{
    struct world *world = *state;
    struct sink *sink = world_sink(world);
    char *bytes = memory_allocate(300000);
    struct sink_message *messages[] = {world_text(world, sink, "small"),
                                       world_message(world, sink, bytes, 300000)};
    memory_free(bytes);
    struct failure failures[2];
    world_sync(world, sink, messages, 2, failures);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(failures[i].code, "MarkerMissing");
        sink_release(messages[i]);
    }
    assert_nothing_created(world);
    sink_free(sink);

    sink_free(world_ready_sink(world));
    sink = world_sink(world);
    struct sink_message *message = world_text(world, sink, "small");
    world_deliver(world, sink, &message, 1);
    sink_release(message);
    sink_free(sink);
}

static void a_missing_root_is_not_created(void **state)
{
    struct world *world = *state;
    char root[512];
    snprintf(root, sizeof root, "%s/unmounted", world->folder);
    snprintf(world->path, sizeof world->path, "%s/unmounted/user", world->folder);
    struct sink_settings settings = {.path = world->path, .root = root, .mode = 0600};
    struct sink *sink = sink_create(world->sinks, &settings);
    struct sink_opening opening = world_open_new(world, sink);
    assert_string_equal(opening.failure.code, "ENOENT");
    assert_non_null(strstr(opening.failure.text, root));
    assert_non_null(strstr(opening.failure.text, "is its file system mounted?"));
    assert_true(access(root, F_OK) < 0);
    sink_free(sink);
}

static void the_root_may_be_the_maildir_itself(void **state)
{
    struct world *world = *state;
    snprintf(world->path, sizeof world->path, "%s", world->folder);
    struct sink *sink = world_ready_sink(world);
    struct sink_message *message = world_text(world, sink, "a");
    world_deliver(world, sink, &message, 1);
    sink_release(message);
    sink_free(sink);
}

static void a_file_in_the_way_is_named(void **state)
{
    struct world *world = *state;
    char path[1024];
    snprintf(path, sizeof path, "%s/example.com", world->folder);
    assert_int_equal(close(creat(path, 0600)), 0);
    struct sink *sink = world_sink(world);
    struct sink_opening opening = world_open_new(world, sink);
    assert_string_equal(opening.failure.code, "ENOTDIR");
    assert_non_null(strstr(opening.failure.text, path));
    sink_free(sink);
}

static void a_folder_that_was_lost_is_put_back_where_the_marker_is(void **state)
{
    struct world *world = *state;
    sink_free(world_ready_sink(world));
    world_drain(world);
    char path[1024];
    snprintf(path, sizeof path, "%s/new", world->path);
    assert_int_equal(rmdir(path), 0);
    struct sink *sink = world_sink(world);
    struct sink_opening opening = world_open(world, sink, false, NULL, 0);
    assert_false(failure_is_set(&opening.failure));
    assert_true(world_has(world, "", "new"));
    sink_free(sink);
}

static void links_in_place_of_our_folders_are_not_followed(void **state)
{
    struct world *world = *state;
    static const char *const parts[] = {"new", SINK_SPOOL};
    for (size_t i = 0; i < 2; i++) {
        snprintf(world->path, sizeof world->path, "%s/%zu", world->folder, i);
        sink_free(world_ready_sink(world));
        world_drain(world);
        char path[1024];
        char elsewhere[1024];
        snprintf(path, sizeof path, "%s/%s", world->path, parts[i]);
        snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", world->path);
        assert_int_equal(rename(path, elsewhere), 0);
        assert_int_equal(symlink(elsewhere, path), 0);
        struct sink *sink = world_sink(world);
        struct sink_opening opening = world_open(world, sink, false, NULL, 0);
        assert_string_equal(opening.failure.code, "ENOTDIR");
        sink_free(sink);
    }
}

/* --- recovery --- */

static void a_committed_name_is_published_and_the_rest_is_swept(void **state)
{
    struct world *world = *state;
    sink_free(world_ready_sink(world));
    struct name waiting = name_of(1);
    struct name published = name_of(2);
    struct name taken = name_of(3);
    struct name unclaimed = name_of(4);
    world_put(world, SINK_SPOOL, waiting.spool, "hello");
    world_put(world, "new", published.full, "hello");
    world_put(world, SINK_SPOOL, unclaimed.spool, "half a mes");

    const char *names[] = {taken.full, published.full, waiting.full};
    struct sink *sink = world_sink(world);
    struct sink_opening opening = world_open(world, sink, false, names, 3);
    assert_false(failure_is_set(&opening.failure));
    assert_int_equal(opening.published, 1);
    assert_int_equal(opening.swept, 1);
    assert_true(world_has(world, "new", waiting.full));
    assert_true(world_has(world, "new", published.full));
    assert_int_equal(world_count(world, "new"), 2);
    assert_int_equal(world_count(world, SINK_SPOOL), 1);
    sink_free(sink);

    sink = world_sink(world);
    opening = world_open(world, sink, false, names, 3);
    assert_false(failure_is_set(&opening.failure));
    assert_int_equal(opening.published + opening.swept, 0);
    assert_int_equal(world_count(world, "new"), 2);
    sink_free(sink);
}

static void files_of_others_are_never_touched(void **state)
{
    struct world *world = *state;
    sink_free(world_ready_sink(world));
    static const char *const others[] = {
        "1700000000.ffffffffffffb0r0123456789abcdef.host",     /* another instance */
        "1700000000.0123456789abb17r0123456789abcdef.host",    /* another mailbox */
        "1700000000.0123456789abb0r0123456789abcdef.host,S=1", /* no spool name */
        "notes.txt",
        "1700000000.M1P2.host",
    };
    enum { OTHERS = sizeof others / sizeof others[0] };
    for (size_t i = 0; i < OTHERS; i++)
        world_put(world, SINK_SPOOL, others[i], "mine");
    char path[1024];
    struct name folder = name_of(1);
    struct name link = name_of(2);
    snprintf(path, sizeof path, "%s/" SINK_SPOOL "/%s", world->path, folder.spool);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/" SINK_SPOOL "/%s", world->path, link.spool);
    assert_int_equal(symlink("/etc/passwd", path), 0);

    struct sink *sink = world_sink(world);
    struct sink_opening opening = world_open(world, sink, false, NULL, 0);
    assert_false(failure_is_set(&opening.failure));
    assert_int_equal(opening.swept, 0);
    for (size_t i = 0; i < OTHERS; i++)
        assert_true(world_has(world, SINK_SPOOL, others[i]));
    assert_true(world_has(world, SINK_SPOOL, folder.spool));
    assert_true(world_has(world, SINK_SPOOL, link.spool));
    sink_free(sink);
}

static void names_that_are_not_ours_conclude_nothing(void **state)
{
    struct world *world = *state;
    sink_free(world_ready_sink(world));
    struct name good = name_of(1);
    struct name unclaimed = name_of(2);
    world_put(world, SINK_SPOOL, good.spool, "hello");
    world_put(world, SINK_SPOOL, unclaimed.spool, "hello");
    static const char *const bad[] = {
        "../../../etc/passwd",
        "1700000000.ffffffffffffb0r0123456789abcdef.host,S=5",
        "1700000000.0123456789abb0r0123456789abcdef.host/../../new/x,S=5",
        ".exsyncd",
        "",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *names[] = {good.full, bad[i]};
        struct sink *sink = world_sink(world);
        struct sink_opening opening = world_open(world, sink, false, names, 2);
        assert_string_equal(opening.failure.code, "ForeignName");
        assert_true(opening.failure.permanent);
        assert_int_equal(opening.published + opening.swept, 0);
        sink_free(sink);
    }
    assert_int_equal(world_count(world, SINK_SPOOL), 3);
}

static pid_t lock_in_another_process(const struct world *world, int ready[2])
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", world->path, marker);
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        int fd = open(path, O_RDWR);
        char done = flock(fd, LOCK_EX) == 0 ? '+' : '-';
        if (write(ready[1], &done, 1) == 1)
            pause();
        _exit(0);
    }
    char done = '-';
    assert_int_equal(read(ready[0], &done, 1), 1);
    assert_int_equal(done, '+');
    close(ready[0]);
    close(ready[1]);
    return child;
}

static void nothing_is_swept_while_another_process_holds_the_marker(void **state)
{
    struct world *world = *state;
    sink_free(world_ready_sink(world));
    world_drain(world);
    struct name name = name_of(1);
    world_put(world, SINK_SPOOL, name.spool, "hello");
    int ready[2];
    pid_t child = lock_in_another_process(world, ready);

    struct sink *sink = world_sink(world);
    struct sink_opening opening = world_open(world, sink, false, NULL, 0);
    assert_string_equal(opening.failure.code, "EAGAIN");
    assert_false(opening.failure.permanent);
    assert_non_null(strstr(opening.failure.text, "another process works on this Maildir"));
    assert_true(world_has(world, SINK_SPOOL, name.spool));

    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    opening = world_open(world, sink, false, NULL, 0);
    assert_false(failure_is_set(&opening.failure));
    assert_int_equal(opening.swept, 1);
    sink_free(sink);
}

static void ten_thousand_names_are_recovered(void **state)
{
    enum { COUNT = 10000 };
    struct world *world = *state;
    sink_free(world_ready_sink(world));
    struct name *all = memory_allocate_array(COUNT, sizeof *all);
    const char **names = memory_allocate_array(COUNT, sizeof *names);
    for (unsigned i = 0; i < COUNT; i++) {
        all[i] = name_of(i * 2654435761U);
        names[i] = all[i].full;
        if (i % 10 == 0)
            world_put(world, SINK_SPOOL, all[i].spool, "hello");
    }
    struct sink *sink = world_sink(world);
    struct sink_opening opening = world_open(world, sink, false, names, COUNT);
    assert_false(failure_is_set(&opening.failure));
    assert_int_equal(opening.published, COUNT / 10);
    assert_int_equal(opening.swept, 0);
    sink_free(sink);
    memory_free(all);
    memory_free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_world(the_folders_are_created_once),
        in_a_world(a_maildir_that_is_there_already_is_taken_over),
        in_a_world(without_its_marker_nothing_is_written_or_concluded),
        in_a_world(a_sink_that_was_not_opened_checks_the_marker_when_it_writes),
        in_a_world(a_missing_root_is_not_created),
        in_a_world(the_root_may_be_the_maildir_itself),
        in_a_world(a_file_in_the_way_is_named),
        in_a_world(a_folder_that_was_lost_is_put_back_where_the_marker_is),
        in_a_world(links_in_place_of_our_folders_are_not_followed),
        in_a_world(a_committed_name_is_published_and_the_rest_is_swept),
        in_a_world(files_of_others_are_never_touched),
        in_a_world(names_that_are_not_ours_conclude_nothing),
        in_a_world(nothing_is_swept_while_another_process_holds_the_marker),
        in_a_world(ten_thousand_names_are_recovered),
    };
    return cmocka_run_group_tests_name("mail: opening and recovery", tests, NULL, NULL);
}
