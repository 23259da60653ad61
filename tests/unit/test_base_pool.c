#include "base/executor.h"
#include "base/memory.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const uint64_t PATIENT_MS = UINT64_C(3600000); /* never reached in a test */

struct world {
    struct executor *executor;
    struct executor_pool *pool;
    sem_t begun;   /* posted by each job that hangs, when it has begun */
    sem_t release; /* what jobs that hang wait for */
    atomic_int running;
    atomic_int most_running;
    int done;
    int expected; /* the loop stops when so many are done */
};

struct task {
    struct executor_job job;
    struct world *world;
    struct executor_lane *lane;
    int number;
    int times;
    atomic_bool worked;
    pthread_barrier_t *barrier;
};

static struct world *world_create(size_t threads)
{
    struct world *world = memory_allocate(sizeof *world);
    world->executor = executor_create();
    world->pool = executor_pool_create(world->executor, "test-files", threads);
    sem_init(&world->begun, 0, 0);
    sem_init(&world->release, 0, 0);
    return world;
}

static void world_free(struct world *world)
{
    assert_true(executor_pool_free(world->pool, PATIENT_MS));
    executor_free(world->executor);
    sem_destroy(&world->begun);
    sem_destroy(&world->release);
    memory_free(world);
}

static void run_until_done(struct world *world, int expected)
{
    world->expected = expected;
    if (world->done < expected)
        executor_run(world->executor);
    assert_int_equal(world->done, expected);
}

static void task_work(void *argument)
{
    struct task *task = argument;
    task->worked = true;
}

static void task_work_that_hangs(void *argument)
{
    struct task *task = argument;
    sem_post(&task->world->begun);
    sem_wait(&task->world->release);
    task->worked = true;
}

static void task_done(void *argument)
{
    struct task *task = argument;
    assert_true(task->worked);
    if (++task->world->done == task->world->expected)
        executor_stop(task->world->executor);
}

static void submit(struct world *world, struct executor_lane *lane, struct task *task,
                   void (*work)(void *argument))
{
    task->world = world;
    executor_pool_submit(world->pool, lane, &task->job, work, task_done, task);
}

static void a_hung_lane_does_not_stop_another_lane(void **state)
{
    (void)state;
    struct world *world = world_create(4);
    struct executor_lane *hung = executor_pool_lane(world->pool, "/srv/nfs", 2);
    struct executor_lane *well = executor_pool_lane(world->pool, "/srv/disk", 2);
    struct task hanging[5] = {0};
    struct task working[20] = {0};
    for (size_t i = 0; i < 5; i++)
        submit(world, hung, &hanging[i], task_work_that_hangs);
    sem_wait(&world->begun);
    sem_wait(&world->begun);
    for (size_t i = 0; i < 20; i++)
        submit(world, well, &working[i], task_work);
    run_until_done(world, 20);
    assert_int_equal(executor_pool_pending(world->pool), 5);
    for (int i = 0; i < 5; i++)
        sem_post(&world->release);
    run_until_done(world, 25);
    assert_int_equal(executor_pool_pending(world->pool), 0);
    world_free(world);
}

static void task_work_counted(void *argument)
{
    struct task *task = argument;
    struct world *world = task->world;
    int running = atomic_fetch_add(&world->running, 1) + 1;
    int most = atomic_load(&world->most_running);
    while (running > most && !atomic_compare_exchange_weak(&world->most_running, &most, running))
        ;
    task->worked = true;
    atomic_fetch_sub(&world->running, 1);
}

static void a_lane_runs_at_most_its_limit_at_a_time(void **state)
{
    (void)state;
    struct world *world = world_create(8);
    struct executor_lane *lane = executor_pool_lane(world->pool, "lane", 2);
    struct task *tasks = memory_allocate_array(500, sizeof *tasks);
    for (size_t i = 0; i < 500; i++)
        submit(world, lane, &tasks[i], task_work_counted);
    run_until_done(world, 500);
    assert_in_range(atomic_load(&world->most_running), 1, 2);
    memory_free(tasks);
    world_free(world);
}

static void task_done_in_order(void *argument)
{
    struct task *task = argument;
    assert_int_equal(task->number, task->world->done);
    task_done(task);
}

static void jobs_of_a_lane_of_one_run_and_complete_in_their_order(void **state)
{
    (void)state;
    struct world *world = world_create(4);
    struct executor_lane *lane = executor_pool_lane(world->pool, "writer", 1);
    struct task *tasks = memory_allocate_array(300, sizeof *tasks);
    for (int i = 0; i < 300; i++) {
        tasks[i] = (struct task){.world = world, .number = i};
        executor_pool_submit(world->pool, lane, &tasks[i].job, task_work, task_done_in_order,
                             &tasks[i]);
    }
    run_until_done(world, 300);
    memory_free(tasks);
    world_free(world);
}

static void a_lane_is_known_by_its_name(void **state)
{
    (void)state;
    struct world *world = world_create(1);
    struct executor_lane *one = executor_pool_lane(world->pool, "one", 1);
    struct executor_lane *two = executor_pool_lane(world->pool, "two", 1);
    assert_ptr_not_equal(one, two);
    assert_ptr_equal(executor_pool_lane(world->pool, "one", 5), one);
    world_free(world);
}

static void task_work_together(void *argument)
{
    struct task *task = argument;
    pthread_barrier_wait(task->barrier);
    task->worked = true;
}

static void jobs_that_wait_for_each_other_get_a_thread_each(void **state)
{
    (void)state;
    struct world *world = world_create(4);
    struct task first = {0};
    submit(world, NULL, &first, task_work); /* leaves a thread that waits for work */
    run_until_done(world, 1);
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, 4);
    struct task tasks[4] = {0};
    for (size_t i = 0; i < 4; i++) {
        tasks[i].barrier = &barrier;
        submit(world, NULL, &tasks[i], task_work_together);
    }
    run_until_done(world, 5); /* comes back only when all four ran at the same time */
    pthread_barrier_destroy(&barrier);
    world_free(world);
}

static void more_jobs_than_threads_wait_for_their_turn(void **state)
{
    (void)state;
    struct world *world = world_create(2);
    struct task *tasks = memory_allocate_array(1000, sizeof *tasks);
    for (size_t i = 0; i < 1000; i++)
        submit(world, NULL, &tasks[i], task_work_counted);
    assert_int_equal(executor_pool_pending(world->pool), 1000);
    run_until_done(world, 1000);
    assert_in_range(atomic_load(&world->most_running), 1, 2);
    memory_free(tasks);
    world_free(world);
}

static void task_done_and_freed(void *argument)
{
    struct task *task = argument;
    struct world *world = task->world;
    memory_free(task);
    if (++world->done == world->expected)
        executor_stop(world->executor);
}

static void a_job_may_be_freed_in_its_done(void **state)
{
    (void)state;
    struct world *world = world_create(4);
    for (int i = 0; i < 200; i++) {
        struct task *task = memory_allocate(sizeof *task);
        task->world = world;
        executor_pool_submit(world->pool, NULL, &task->job, task_work, task_done_and_freed, task);
    }
    run_until_done(world, 200);
    world_free(world);
}

static void task_done_and_again(void *argument)
{
    struct task *task = argument;
    if (task->times-- > 0)
        executor_pool_submit(task->world->pool, task->lane, &task->job, task_work,
                             task_done_and_again, task);
    task_done(task);
}

static void a_job_may_be_submitted_again_in_its_done(void **state)
{
    (void)state;
    struct world *world = world_create(2);
    struct task task = {.world = world, .times = 99};
    task.lane = executor_pool_lane(world->pool, "lane", 1);
    executor_pool_submit(world->pool, task.lane, &task.job, task_work, task_done_and_again, &task);
    run_until_done(world, 100);
    world_free(world);
}

static pthread_t loop_thread;

static void task_work_elsewhere(void *argument)
{
    struct task *task = argument;
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    /* Signals for the process are the loop's; a closed pipe is an error, not an end. */
    task->worked = !pthread_equal(pthread_self(), loop_thread) && sigismember(&mask, SIGTERM) &&
                   sigismember(&mask, SIGPIPE) && !sigismember(&mask, SIGSEGV);
}

static void task_done_on_the_loop(void *argument)
{
    assert_true(pthread_equal(pthread_self(), loop_thread));
    task_done(argument);
}

static void a_job_works_on_another_thread_and_is_done_on_the_loop(void **state)
{
    (void)state;
    struct world *world = world_create(1);
    struct task task = {.world = world};
    loop_thread = pthread_self();
    executor_pool_submit(world->pool, NULL, &task.job, task_work_elsewhere, task_done_on_the_loop,
                         &task);
    run_until_done(world, 1);
    world_free(world);
}

/* --- the end of a pool --- */

static void a_pool_without_jobs_is_freed_at_once(void **state)
{
    (void)state;
    struct world *world = world_create(4);
    executor_pool_lane(world->pool, "never used", 3);
    world_free(world);
}

static void a_job_that_runs_when_the_pool_is_freed_is_done_once(void **state)
{
    (void)state;
    struct world *world = world_create(2);
    struct task tasks[2] = {0};
    submit(world, NULL, &tasks[0], task_work_that_hangs);
    submit(world, NULL, &tasks[1], task_work_that_hangs);
    sem_wait(&world->begun);
    sem_wait(&world->begun);
    sem_post(&world->release);
    sem_post(&world->release);
    assert_true(executor_pool_free(world->pool, PATIENT_MS));
    assert_int_equal(world->done, 2);
    /* Nothing of it is left on the loop. */
    world->pool = executor_pool_create(world->executor, "second", 1);
    struct task after = {0};
    submit(world, NULL, &after, task_work);
    run_until_done(world, 3);
    world_free(world);
}

static void jobs_not_begun_are_dropped_when_the_pool_is_freed(void **state)
{
    (void)state;
    struct world *world = world_create(1);
    struct task running = {0};
    struct task waiting[3] = {0};
    struct executor_lane *lane = executor_pool_lane(world->pool, "lane", 1);
    submit(world, lane, &running, task_work_that_hangs);
    sem_wait(&world->begun);
    submit(world, lane, &waiting[0], task_work);
    submit(world, NULL, &waiting[1], task_work);
    sem_post(&world->release);
    /* The first job may end before the pool closes, and then others may run: each either worked and
     * is done, or did neither. */
    assert_true(executor_pool_free(world->pool, PATIENT_MS));
    int worked = 1 + (waiting[0].worked ? 1 : 0) + (waiting[1].worked ? 1 : 0);
    assert_int_equal(world->done, worked);
    world->pool = executor_pool_create(world->executor, "second", 1);
    world_free(world);
}

static void task_done_and_submits_more(void *argument)
{
    struct task *task = argument;
    task_done(task);
    executor_pool_submit(task->world->pool, NULL, &task->job, task_work_that_hangs,
                         task_done_and_submits_more, task);
}

static void what_a_done_submits_while_the_pool_is_freed_is_dropped(void **state)
{
    (void)state;
    struct world *world = world_create(1);
    struct task task = {.world = world};
    executor_pool_submit(world->pool, NULL, &task.job, task_work_that_hangs,
                         task_done_and_submits_more, &task);
    sem_wait(&world->begun);
    sem_post(&world->release);
    assert_true(executor_pool_free(world->pool, PATIENT_MS)); /* comes back */
    assert_int_equal(world->done, 1);
    world->pool = executor_pool_create(world->executor, "second", 1);
    world_free(world);
}

static void a_job_that_hangs_for_good_is_left_behind_and_touches_nothing(void **state)
{
    (void)state;
    struct world *world = world_create(3);
    struct task hanging = {0};
    struct task ended = {0};
    submit(world, executor_pool_lane(world->pool, "/srv/nfs", 1), &hanging, task_work_that_hangs);
    sem_wait(&world->begun);
    submit(world, NULL, &ended, task_work_that_hangs);
    sem_wait(&world->begun);
    assert_false(executor_pool_free(world->pool, 0));
    executor_free(world->executor);
    assert_int_equal(world->done, 0);
    /* The mount answers after all: the threads end, though loop and pool are gone for us. */
    sem_post(&world->release);
    sem_post(&world->release);
    while (!hanging.worked || !ended.worked)
        sched_yield();
    assert_int_equal(world->done, 0);
    sem_destroy(&world->begun);
    sem_destroy(&world->release);
    memory_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_works_on_another_thread_and_is_done_on_the_loop),
        cmocka_unit_test(a_hung_lane_does_not_stop_another_lane),
        cmocka_unit_test(a_lane_runs_at_most_its_limit_at_a_time),
        cmocka_unit_test(jobs_of_a_lane_of_one_run_and_complete_in_their_order),
        cmocka_unit_test(a_lane_is_known_by_its_name),
        cmocka_unit_test(jobs_that_wait_for_each_other_get_a_thread_each),
        cmocka_unit_test(more_jobs_than_threads_wait_for_their_turn),
        cmocka_unit_test(a_job_may_be_freed_in_its_done),
        cmocka_unit_test(a_job_may_be_submitted_again_in_its_done),
        cmocka_unit_test(a_pool_without_jobs_is_freed_at_once),
        cmocka_unit_test(a_job_that_runs_when_the_pool_is_freed_is_done_once),
        cmocka_unit_test(jobs_not_begun_are_dropped_when_the_pool_is_freed),
        cmocka_unit_test(what_a_done_submits_while_the_pool_is_freed_is_dropped),
        cmocka_unit_test(a_job_that_hangs_for_good_is_left_behind_and_touches_nothing),
    };
    return cmocka_run_group_tests_name("base/pool", tests, NULL, NULL);
}
