#define _GNU_SOURCE
#include "mail_world.h"

#include <fcntl.h>
#include <sys/file.h>

static int set_up(void **state)
{
    *state = world_create();
    return 0;
}

static int tear_down(void **state)
{
    world_free(*state);
    return 0;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_message_goes_through_the_spool_into_new, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests_name("mail: sink", tests, NULL, NULL);
}
