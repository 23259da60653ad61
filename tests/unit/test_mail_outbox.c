/* The outbox: what is taken, in which order, and what is refused. */
#define _GNU_SOURCE
#include "outbox_world.h"

#include "base/buffer.h"
#include "mail/outbox_private.h"

#include <grp.h>
#include <sys/socket.h>
#include <sys/un.h>

static const struct outbox_edit as_it_stands = {0};

static const struct outbox_edit named = {.message_id = "<made@exsync>"};

static mode_t mode_of(const struct world *world, const char *below)
{
    char path[1024];
    struct stat status;
    snprintf(path, sizeof path, "%s/%s", world->path, below);
    assert_int_equal(lstat(path, &status), 0);
    return status.st_mode & 07777;
}

/* --- folders --- */

static void the_folders_are_made_and_closed_to_others(void **state)
{
    struct outbox_world *it = *state;
    bool group = getgrnam(OUTBOX_GROUP) != NULL;
    assert_int_equal(mode_of(it->world, ""), group ? 0711 : 0700);
    assert_int_equal(mode_of(it->world, "tmp"), group ? 03730 : 0700);
    assert_int_equal(mode_of(it->world, "new"), group ? 03730 : 0700);
    assert_int_equal(mode_of(it->world, "intake"), 0700);
    assert_int_equal(mode_of(it->world, "queue"), 0700);
    assert_int_equal(mode_of(it->world, "failed"), 0700);
    char path[1024];
    snprintf(path, sizeof path, "%s/new", it->world->path);
    assert_string_equal(outbox_watched(it->outbox), path);
}

static void opening_again_mends_modes_and_keeps_what_is_there(void **state)
{
    struct outbox_world *it = *state;
    char path[1024];
    world_put(it->world, "new", "waits", "From: a@b\n\nx\n");
    snprintf(path, sizeof path, "%s/queue", it->world->path);
    assert_int_equal(chmod(path, 0755), 0);
    assert_string_equal(open_outbox(it->world, it->outbox).text, "");
    assert_int_equal(mode_of(it->world, "queue"), 0700);
    assert_true(world_has(it->world, "new", "waits"));
}

static void a_state_folder_that_is_missing_is_a_failure(void **state)
{
    struct outbox_world *it = *state;
    char path[1024];
    snprintf(path, sizeof path, "%s/none/outbox", it->world->folder);
    struct outbox *outbox = outbox_create(it->world->executor, it->world->pool, path);
    struct failure failure = open_outbox(it->world, outbox);
    assert_string_equal(failure.code, "ENOENT");
    assert_int_equal(failure.scope, FAILURE_SCOPE_SERVER);
    struct answer answer;
    scan(it->world, outbox, &answer);
    assert_string_equal(answer.failure.code, "ENOENT");
    assert_int_equal(answer.count, 0);
    outbox_free(outbox);
}

/* --- scanning --- */

static void an_empty_outbox_has_nothing(void **state)
{
    struct outbox_world *it = *state;
    struct answer answer;
    scan(it->world, it->outbox, &answer);
    assert_false(failure_is_set(&answer.failure));
    assert_int_equal(answer.count, 0);
    assert_false(answer.more);
}

/* As many files as the clock's tick does not tell apart. */
static void files_are_taken_in_the_order_in_which_they_came(void **state)
{
    struct outbox_world *it = *state;
    enum { COUNT = 40 };
    struct timespec pause = {.tv_nsec = 12000000};
    for (unsigned i = 0; i < COUNT; i++) {
        char name[16];
        char text[64];
        snprintf(name, sizeof name, "%02u", i < 20 ? i + 20 : i - 20);
        snprintf(text, sizeof text, "From: a@b\nSubject: %u\n\nx\n", i);
        world_put(it->world, "new", name, text);
        if (i == 19)
            nanosleep(&pause, NULL);
    }
    struct answer answer;
    scan(it->world, it->outbox, &answer);
    assert_int_equal(answer.count, COUNT);
    assert_int_equal(world_count(it->world, "new"), 0);
    for (unsigned i = 0; i < COUNT; i++) {
        char text[16];
        struct outbox_envelope envelope = inspect(it->world, it->outbox, answer.ids[i]);
        snprintf(text, sizeof text, "%u", i);
        assert_string_equal(envelope.subject, text);
        outbox_envelope_release(&envelope);
        assert_true(i == 0 || strcmp(answer.ids[i - 1], answer.ids[i]) < 0);
    }

    /* The same after a crash, and before what has come since. */
    struct answer again;
    world_put(it->world, "new", "00", "From: a@b\n\nlast\n");
    scan(it->world, it->outbox, &again);
    assert_int_equal(again.count, COUNT + 1);
    assert_memory_equal(again.ids, answer.ids, COUNT * sizeof answer.ids[0]);
}

static void one_scan_takes_a_bounded_number_and_the_next_goes_on(void **state)
{
    struct outbox_world *it = *state;
    enum { COUNT = 2 * OUTBOX_SCAN_MAX + 50 };
    for (unsigned i = 0; i < COUNT; i++) {
        char name[16];
        snprintf(name, sizeof name, "%u", i);
        world_put(it->world, "new", name, "From: a@b\n\nx\n");
    }
    unsigned taken = 0;
    struct answer answer = {.more = true};
    while (answer.more) {
        scan(it->world, it->outbox, &answer);
        assert_true(answer.count <= OUTBOX_SCAN_MAX);
        taken += (unsigned)answer.count;
        assert_int_equal(world_count(it->world, "new"), COUNT - taken);
        for (size_t i = 0; i < answer.count; i++)
            assert_string_equal(settle(it->world, it->outbox, answer.ids[i]).text, "");
    }
    assert_int_equal(taken, COUNT);
    assert_int_equal(world_count(it->world, "intake"), 0);
}

static void names_of_any_bytes_are_taken_and_hidden_ones_are_not(void **state)
{
    struct outbox_world *it = *state;
    char longest[256];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    const char *const names[] = {longest, "a\nb", "\xff\xfe", " ", "-rf", "%s%n"};
    enum { COUNT = sizeof names / sizeof names[0] };
    for (size_t i = 0; i < COUNT; i++)
        world_put(it->world, "new", names[i], "From: a@b\n\nx\n");
    world_put(it->world, "new", ".hidden", "not yet");
    world_put(it->world, "intake", "notes.txt", "somebody's");
    struct answer answer;
    scan(it->world, it->outbox, &answer);
    assert_int_equal(answer.count, COUNT);
    assert_true(world_has(it->world, "new", ".hidden"));
    assert_true(world_has(it->world, "intake", "notes.txt"));
}

static void a_folder_in_new_is_told_and_holds_up_nobody(void **state)
{
    struct outbox_world *it = *state;
    char path[1024];
    snprintf(path, sizeof path, "%s/new/folder", it->world->path);
    assert_int_equal(mkdir(path, 0), 0);
    world_put(it->world, "new", "message", "From: a@b\n\nx\n");
    struct answer answer;
    scan(it->world, it->outbox, &answer);
    assert_int_equal(answer.count, 1);
    assert_string_equal(answer.failure.code, "EISDIR");
    assert_non_null(strstr(answer.failure.text, "new/folder"));
    assert_true(world_has(it->world, "new", "folder"));
}

/* --- hostile files --- */

static void assert_hostile(struct outbox_world *it, const char *problem)
{
    char id[OUTBOX_ID_SIZE];
    char name[OUTBOX_ID_SIZE + 8];
    uint64_t size;
    take_one(it, id);
    struct outbox_envelope envelope = inspect(it->world, it->outbox, id);
    assert_non_null(envelope.problem);
    assert_non_null(strstr(envelope.problem, problem));
    struct failure failure = accept_it(it->world, it->outbox, id, &as_it_stands, &size);
    assert_int_equal(failure.scope, FAILURE_SCOPE_ITEM);
    assert_string_equal(failure.sentence, envelope.problem);
    failure = refuse(it->world, it->outbox, id, envelope.problem);
    assert_string_equal(failure.text, "");
    snprintf(name, sizeof name, "%s.eml", id);
    assert_true(world_has(it->world, "failed", name));
    assert_int_equal(world_count(it->world, "intake"), 0);
    assert_int_equal(world_count(it->world, "queue"), 0);
    outbox_envelope_release(&envelope);
}

/* A file in tmp/ that was last written so many hours ago. */
static void put_in_tmp(struct outbox_world *it, const char *name, int hours)
{
    char path[1024];
    struct timespec times[2] = {{0}};
    world_put(it->world, "tmp", name, "half a mess");
    snprintf(path, sizeof path, "%s/tmp/%s", it->world->path, name);
    clock_gettime(CLOCK_REALTIME, &times[1]);
    times[1].tv_sec -= hours * 60L * 60;
    times[0] = times[1];
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void what_programs_left_in_tmp_goes_after_a_day_and_a_half(void **state)
{
    struct outbox_world *it = *state;
    put_in_tmp(it, "old", 37);
    put_in_tmp(it, "young", 35);
    struct answer answer = {.world = it->world};
    outbox_tidy(it->outbox, answer_done, &answer);
    world_run(it->world);
    assert_string_equal(answer.failure.text, "");
    assert_false(world_has(it->world, "tmp", "old"));
    assert_true(world_has(it->world, "tmp", "young"));

    put_in_tmp(it, "old", 37);
    struct failure failure = open_outbox(it->world, it->outbox);
    assert_string_equal(failure.text, "");
    assert_false(world_has(it->world, "tmp", "old"));
    assert_true(world_has(it->world, "tmp", "young"));
}

static void links_pipes_sockets_and_devices_are_refused_without_being_opened(void **state)
{
    struct outbox_world *it = *state;
    char path[1024];
    char other[1024];
    snprintf(path, sizeof path, "%s/new/x", it->world->path);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_hostile(it, "symbolic link");
    assert_int_equal(symlink("nowhere", path), 0);
    assert_hostile(it, "symbolic link");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_hostile(it, "not a regular file");
    if (mknod(path, S_IFCHR | 0600, 0x0501) == 0) /* /dev/console */
        assert_hostile(it, "not a regular file");
    world_put(it->world, "new", "x", "From: a@b\n\nx\n");
    snprintf(other, sizeof other, "%s/tmp/other", it->world->path);
    assert_int_equal(link(path, other), 0);
    assert_hostile(it, "hard links");

    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.100s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (strlen(path) < 100) {
        assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
        assert_hostile(it, "not a regular file");
    }
    close(fd);
}

static void a_file_that_cannot_be_read_is_refused(void **state)
{
    struct outbox_world *it = *state;
    if (getuid() == 0)
        skip();
    char path[1024];
    world_put(it->world, "new", "x", "From: a@b\n\nx\n");
    snprintf(path, sizeof path, "%s/new/x", it->world->path);
    assert_int_equal(chmod(path, 0), 0);
    assert_hostile(it, "may not read");
}

/* Reads a message of 150000 bytes that gets another size when its first block was read. */
static size_t read_while_it_changes(struct outbox_world *it, off_t size,
                                    struct outbox_source *source)
{
    char id[OUTBOX_ID_SIZE];
    char path[1024];
    struct buffer text = {0};
    buffer_append_string(&text, "From: a@b\r\n\r\n");
    while (text.length < 150000)
        buffer_append_string(&text, "0123456789\r\n");
    put_bytes(it, "new", "message", text.data, text.length);
    take_one(it, id);
    buffer_clear(&text);
    snprintf(path, sizeof path, "%s/intake/%s", it->world->path, id);
    struct outbox_batch batch = {.work = {.outbox = it->outbox}};
    assert_true(outbox_source_open(source, &batch, id));
    assert_true(outbox_source_read(source, &text));
    assert_int_equal(truncate(path, size), 0);
    while (outbox_source_read(source, &text))
        ;
    outbox_source_close(source);
    outbox_batch_close(&batch);
    size_t length = text.length;
    buffer_release(&text);
    settle(it->world, it->outbox, id);
    return length;
}

static void a_file_that_is_cut_short_meanwhile_is_refused(void **state)
{
    struct outbox_source source;
    read_while_it_changes(*state, 100000, &source);
    assert_non_null(strstr(source.problem, "cut short"));
    assert_false(source.ended);
}

static void of_a_file_that_grows_only_what_it_was_is_read(void **state)
{
    struct outbox_source source;
    size_t length = read_while_it_changes(*state, 10000000, &source);
    assert_null(source.problem);
    assert_true(source.ended);
    assert_int_equal(length, source.status.st_size);
}

static void a_file_that_is_gone_is_told_as_such(void **state)
{
    struct outbox_world *it = *state;
    struct answer answer = {.world = it->world};
    outbox_inspect(it->outbox, "01234567-0123-7123-8123-0123456789ab", answer_inspect, &answer);
    world_run(it->world);
    assert_string_equal(answer.failure.code, "ENOENT");
    assert_true(answer.failure.gone);
    outbox_envelope_release(&answer.envelope);
}

/* --- refusing, settling, removing --- */

static void a_refused_message_keeps_its_reason(void **state)
{
    struct outbox_world *it = *state;
    char id[OUTBOX_ID_SIZE];
    char name[OUTBOX_ID_SIZE + 8];
    submit(it, "From: a@b\n\nx\n", id);
    for (int again = 0; again < 2; again++) {
        struct failure failure = refuse(it->world, it->outbox, id, "It is too large.");
        assert_string_equal(failure.text, "");
        snprintf(name, sizeof name, "%s.reason", id);
        char *reason = world_read(it->world, "failed", name, NULL);
        assert_string_equal(reason, "It is too large.\n");
        memory_free(reason);
        snprintf(name, sizeof name, "%s.eml", id);
        char *message = world_read(it->world, "failed", name, NULL);
        assert_string_equal(message, "From: a@b\n\nx\n");
        memory_free(message);
        assert_int_equal(world_count(it->world, "intake"), 0);
    }
}

static void what_is_refused_on_its_way_comes_from_the_queue(void **state)
{
    struct outbox_world *it = *state;
    for (int settled = 0; settled < 2; settled++) {
        char id[OUTBOX_ID_SIZE];
        char name[OUTBOX_ID_SIZE + 8];
        uint64_t size;
        submit(it, "From: a@b\n" ID DATE "\nx\n", id);
        accept_it(it->world, it->outbox, id, &named, &size);
        if (settled)
            settle(it->world, it->outbox, id);
        assert_string_equal(refuse(it->world, it->outbox, id, "The server refused it.").text, "");
        snprintf(name, sizeof name, "%s.eml", id);
        assert_true(world_has(it->world, "failed", name));
        assert_int_equal(world_count(it->world, "intake"), 0);
        assert_int_equal(world_count(it->world, "queue"), 0);
    }
    assert_string_equal(
        refuse(it->world, it->outbox, "01234567-0123-7123-8123-0123456789ab", "lost").code,
        "ENOENT");
}

static void what_is_gone_already_is_settled_and_removed(void **state)
{
    struct outbox_world *it = *state;
    static const char id[] = "01234567-0123-7123-8123-0123456789ab";
    assert_string_equal(settle(it->world, it->outbox, id).text, "");
    assert_string_equal(remove_it(it->world, it->outbox, id).text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_an_outbox(the_folders_are_made_and_closed_to_others),
        with_an_outbox(opening_again_mends_modes_and_keeps_what_is_there),
        with_an_outbox(a_state_folder_that_is_missing_is_a_failure),
        with_an_outbox(an_empty_outbox_has_nothing),
        with_an_outbox(files_are_taken_in_the_order_in_which_they_came),
        with_an_outbox(one_scan_takes_a_bounded_number_and_the_next_goes_on),
        with_an_outbox(names_of_any_bytes_are_taken_and_hidden_ones_are_not),
        with_an_outbox(a_folder_in_new_is_told_and_holds_up_nobody),
        with_an_outbox(what_programs_left_in_tmp_goes_after_a_day_and_a_half),
        with_an_outbox(links_pipes_sockets_and_devices_are_refused_without_being_opened),
        with_an_outbox(a_file_that_cannot_be_read_is_refused),
        with_an_outbox(a_file_that_is_cut_short_meanwhile_is_refused),
        with_an_outbox(of_a_file_that_grows_only_what_it_was_is_read),
        with_an_outbox(a_file_that_is_gone_is_told_as_such),
        with_an_outbox(a_refused_message_keeps_its_reason),
        with_an_outbox(what_is_refused_on_its_way_comes_from_the_queue),
        with_an_outbox(what_is_gone_already_is_settled_and_removed),
    };
    return cmocka_run_group_tests_name("mail: outbox", tests, NULL, NULL);
}
