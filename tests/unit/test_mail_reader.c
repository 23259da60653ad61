/* queue/ID.eml as it goes out: in blocks read ahead, from the beginning again at any time. */
#undef _FORTIFY_SOURCE /* it would put a function of its own in the place of fstat */
#define _GNU_SOURCE
#include "outbox_world.h"

#include "base/buffer.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/syscall.h>

static atomic_bool stale; /* as files on a server that was restarted: they open, and no more */

int fstat(int fd, struct stat *status)
{
    if (!atomic_load(&stale))
        return (int)syscall(SYS_newfstatat, fd, "", status, AT_EMPTY_PATH);
    errno = ESTALE;
    return -1;
}

static const char id[] = "01234567-0123-7123-8123-0123456789ab";

enum { BLOCK = 64 * 1024 };

/* Somebody who reads when there is something. */
struct reading {
    struct outbox_world *it;
    struct outbox_reader *reader;
    struct buffer bytes;
    size_t piece;     /* bytes asked for at a time */
    size_t wanted;    /* stops the loop when so many are there */
    unsigned readies; /* times that on_ready was called */
    bool failed;
    bool free_at_once; /* when it is called next */
};

static void read_on(struct reading *reading)
{
    char room[200000];
    size_t length;
    while (reading->bytes.length < reading->wanted &&
           (length = outbox_read(reading->reader, room, reading->piece)) > 0) {
        if (length == SIZE_MAX) {
            reading->failed = true;
            break;
        }
        assert_true(length <= reading->piece);
        buffer_append(&reading->bytes, room, length);
    }
    if (reading->failed || reading->bytes.length >= reading->wanted)
        executor_stop(reading->it->world->executor);
}

static void on_ready(void *argument)
{
    struct reading *reading = argument;
    reading->readies++;
    if (reading->free_at_once) {
        outbox_reader_free(reading->reader);
        executor_stop(reading->it->world->executor);
        return;
    }
    read_on(reading);
}

static char byte_at(size_t at)
{
    return (char)('a' + at / 251 % 7 + at % 13);
}

static void put_queue(struct outbox_world *it, size_t size)
{
    char name[OUTBOX_ID_SIZE + 8];
    char *bytes = memory_allocate(size);
    for (size_t i = 0; i < size; i++)
        bytes[i] = byte_at(i);
    snprintf(name, sizeof name, "%s.eml", id);
    put_bytes(it, "queue", name, bytes, size);
    memory_free(bytes);
}

static struct reading begin(struct outbox_world *it, size_t piece)
{
    struct reading reading = {.it = it, .piece = piece};
    return reading;
}

static void open_reader(struct reading *reading)
{
    reading->reader = outbox_reader_create(reading->it->outbox, id, on_ready, reading);
}

/* Reads until `wanted` bytes are there, all of them right. */
static void read_until(struct reading *reading, size_t wanted)
{
    reading->wanted = wanted;
    read_on(reading);
    if (reading->bytes.length < wanted)
        world_run(reading->it->world);
    else /* the stop counts for the next run */
        world_drain(reading->it->world);
    assert_int_equal(reading->bytes.length, wanted);
    for (size_t i = 0; i < wanted; i++) {
        if (reading->bytes.data[i] != byte_at(i))
            fail_msg("byte %zu is wrong", i);
    }
}

static void end(struct reading *reading)
{
    outbox_reader_free(reading->reader);
    buffer_release(&reading->bytes);
}

static void files_of_any_size_are_read_whole_in_pieces_of_any_size(void **state)
{
    struct outbox_world *it = *state;
    static const size_t sizes[] = {1,         100,           BLOCK - 1,      BLOCK,
                                   BLOCK + 1, 2 * BLOCK - 1, 2 * BLOCK,      2 * BLOCK + 1,
                                   3 * BLOCK, 5 * BLOCK + 7, 1024 * 1024 + 1};
    static const size_t pieces[] = {1000, 4096, 16384, BLOCK, 200000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        put_queue(it, sizes[i]);
        for (size_t j = 0; j < sizeof pieces / sizeof pieces[0]; j++) {
            struct reading reading = begin(it, pieces[j]);
            open_reader(&reading);
            read_until(&reading, sizes[i]);
            end(&reading);
        }
    }
}

static void behind_the_last_byte_nothing_more_comes(void **state)
{
    struct outbox_world *it = *state;
    static const size_t sizes[] = {0, 10, BLOCK, 2 * BLOCK};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char room[10];
        put_queue(it, sizes[i]);
        struct reading reading = begin(it, 1000);
        open_reader(&reading);
        if (sizes[i] > 0)
            read_until(&reading, sizes[i]);
        else
            outbox_read(reading.reader, room, sizeof room);
        outbox_drain(it);
        reading.readies = 0;
        assert_int_equal(outbox_read(reading.reader, room, sizeof room), 0);
        assert_int_equal(outbox_pending(it->outbox), 0);
        outbox_drain(it);
        assert_int_equal(reading.readies, 0);
        end(&reading);
    }
}

static void path_of_queue(const struct outbox_world *it, char *path, size_t size)
{
    snprintf(path, size, "%s/queue/%s.eml", it->world->path, id);
}

static void the_first_block_is_read_at_once_and_no_more(void **state)
{
    struct outbox_world *it = *state;
    char path[1024];
    put_queue(it, 3 * BLOCK);
    struct reading reading = begin(it, 1000);
    open_reader(&reading);
    outbox_drain(it);
    /* What is not in memory fails now. */
    path_of_queue(it, path, sizeof path);
    assert_int_equal(truncate(path, 100), 0);
    reading.wanted = 3 * BLOCK;
    read_on(&reading);
    assert_int_equal(reading.bytes.length, BLOCK);
    assert_int_equal(reading.readies, 0);
    world_run(it->world);
    assert_true(reading.failed);
    end(&reading);
}

static void the_beginnings_of_many_are_read_together(void **state)
{
    struct outbox_world *it = *state;
    enum { READERS = 45 };
    struct reading readings[READERS];
    char room[1000];
    put_queue(it, 700);
    for (int i = 0; i < READERS; i++) {
        readings[i] = begin(it, 1000);
        open_reader(&readings[i]);
    }
    outbox_drain(it);
    for (int i = 0; i < READERS; i++) {
        assert_int_equal(outbox_read(readings[i].reader, room, sizeof room), 700);
        end(&readings[i]);
    }
    assert_int_equal(outbox_pending(it->outbox), 0);
}

/* A rewind, which an authentication may ask for, needs no file then. */
static void a_file_of_one_block_is_opened_once(void **state)
{
    struct outbox_world *it = *state;
    static const size_t sizes[] = {0, 500, BLOCK};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char path[1024], room[2 * BLOCK];
        put_queue(it, sizes[i]);
        struct reading reading = begin(it, 1000);
        open_reader(&reading);
        outbox_drain(it);
        path_of_queue(it, path, sizeof path);
        assert_int_equal(unlink(path), 0);
        for (int time = 0; time < 3; time++) {
            assert_int_equal(outbox_read(reading.reader, room, sizeof room), sizes[i]);
            assert_int_equal(outbox_read(reading.reader, room, sizeof room), 0);
            assert_int_equal(outbox_pending(it->outbox), 0);
            outbox_rewind(reading.reader);
        }
        end(&reading);
        assert_int_equal(outbox_pending(it->outbox), 0); /* nothing is left to be closed */
    }
}

static void no_more_than_two_blocks_are_read_ahead(void **state)
{
    struct outbox_world *it = *state;
    char path[1024];
    put_queue(it, 10 * BLOCK);
    struct reading reading = begin(it, 100);
    open_reader(&reading);
    read_until(&reading, 100);
    outbox_drain(it);
    /* What is not in memory fails now; two blocks are. */
    path_of_queue(it, path, sizeof path);
    assert_int_equal(truncate(path, 100), 0);
    reading.wanted = 10 * BLOCK;
    read_on(&reading);
    world_run(it->world);
    assert_true(reading.failed);
    assert_int_equal(reading.bytes.length, 2 * BLOCK);
    end(&reading);
}

static void a_rewind_begins_again_wherever_it_was(void **state)
{
    struct outbox_world *it = *state;
    static const size_t places[] = {0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 4 * BLOCK + 9};
    put_queue(it, 4 * BLOCK + 9);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        for (int drained = 0; drained < 2; drained++) {
            struct reading reading = begin(it, 777);
            open_reader(&reading);
            reading.wanted = places[i];
            if (places[i] > 0) {
                read_on(&reading);
                world_run(it->world);
            }
            if (drained)
                outbox_drain(it);
            buffer_clear(&reading.bytes);
            outbox_rewind(reading.reader);
            read_until(&reading, 4 * BLOCK + 9);
            end(&reading);
        }
    }
}

static void a_rewind_while_the_disk_is_read_forgets_what_comes(void **state)
{
    struct outbox_world *it = *state;
    char room[BLOCK];
    put_queue(it, 4 * BLOCK);
    struct reading reading = begin(it, BLOCK);
    open_reader(&reading);
    read_until(&reading, BLOCK); /* the next two blocks are on their way or there */
    buffer_clear(&reading.bytes);
    reading.wanted = SIZE_MAX;
    while (outbox_read(reading.reader, room, sizeof room) > 0)
        ;
    assert_int_equal(outbox_pending(it->outbox), 1);
    outbox_rewind(reading.reader);
    outbox_rewind(reading.reader);
    reading.wanted = 4 * BLOCK; /* whoever waits is called without asking again */
    world_run(it->world);
    read_until(&reading, 4 * BLOCK);
    end(&reading);
}

static void a_file_that_is_not_there_is_a_failure_and_a_rewind_tries_again(void **state)
{
    struct outbox_world *it = *state;
    char room[10];
    struct reading reading = begin(it, 100);
    open_reader(&reading);
    reading.wanted = 1;
    read_on(&reading);
    world_run(it->world);
    assert_true(reading.failed);
    assert_string_equal(outbox_reader_failure(reading.reader)->code, "ENOENT");
    assert_true(outbox_reader_failure(reading.reader)->gone);
    assert_int_equal(outbox_read(reading.reader, room, sizeof room), SIZE_MAX);
    put_queue(it, 50);
    reading.failed = false;
    outbox_rewind(reading.reader);
    assert_false(failure_is_set(outbox_reader_failure(reading.reader)));
    read_until(&reading, 50);
    end(&reading);
}

/* Its size is not known: it is not taken for an empty one, which would be sent. */
static void a_file_that_cannot_be_looked_at_is_opened_anew_after_a_rewind(void **state)
{
    struct outbox_world *it = *state;
    struct reading reading = begin(it, 100);
    put_queue(it, 50);
    atomic_store(&stale, true);
    open_reader(&reading);
    reading.wanted = 1;
    read_on(&reading);
    world_run(it->world);
    atomic_store(&stale, false);
    assert_true(reading.failed);
    assert_string_equal(outbox_reader_failure(reading.reader)->code, "ESTALE");
    reading.failed = false;
    outbox_rewind(reading.reader);
    read_until(&reading, 50);
    end(&reading);
}

static void a_reader_may_be_freed_at_any_time(void **state)
{
    struct outbox_world *it = *state;
    char room[10];
    put_queue(it, 3 * BLOCK);
    struct reading reading = begin(it, 100);
    open_reader(&reading);
    outbox_reader_free(reading.reader);
    outbox_drain(it);
    assert_int_equal(outbox_pending(it->outbox), 0);

    open_reader(&reading);
    outbox_read(reading.reader, room, sizeof room);
    outbox_reader_free(reading.reader);
    outbox_drain(it);
    assert_int_equal(outbox_pending(it->outbox), 0);
    assert_int_equal(reading.readies, 0);

    open_reader(&reading);
    reading.free_at_once = true;
    outbox_read(reading.reader, room, sizeof room);
    world_run(it->world);
    assert_int_equal(reading.readies, 1);
}

static void what_a_pool_drops_is_freed_with_the_outbox(void **state)
{
    (void)state;
    struct outbox_world *it;
    void *made;
    outbox_world_set_up(&made);
    it = made;
    struct answer answer = {.world = it->world};
    char room[10];
    struct reading reading = begin(it, 100);
    put_queue(it, 100);
    open_reader(&reading);
    for (int i = 0; i < 20; i++)
        outbox_settle(it->outbox, id, answer_done, &answer);
    outbox_read(reading.reader, room, sizeof room);
    outbox_reader_free(reading.reader);
    assert_true(executor_pool_free(it->world->pool, 10000));
    outbox_free(it->outbox);
    it->world->pool = executor_pool_create(it->world->executor, "files", 1);
    world_free(it->world);
    memory_free(it);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_an_outbox(files_of_any_size_are_read_whole_in_pieces_of_any_size),
        with_an_outbox(behind_the_last_byte_nothing_more_comes),
        with_an_outbox(the_first_block_is_read_at_once_and_no_more),
        with_an_outbox(the_beginnings_of_many_are_read_together),
        with_an_outbox(a_file_of_one_block_is_opened_once),
        with_an_outbox(no_more_than_two_blocks_are_read_ahead),
        with_an_outbox(a_rewind_begins_again_wherever_it_was),
        with_an_outbox(a_rewind_while_the_disk_is_read_forgets_what_comes),
        with_an_outbox(a_file_that_is_not_there_is_a_failure_and_a_rewind_tries_again),
        with_an_outbox(a_file_that_cannot_be_looked_at_is_opened_anew_after_a_rewind),
        with_an_outbox(a_reader_may_be_freed_at_any_time),
        cmocka_unit_test(what_a_pool_drops_is_freed_with_the_outbox),
    };
    return cmocka_run_group_tests_name("mail: reading the queue", tests, NULL, NULL);
}
