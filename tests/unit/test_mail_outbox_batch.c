/* Files of the outbox that share jobs: each has its own fate, and one wait for the disk is enough
 * for a folder. */
#include "mail_crash.h"

#include "outbox_world.h"

#include "mail/outbox_private.h"

static const struct outbox_edit unchanged = {0};

/* Submits `count` messages and takes them in; the one at `odd` has these bytes. */
static void take_many(struct outbox_world *it, size_t count, size_t odd, const char *bytes,
                      size_t length, struct answer *answer)
{
    for (size_t i = 0; i < count; i++) {
        static const char plain[] = "From: a@b\n\nx\n";
        char name[32];
        snprintf(name, sizeof name, "%02zu", i);
        if (i == odd)
            put_bytes(it, "new", name, bytes, length);
        else
            put_bytes(it, "new", name, plain, sizeof plain - 1);
    }
    scan(it->world, it->outbox, answer);
    assert_string_equal(answer->failure.text, "");
    assert_int_equal(answer->count, count);
}

/* All of `taken`. */
static struct failure take_back(struct outbox_world *it, const struct answer *taken)
{
    const char *ids[OUTBOX_SCAN_MAX];
    struct answer answer = {.world = it->world};
    for (size_t i = 0; i < taken->count; i++)
        ids[i] = taken->ids[i];
    outbox_take_back(it->outbox, ids, taken->count, answer_done, &answer);
    world_run(it->world);
    return answer.failure;
}

static void folders_are_synced_once_for_the_files_of_a_job(void **state)
{
    struct outbox_world *it = *state;
    struct answer answer;
    struct many many = {0};
    enum { JOBS = 3, COUNT = (JOBS - 1) * OUTBOX_BATCH_FILES + 1 };
    take_many(it, COUNT, COUNT, NULL, 0, &answer);
    fault_clear();
    many_accept(&many, it->world, it->outbox, answer.ids, COUNT, &unchanged);
    assert_int_equal(fault_counts[CALL_FSYNC], COUNT + JOBS);
    assert_int_equal(world_count(it->world, "queue"), COUNT);
    fault_clear();
    many_do(&many, it->world, it->outbox, answer.ids, COUNT, outbox_settle);
    assert_int_equal(fault_counts[CALL_FSYNC], 0);
    assert_int_equal(world_count(it->world, "kept"), COUNT);
    assert_string_equal(take_back(it, &answer).text, "");
    assert_int_equal(fault_counts[CALL_FSYNC], 2);
    assert_int_equal(world_count(it->world, "intake"), COUNT);
    many_do(&many, it->world, it->outbox, answer.ids, COUNT, outbox_remove);
    assert_int_equal(world_count(it->world, "intake"), 0);
    assert_int_equal(world_count(it->world, "queue"), 0);
    fault_clear();
}

static void each_file_of_a_job_has_a_fate_of_its_own(void **state)
{
    struct outbox_world *it = *state;
    static const char with_nul[] = "From: a@b\n\nx\0x\n";
    enum { COUNT = 5, ODD = 1, GONE = 3 };
    struct answer answer;
    struct many many = {0};
    char path[1024];
    take_many(it, COUNT, ODD, with_nul, sizeof with_nul - 1, &answer);
    snprintf(path, sizeof path, "%s/intake/%s", it->world->path, answer.ids[GONE]);
    assert_int_equal(unlink(path), 0);
    many_inspect(&many, it->world, it->outbox, answer.ids, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(many.envelopes[i].problem != NULL, i == ODD);
        assert_int_equal(many.failures[i].gone, i == GONE);
        assert_int_equal(many.envelopes[i].from.count, i != ODD && i != GONE);
        outbox_envelope_release(&many.envelopes[i]);
    }
    many_accept(&many, it->world, it->outbox, answer.ids, COUNT, &unchanged);
    for (size_t i = 0; i < COUNT; i++) {
        char *copy = read_queue(it, answer.ids[i], NULL);
        bool taken = i != ODD && i != GONE;
        assert_int_equal(copy != NULL, taken);
        assert_int_equal(many.sizes[i] > 0, taken);
        assert_int_equal(failure_is_set(&many.failures[i]), !taken);
        assert_int_equal(many.failures[i].permanent, i == ODD);
        memory_free(copy);
    }
}

/* --- a disk that refuses --- */

static enum call refused_call;
static atomic_int refused_at; /* the call of that kind, counted from 1 */

static int refuse_one(enum call call, int fd, const char *name)
{
    (void)fd;
    (void)name;
    bool refused = call == refused_call && atomic_fetch_sub(&refused_at, 1) == 1;
    return refused ? ENOSPC : FAULT_NONE;
}

static void refuse_call(enum call call, int at)
{
    fault_clear();
    refused_call = call;
    atomic_store(&refused_at, at);
    atomic_store(&fault_hook, refuse_one);
}

static void one_that_the_disk_refuses_leaves_no_copy_and_holds_up_no_other(void **state)
{
    struct outbox_world *it = *state;
    static const enum call calls[] = {CALL_OPENAT, CALL_WRITE, CALL_FSYNC};
    enum { COUNT = 4, AT = 2 };
    struct answer answer;
    struct many many = {0};
    take_many(it, COUNT, COUNT, NULL, 0, &answer);
    for (size_t call = 0; call < sizeof calls / sizeof calls[0]; call++) {
        refuse_call(calls[call], AT);
        many_accept(&many, it->world, it->outbox, answer.ids, COUNT, &unchanged);
        fault_clear();
        assert_int_equal(world_count(it->world, "queue"), COUNT - 1);
        for (size_t i = 0; i < COUNT; i++) {
            assert_string_equal(many.failures[i].code, i == AT - 1 ? "ENOSPC" : "");
            assert_int_equal(many.sizes[i] == 0, i == AT - 1);
        }
    }
}

static void none_is_told_when_their_folder_is_not_on_disk(void **state)
{
    struct outbox_world *it = *state;
    enum { COUNT = 4 };
    struct answer answer;
    struct many many = {0};
    take_many(it, COUNT, COUNT, NULL, 0, &answer);
    refuse_call(CALL_FSYNC, COUNT + 1);
    many_accept(&many, it->world, it->outbox, answer.ids, COUNT, &unchanged);
    fault_clear();
    assert_int_equal(world_count(it->world, "queue"), 0);
    for (size_t i = 0; i < COUNT; i++) {
        assert_string_equal(many.failures[i].code, "ENOSPC");
        assert_int_equal(many.sizes[i], 0);
    }
    many_do(&many, it->world, it->outbox, answer.ids, COUNT, outbox_settle);
    for (int at = 1; at <= 2; at++) {
        refuse_call(CALL_FSYNC, at);
        assert_string_equal(take_back(it, &answer).code, "ENOSPC");
        fault_clear();
    }
}

/* --- calls of one turn --- */

static void calls_of_all_kinds_in_one_turn_come_to_their_ends(void **state)
{
    struct outbox_world *it = *state;
    enum { COUNT = 3 };
    struct answer answer;
    struct many many = {0};
    take_many(it, COUNT, COUNT, NULL, 0, &answer);
    const char *const ids[] = {answer.ids[0], answer.ids[1], answer.ids[2]};
    many_begin(&many, it->world, 3 * COUNT + 1);
    outbox_take_back(it->outbox, ids, COUNT, many_done, &many);
    for (size_t i = 0; i < COUNT; i++) {
        outbox_settle(it->outbox, answer.ids[i], many_done, &many);
        outbox_refuse(it->outbox, "01234567-0123-7123-8123-0123456789ab", "No.", many_done, &many);
        outbox_remove(it->outbox, "01234567-0123-7123-8123-0123456789ab", many_done, &many);
    }
    assert_true(outbox_pending(it->outbox) >= 3 * COUNT + 1);
    world_run(it->world);
    assert_int_equal(outbox_pending(it->outbox), 0);
}

static void inspected_in_vain(void *argument, const struct failure *failure,
                              struct outbox_envelope *envelope)
{
    (void)argument;
    assert_true(failure->gone);
    outbox_envelope_release(envelope);
}

static void stop_soon(void *argument)
{
    executor_stop(argument);
}

/* Gathered, or in jobs that have not begun when the pool goes. */
static void what_never_began_is_freed_with_the_outbox(void **state)
{
    (void)state;
    for (int turns = 0; turns < 2; turns++) {
        struct outbox_world *it;
        void *made;
        struct executor_call stop = {0};
        outbox_world_set_up(&made);
        it = made;
        for (int i = 0; i < 10 * OUTBOX_BATCH_FILES; i++)
            outbox_inspect(it->outbox, "01234567-0123-7123-8123-0123456789ab", inspected_in_vain,
                           NULL);
        executor_defer(it->world->executor, &stop, stop_soon, it->world->executor);
        if (turns > 0)
            executor_run(it->world->executor);
        assert_true(executor_pool_free(it->world->pool, 10000));
        outbox_free(it->outbox);
        it->world->pool = executor_pool_create(it->world->executor, "files", 1);
        world_free(it->world);
        memory_free(it);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_an_outbox(folders_are_synced_once_for_the_files_of_a_job),
        with_an_outbox(each_file_of_a_job_has_a_fate_of_its_own),
        with_an_outbox(one_that_the_disk_refuses_leaves_no_copy_and_holds_up_no_other),
        with_an_outbox(none_is_told_when_their_folder_is_not_on_disk),
        with_an_outbox(calls_of_all_kinds_in_one_turn_come_to_their_ends),
        cmocka_unit_test(what_never_began_is_freed_with_the_outbox),
    };
    return cmocka_run_group_tests_name("mail: the outbox, many at a time", tests, NULL, NULL);
}
