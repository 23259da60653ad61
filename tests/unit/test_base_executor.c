#include "base/executor.h"
#include "base/memory.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const uint64_t LONG_MS = UINT64_C(3600000); /* never reached in a test */

/* What happened, one letter each, in the order in which it happened. */
struct world {
    struct executor *executor;
    char story[64];
    size_t length;
};

static struct world *world_create(void)
{
    struct world *world = memory_allocate(sizeof *world);
    world->executor = executor_create();
    return world;
}

static void world_free(struct world *world)
{
    executor_free(world->executor);
    memory_free(world);
}

static void tell(struct world *world, char letter)
{
    assert_true(world->length < sizeof world->story - 1);
    world->story[world->length++] = letter;
}

static void stop(void *argument)
{
    struct world *world = argument;
    executor_stop(world->executor);
}

/* A timer and a call with a letter, and another one that it may act upon. */
struct actor {
    struct world *world;
    char letter;
    int times; /* how often it still starts itself again */
    struct executor_timer timer;
    struct executor_call call;
    struct actor *other;
};

static void actor_tells(void *argument)
{
    struct actor *actor = argument;
    tell(actor->world, actor->letter);
}

/* --- timers --- */

static void timers_fire_in_the_order_of_their_times(void **state)
{
    (void)state;
    struct world *world = world_create();
    struct actor c = {.world = world, .letter = 'c'};
    struct actor a = {.world = world, .letter = 'a'};
    struct actor b = {.world = world, .letter = 'b'};
    struct executor_timer end = {0};
    executor_after(world->executor, &end, 12, stop, world);
    executor_after(world->executor, &c.timer, 9, actor_tells, &c);
    executor_after(world->executor, &a.timer, 3, actor_tells, &a);
    executor_after(world->executor, &b.timer, 6, actor_tells, &b);
    assert_true(executor_timer_pending(&a.timer));
    executor_run(world->executor);
    assert_false(executor_timer_pending(&a.timer));
    assert_string_equal(world->story, "abc");
    world_free(world);
}

static void a_timer_is_not_early(void **state)
{
    (void)state;
    struct world *world = world_create();
    struct executor_timer end = {0};
    executor_after(world->executor, &end, 20, stop, world);
    uint64_t begin = executor_now(world->executor);
    executor_run(world->executor);
    assert_true(executor_now(world->executor) >= begin + 20);
    world_free(world);
}

static void timer_cancels_and_frees_the_other(void *argument)
{
    struct actor *actor = argument;
    tell(actor->world, 'x');
    executor_cancel_timer(actor->world->executor, &actor->other->timer);
    memory_free(actor->other);
    memory_free(actor);
}

static void a_timer_cancelled_by_another_of_the_same_turn_does_not_fire(void **state)
{
    (void)state;
    struct world *world = world_create();
    struct actor *one = memory_allocate(sizeof *one);
    struct actor *two = memory_allocate(sizeof *two);
    *one = (struct actor){.world = world, .other = two};
    *two = (struct actor){.world = world, .other = one};
    struct executor_timer end = {0};
    /* Both are due when the loop begins; whichever fires first ends the other. */
    executor_after(world->executor, &one->timer, 0, timer_cancels_and_frees_the_other, one);
    executor_after(world->executor, &two->timer, 0, timer_cancels_and_frees_the_other, two);
    executor_after(world->executor, &end, 5, stop, world);
    executor_run(world->executor);
    assert_string_equal(world->story, "x");
    world_free(world);
}

static void timer_again(void *argument)
{
    struct actor *actor = argument;
    tell(actor->world, actor->letter);
    assert_false(executor_timer_pending(&actor->timer));
    if (actor->times-- > 0)
        executor_after(actor->world->executor, &actor->timer, 1, timer_again, actor);
    else
        executor_stop(actor->world->executor);
}

static void a_timer_can_be_started_again_in_its_own_callback(void **state)
{
    (void)state;
    struct world *world = world_create();
    struct actor actor = {.world = world, .letter = 't', .times = 3};
    executor_after(world->executor, &actor.timer, 0, timer_again, &actor);
    executor_run(world->executor);
    assert_string_equal(world->story, "tttt");
    world_free(world);
}

static void timer_for_ever(void *argument)
{
    struct actor *actor = argument;
    executor_after(actor->world->executor, &actor->timer, 0, timer_for_ever, actor);
}

static void a_timer_that_restarts_without_delay_leaves_room_for_others(void **state)
{
    (void)state;
    struct world *world = world_create();
    struct actor actor = {.world = world};
    struct executor_call end = {0};
    executor_after(world->executor, &actor.timer, 0, timer_for_ever, &actor);
    executor_post(world->executor, &end, stop, world);
    executor_run(world->executor); /* comes back */
    executor_cancel_timer(world->executor, &actor.timer);
    world_free(world);
}

static void starting_a_pending_timer_moves_it(void **state)
{
    (void)state;
    struct world *world = world_create();
    struct actor sooner = {.world = world, .letter = 's'};
    struct actor later = {.world = world, .letter = 'l'};
    struct executor_timer end = {0};
    executor_after(world->executor, &sooner.timer, LONG_MS, actor_tells, &sooner);
    executor_after(world->executor, &later.timer, 1, actor_tells, &later);
    executor_after(world->executor, &sooner.timer, 1, actor_tells, &sooner);
    executor_after(world->executor, &later.timer, LONG_MS, actor_tells, &later);
    executor_after(world->executor, &end, 5, stop, world);
    executor_run(world->executor);
    assert_string_equal(world->story, "s");
    assert_true(executor_timer_pending(&later.timer));
    world_free(world);
}

static void the_longest_delay_is_not_a_short_one(void **state)
{
    (void)state;
    struct world *world = world_create();
    struct actor actor = {.world = world, .letter = 'x'};
    struct executor_timer end = {0};
    executor_after(world->executor, &actor.timer, UINT64_MAX, actor_tells, &actor);
    executor_after(world->executor, &end, 2, stop, world);
    executor_run(world->executor);
    assert_string_equal(world->story, "");
    world_free(world);
}

static void cancelling_a_timer_that_does_not_run_is_fine(void **state)
{
    (void)state;
    struct world *world = world_create();
    struct executor_timer timer = {0};
    executor_cancel_timer(world->executor, &timer);
    executor_after(world->executor, &timer, LONG_MS, stop, world);
    executor_cancel_timer(world->executor, &timer);
    executor_cancel_timer(world->executor, &timer);
    assert_false(executor_timer_pending(&timer));
    world_free(world);
}

/* --- deferred calls --- */

static void call_defers_the_other(void *argument)
{
    struct actor *actor = argument;
    tell(actor->world, actor->letter);
    executor_defer(actor->world->executor, &actor->other->call, actor_tells, actor->other);
}

static void deferred_calls_run_in_order_and_new_ones_behind_them(void **state)
{
    (void)state;
    struct world *world = world_create();
    struct actor c = {.world = world, .letter = 'c'};
    struct actor a = {.world = world, .letter = 'a', .other = &c};
    struct actor b = {.world = world, .letter = 'b'};
    struct executor_timer end = {0};
    assert_false(executor_has_deferred(world->executor));
    executor_defer(world->executor, &a.call, call_defers_the_other, &a);
    executor_defer(world->executor, &b.call, actor_tells, &b);
    assert_true(executor_has_deferred(world->executor));
    executor_after(world->executor, &end, 2, stop, world);
    executor_run(world->executor);
    assert_string_equal(world->story, "abc");
    assert_false(executor_has_deferred(world->executor));
    world_free(world);
}

static void call_for_ever(void *argument)
{
    struct actor *actor = argument;
    assert_false(actor->call.pending);
    executor_defer(actor->world->executor, &actor->call, call_for_ever, actor);
}

static void a_call_that_defers_itself_leaves_room_for_timers_and_posts(void **state)
{
    (void)state;
    struct world *world = world_create();
    struct actor actor = {.world = world};
    struct actor posted = {.world = world, .letter = 'p'};
    struct executor_timer end = {0};
    executor_defer(world->executor, &actor.call, call_for_ever, &actor);
    executor_post(world->executor, &posted.call, actor_tells, &posted);
    executor_after(world->executor, &end, 2, stop, world);
    executor_run(world->executor); /* comes back */
    assert_string_equal(world->story, "p");
    executor_cancel_call(world->executor, &actor.call);
    world_free(world);
}

static void a_call_deferred_twice_runs_once(void **state)
{
    (void)state;
    struct world *world = world_create();
    struct actor actor = {.world = world, .letter = 'x'};
    struct executor_timer end = {0};
    executor_defer(world->executor, &actor.call, actor_tells, &actor);
    executor_defer(world->executor, &actor.call, actor_tells, &actor);
    executor_after(world->executor, &end, 2, stop, world);
    executor_run(world->executor);
    assert_string_equal(world->story, "x");
    world_free(world);
}

static void call_cancels_and_frees_the_other(void *argument)
{
    struct actor *actor = argument;
    tell(actor->world, actor->letter);
    executor_cancel_call(actor->world->executor, &actor->other->call);
    memory_free(actor->other);
}

static void a_call_cancelled_by_one_before_it_does_not_run(void **state)
{
    (void)state;
    struct world *world = world_create();
    struct actor *last = memory_allocate(sizeof *last);
    *last = (struct actor){.world = world, .letter = 'z'};
    struct actor first = {.world = world, .letter = 'a', .other = last};
    struct executor_timer end = {0};
    executor_defer(world->executor, &first.call, call_cancels_and_frees_the_other, &first);
    executor_defer(world->executor, &last->call, actor_tells, last);
    executor_after(world->executor, &end, 2, stop, world);
    executor_run(world->executor);
    assert_string_equal(world->story, "a");
    world_free(world);
}

/* --- posts --- */

enum { POSTERS = 4, POSTS = 500 };

struct poster {
    struct executor *executor;
    pthread_t thread;
    struct post {
        struct executor_call call;
        struct poster *poster;
        int number;
    } posts[POSTS];
    int arrived;
    size_t *missing; /* of all posters */
};

static void post_arrives(void *argument)
{
    struct post *post = argument;
    assert_int_equal(post->number, post->poster->arrived);
    post->poster->arrived++;
    if (--*post->poster->missing == 0)
        executor_stop(post->poster->executor);
}

static void *poster_run(void *argument)
{
    struct poster *poster = argument;
    for (int i = 0; i < POSTS; i++) {
        poster->posts[i].poster = poster;
        poster->posts[i].number = i;
        executor_post(poster->executor, &poster->posts[i].call, post_arrives, &poster->posts[i]);
    }
    return NULL;
}

static void posts_of_many_threads_all_arrive_each_threads_in_order(void **state)
{
    (void)state;
    struct executor *executor = executor_create();
    struct poster *posters = memory_allocate_array(POSTERS, sizeof *posters);
    size_t missing = POSTERS * POSTS;
    for (int i = 0; i < POSTERS; i++) {
        posters[i].executor = executor;
        posters[i].missing = &missing;
        assert_int_equal(pthread_create(&posters[i].thread, NULL, poster_run, &posters[i]), 0);
    }
    executor_run(executor);
    assert_int_equal(missing, 0);
    for (int i = 0; i < POSTERS; i++) {
        pthread_join(posters[i].thread, NULL);
        assert_int_equal(posters[i].arrived, POSTS);
    }
    memory_free(posters);
    executor_free(executor);
}

static void what_is_posted_before_the_loop_runs_is_kept(void **state)
{
    (void)state;
    struct executor *executor = executor_create();
    size_t missing = POSTS;
    struct poster *poster = memory_allocate(sizeof *poster);
    poster->executor = executor;
    poster->missing = &missing;
    assert_int_equal(pthread_create(&poster->thread, NULL, poster_run, poster), 0);
    pthread_join(poster->thread, NULL);
    executor_run(executor);
    assert_int_equal(poster->arrived, POSTS);
    memory_free(poster);
    executor_free(executor);
}

static void post_again(void *argument)
{
    struct actor *actor = argument;
    tell(actor->world, actor->letter);
    if (actor->times-- > 0)
        executor_post(actor->world->executor, &actor->call, post_again, actor);
    else
        executor_stop(actor->world->executor);
}

static void a_call_can_be_posted_again_in_its_own_callback(void **state)
{
    (void)state;
    struct world *world = world_create();
    struct actor actor = {.world = world, .letter = 'p', .times = 3};
    executor_post(world->executor, &actor.call, post_again, &actor);
    executor_run(world->executor);
    assert_string_equal(world->story, "pppp");
    world_free(world);
}

static void post_frees_itself(void *argument)
{
    struct actor *actor = argument;
    executor_stop(actor->world->executor);
    memory_free(actor);
}

static void a_posted_call_may_be_freed_in_its_callback(void **state)
{
    (void)state;
    struct world *world = world_create();
    struct actor *actor = memory_allocate(sizeof *actor);
    actor->world = world;
    executor_post(world->executor, &actor->call, post_frees_itself, actor);
    executor_run(world->executor);
    world_free(world);
}

/* --- signals and the loop itself --- */

static void signal_taken(void *argument)
{
    struct actor *actor = argument;
    tell(actor->world, actor->letter);
    if (--actor->times == 0)
        executor_stop(actor->world->executor);
    else
        kill(getpid(), SIGUSR1);
}

static void every_signal_calls_back_on_the_loop(void **state)
{
    (void)state;
    struct world *world = world_create();
    struct actor actor = {.world = world, .letter = 'u', .times = 3};
    executor_on_signal(world->executor, SIGUSR1, signal_taken, &actor);
    executor_on_signal(world->executor, SIGUSR2, signal_taken, &actor);
    kill(getpid(), SIGUSR1);
    executor_run(world->executor);
    assert_string_equal(world->story, "uuu");
    world_free(world);
}

static void a_stop_before_the_run_ends_it_at_once(void **state)
{
    (void)state;
    struct world *world = world_create();
    executor_stop(world->executor);
    executor_run(world->executor);
    world_free(world);
}

static void what_is_pending_at_a_stop_goes_on_in_the_next_run(void **state)
{
    (void)state;
    struct world *world = world_create();
    struct actor timer = {.world = world, .letter = 't'};
    struct actor call = {.world = world, .letter = 'c'};
    struct actor posted = {.world = world, .letter = 'p'};
    struct executor_timer end = {0};
    executor_after(world->executor, &timer.timer, 1, actor_tells, &timer);
    executor_defer(world->executor, &call.call, actor_tells, &call);
    executor_post(world->executor, &posted.call, actor_tells, &posted);
    executor_stop(world->executor);
    executor_run(world->executor);
    assert_string_equal(world->story, "");
    executor_after(world->executor, &end, 5, stop, world);
    executor_run(world->executor);
    assert_int_equal(strlen(world->story), 3);
    assert_non_null(strchr(world->story, 't'));
    assert_non_null(strchr(world->story, 'c'));
    assert_non_null(strchr(world->story, 'p'));
    world_free(world);
}

static void freeing_with_everything_pending_leaks_nothing(void **state)
{
    (void)state;
    struct world *world = world_create();
    struct actor timer = {.world = world};
    struct actor call = {.world = world};
    struct actor posted = {.world = world};
    executor_on_signal(world->executor, SIGUSR1, stop, world);
    executor_after(world->executor, &timer.timer, 0, actor_tells, &timer);
    executor_defer(world->executor, &call.call, actor_tells, &call);
    executor_post(world->executor, &posted.call, actor_tells, &posted);
    executor_free(world->executor);
    assert_string_equal(world->story, ""); /* nothing was called either */
    memory_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_in_the_order_of_their_times),
        cmocka_unit_test(a_timer_is_not_early),
        cmocka_unit_test(a_timer_cancelled_by_another_of_the_same_turn_does_not_fire),
        cmocka_unit_test(a_timer_can_be_started_again_in_its_own_callback),
        cmocka_unit_test(a_timer_that_restarts_without_delay_leaves_room_for_others),
        cmocka_unit_test(starting_a_pending_timer_moves_it),
        cmocka_unit_test(the_longest_delay_is_not_a_short_one),
        cmocka_unit_test(cancelling_a_timer_that_does_not_run_is_fine),
        cmocka_unit_test(deferred_calls_run_in_order_and_new_ones_behind_them),
        cmocka_unit_test(a_call_that_defers_itself_leaves_room_for_timers_and_posts),
        cmocka_unit_test(a_call_deferred_twice_runs_once),
        cmocka_unit_test(a_call_cancelled_by_one_before_it_does_not_run),
        cmocka_unit_test(posts_of_many_threads_all_arrive_each_threads_in_order),
        cmocka_unit_test(what_is_posted_before_the_loop_runs_is_kept),
        cmocka_unit_test(a_call_can_be_posted_again_in_its_own_callback),
        cmocka_unit_test(a_posted_call_may_be_freed_in_its_callback),
        cmocka_unit_test(every_signal_calls_back_on_the_loop),
        cmocka_unit_test(a_stop_before_the_run_ends_it_at_once),
        cmocka_unit_test(what_is_pending_at_a_stop_goes_on_in_the_next_run),
        cmocka_unit_test(freeing_with_everything_pending_leaks_nothing),
    };
    return cmocka_run_group_tests_name("base/executor", tests, NULL, NULL);
}
