/* What a Maildir's files tell by their names. */
#define _GNU_SOURCE
#include "mail_world.h"

#include <fcntl.h>

enum { OWNER = 7, MANY = 2 * SINK_LIST_MAX + 100 };

#define DIGITS "000102030405060708090a0b0c0d0e"

struct listed {
    struct world *world;
    unsigned pages;
    size_t count;
    struct maildir_name last;
};

static struct sink *open_maildir(struct world *world)
{
    struct sink_settings settings = {
        .path = world->path, .root = world->folder, .owner = OWNER, .mode = 0600};
    struct sink *sink = sink_create(world->sinks, &settings);
    struct sink_opening opening = world_open(world, sink, true, NULL, 0);
    assert_string_equal(opening.failure.text, "");
    return sink;
}

static void page(struct sink_listing *listing)
{
    struct listed *listed = listing->argument;
    listed->pages++;
    listed->count += listing->count;
    if (listing->count > 0)
        listed->last = listing->files[listing->count - 1];
    executor_stop(listed->world->executor);
}

static struct listed list(struct world *world, struct sink *sink, struct sink_listing *listing)
{
    struct listed listed = {.world = world};
    listing->done = page;
    listing->argument = &listed;
    do {
        sink_list_start(sink, listing);
        world_run(world);
    } while (listing->more);
    return listed;
}

static void put(const struct world *world, const char *below, int seconds, unsigned owner,
                unsigned number, const char *behind)
{
    char name[256];
    snprintf(name, sizeof name, "%d.%.12sb%ur%016xm" DIGITS "%02x.host,S=3%s", seconds,
             world->sinks->instance, owner, number, number % 256, behind);
    world_put(world, below, name, "hi\n");
}

/* A name of another program, without the file's own content. */
static void put_name(const struct world *world, unsigned number)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/new/1700000000.M%uP1.host", world->path, number);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static void files_of_the_owner_are_told_from_new_and_cur(void **state)
{
    struct world *world = *state;
    struct sink *sink = open_maildir(world);
    put(world, "new", 1700000000, OWNER, 1, "");
    put(world, "cur", 1700000001, OWNER, 2, ":2,RS");
    put(world, "cur", 1700000001, OWNER + 1, 3, ":2,");
    world_put(world, "new", "1700000000.M1P1.host", "another program's\n");
    world_put(world, "new", "1700000000.0123456789abb7r0000000000000001.host,S=3", "no mark\n");
    struct sink_listing listing = {.since_ms = 0};
    struct listed listed = list(world, sink, &listing);
    assert_int_equal(listed.count, 2);
    assert_int_equal(listed.last.number, 2);
    assert_int_equal(listed.last.seconds, 1700000001);
    assert_true(listed.last.mark.is_fingerprint);
    assert_int_equal(listed.last.mark.digest.bytes[1], 1);
    assert_int_equal(listed.last.mark.digest.bytes[15], 2);
    sink_free(sink);
}

static void older_files_and_those_of_others_are_told_as_wanted(void **state)
{
    struct world *world = *state;
    struct sink *sink = open_maildir(world);
    put(world, "new", 1700000000, OWNER, 1, "");
    put(world, "new", 1700000009, OWNER, 2, "");
    put(world, "new", 1700000009, 50, 3, "");
    struct sink_listing newer = {.since_ms = 1700000005000};
    assert_int_equal(list(world, sink, &newer).count, 1);
    struct sink_listing others = {.since_ms = 1700000005000, .above = 49};
    assert_int_equal(list(world, sink, &others).count, 2);
    sink_free(sink);
}

static void many_files_come_page_by_page(void **state)
{
    struct world *world = *state;
    struct sink *sink = open_maildir(world);
    for (unsigned i = 0; i < MANY; i++)
        put(world, i % 2 == 0 ? "new" : "cur", 1700000000, OWNER, i, "");
    struct sink_listing listing = {.since_ms = 0};
    struct listed listed = list(world, sink, &listing);
    assert_int_equal(listed.count, MANY);
    assert_true(listed.pages >= 3);
    assert_null(listing.work);
    sink_free(sink);
}

/* What all mailboxes share, or a user has filled with mail of others: it shows that it goes on. */
static void names_that_are_not_told_fill_pages_as_well(void **state)
{
    struct world *world = *state;
    struct sink *sink = open_maildir(world);
    for (unsigned i = 0; i < SINK_LIST_READ_MAX + 10; i++)
        put_name(world, i);
    put(world, "cur", 1700000000, OWNER, 1, "");
    struct sink_listing listing = {.since_ms = 0};
    struct listed listed = list(world, sink, &listing);
    assert_int_equal(listed.count, 1);
    assert_int_equal(listed.pages, 2);
    sink_free(sink);
}

static void it_may_end_between_two_pages_and_the_sink_while_one_is_read(void **state)
{
    struct world *world = *state;
    struct sink *sink = open_maildir(world);
    for (unsigned i = 0; i < MANY; i++)
        put(world, "new", 1700000000, OWNER, i, "");
    struct listed listed = {.world = world};
    struct sink_listing listing = {.done = page, .argument = &listed};
    sink_list_start(sink, &listing);
    world_run(world);
    assert_true(listing.more);
    sink_list_end(&listing);
    struct sink_listing other = {.done = page, .argument = &listed};
    sink_list_start(sink, &other);
    sink_free(sink);
    assert_null(other.work);
    sink_list_end(&other);
    assert_int_equal(listed.pages, 1);
}

static void without_the_marker_nothing_is_concluded(void **state)
{
    struct world *world = *state;
    struct sink_settings settings = {
        .path = world->path, .root = world->folder, .owner = OWNER, .mode = 0600};
    struct sink *sink = sink_create(world->sinks, &settings);
    struct sink_listing listing = {.since_ms = 0};
    struct listed listed = list(world, sink, &listing);
    assert_int_equal(listed.count, 0);
    assert_true(failure_is_set(&listing.failure));
    sink_free(sink);
}

static void what_is_published_with_a_mark_is_told_by_it(void **state)
{
    struct world *world = *state;
    struct sink *sink = open_maildir(world);
    const struct maildir_mark mark = {.digest = {{1, 2, 255}}};
    struct sink_message *message = sink_begin(sink, &mark, world_ready, world->executor);
    sink_write(message, "hi\n", 3);
    sink_end(message);
    world_deliver(world, sink, &message, 1);
    sink_release(message);
    struct sink_listing listing = {.since_ms = 0};
    struct listed listed = list(world, sink, &listing);
    assert_int_equal(listed.count, 1);
    assert_false(listed.last.mark.is_fingerprint);
    assert_memory_equal(&listed.last.mark.digest, &mark.digest, sizeof mark.digest);
    sink_free(sink);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_world(files_of_the_owner_are_told_from_new_and_cur),
        in_a_world(older_files_and_those_of_others_are_told_as_wanted),
        in_a_world(many_files_come_page_by_page),
        in_a_world(names_that_are_not_told_fill_pages_as_well),
        in_a_world(it_may_end_between_two_pages_and_the_sink_while_one_is_read),
        in_a_world(without_the_marker_nothing_is_concluded),
        in_a_world(what_is_published_with_a_mark_is_told_by_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
