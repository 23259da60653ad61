/* Whoever waits for a job that hangs is told, and not while any job of the lane moves. */
#include "base/clock.h"
#include "daemon/job_watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct world {
    struct executor *executor;
    struct job_watches all;
    struct job_watch works, waits;
    unsigned count;
};

static void hangs(void *argument)
{
    struct world *world = argument;
    world->count++;
    executor_stop(world->executor);
}

static void join(struct world *world, struct job_watch *watch)
{
    *watch = (struct job_watch){
        .executor = world->executor, .quiet_ms = 0, .hangs = hangs, .argument = world};
    job_watch_join(&world->all, watch);
}

static void set_up(struct world *world)
{
    *world = (struct world){.executor = executor_create()};
    LIST_INIT(&world->all);
    join(world, &world->works);
    join(world, &world->waits);
}

static void tear_down(struct world *world)
{
    job_watch_leave(&world->works);
    job_watch_leave(&world->waits);
    executor_free(world->executor);
}

static void one_that_waits_in_the_lane_moves_with_the_one_that_works(void **state)
{
    struct world world;
    (void)state;
    set_up(&world);
    assert_null(job_watch_at_work(&world.all));
    job_watch_begin(&world.waits);
    job_watch_work(&world.works, true);
    atomic_fetch_add(&world.works.progress, 1);
    uint64_t begin = clock_monotonic_ms();
    executor_run(world.executor); /* the first look sees that it has moved, the second does not */
    assert_int_equal(world.count, 1);
    assert_true(clock_monotonic_ms() - begin >= 1900);
    assert_ptr_equal(job_watch_at_work(&world.all), &world.works);
    job_watch_work(&world.works, false);
    assert_null(job_watch_at_work(&world.all));
    tear_down(&world);
}

static void nobody_is_told_of_a_job_that_has_come_back(void **state)
{
    struct world world;
    (void)state;
    set_up(&world);
    job_watch_begin(&world.works);
    job_watch_end(&world.works);
    job_watch_begin(&world.waits);
    executor_run(world.executor);
    assert_int_equal(world.count, 1);
    assert_false(executor_timer_pending(&world.works.look));
    assert_false(executor_timer_pending(&world.waits.look));
    tear_down(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_waits_in_the_lane_moves_with_the_one_that_works),
        cmocka_unit_test(nobody_is_told_of_a_job_that_has_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
