/* What was submitted is kept beside its copy, until it was sent: for a store that is put back. */
#undef _FORTIFY_SOURCE /* it would put a function of its own in the place of fstatat */
#define _GNU_SOURCE
#include "outbox_world.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/syscall.h>

static _Atomic(const char *)
    unreadable; /* how the names that cannot be looked at end; NULL: none */

int fstatat(int fd, const char *restrict name, struct stat *restrict status, int flags)
{
    const char *end = atomic_load(&unreadable);
    size_t length = strlen(name);
    if (end != NULL && length >= strlen(end) && strcmp(name + length - strlen(end), end) == 0) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_newfstatat, fd, name, status, flags);
}

static const struct outbox_edit unchanged = {0};
static const char text[] = "From: a@b\nTo: c@d\nBcc: e@f\nSubject: s\n\nbody\n";

/* As a kill, or a person, leaves it. */
static void world_rename(const struct world *world, const char *from, const char *id,
                         const char *suffix, const char *to, const char *new_suffix)
{
    char path[1024], target[1024];
    snprintf(path, sizeof path, "%s/%s/%s%s", world->path, from, id, suffix);
    snprintf(target, sizeof target, "%s/%s/%s%s", world->path, to, id, new_suffix);
    assert_int_equal(rename(path, target), 0);
}

static void answer_list(void *argument, const struct failure *failure,
                        const char (*ids)[OUTBOX_ID_SIZE], size_t count)
{
    answer_scan(argument, failure, ids, count, false);
}

static struct answer list(struct outbox_world *it, enum outbox_part part)
{
    struct answer answer = {.world = it->world};
    outbox_list(it->outbox, part, answer_list, &answer);
    world_run(it->world);
    return answer;
}

static struct failure take_back(struct outbox_world *it, const char *id)
{
    struct answer answer = {.world = it->world};
    outbox_take_back(it->outbox, &id, 1, answer_done, &answer);
    world_run(it->world);
    return answer.failure;
}

static void take_in(struct outbox_world *it, char id[OUTBOX_ID_SIZE])
{
    uint64_t size;
    submit(it, text, id);
    assert_string_equal(accept_it(it->world, it->outbox, id, &unchanged, &size).text, "");
}

static void what_is_settled_is_kept_as_it_was_submitted(void **state)
{
    struct outbox_world *it = *state;
    char id[OUTBOX_ID_SIZE];
    take_in(it, id);
    assert_string_equal(settle(it->world, it->outbox, id).text, "");
    assert_int_equal(list(it, OUTBOX_IN_INTAKE).count, 0);
    assert_int_equal(list(it, OUTBOX_IN_QUEUE).count, 1);
    struct answer kept = list(it, OUTBOX_IN_KEPT);
    assert_int_equal(kept.count, 1);
    assert_string_equal(kept.ids[0], id);
    char *content = world_read(it->world, "kept", id, NULL);
    assert_string_equal(content, text); /* Bcc and all */
    memory_free(content);
}

static void what_was_sent_is_kept_nowhere(void **state)
{
    struct outbox_world *it = *state;
    char id[OUTBOX_ID_SIZE];
    for (int settled = 0; settled < 2;
         settled++) { /* sent before it was settled: that comes later */
        take_in(it, id);
        if (settled)
            assert_string_equal(settle(it->world, it->outbox, id).text, "");
        assert_string_equal(remove_it(it->world, it->outbox, id).text, "");
        assert_string_equal(settle(it->world, it->outbox, id).text, "");
        for (enum outbox_part part = OUTBOX_IN_INTAKE; part <= OUTBOX_IN_FAILED; part++)
            assert_int_equal(list(it, part).count, 0);
    }
}

static char *failed_file(struct outbox_world *it, const char *id)
{
    char name[OUTBOX_ID_SIZE + 4];
    snprintf(name, sizeof name, "%s.eml", id);
    return world_read(it->world, "failed", name, NULL);
}

static void what_is_refused_on_its_way_is_kept_in_failed_alone(void **state)
{
    struct outbox_world *it = *state;
    char id[OUTBOX_ID_SIZE];
    take_in(it, id);
    assert_string_equal(settle(it->world, it->outbox, id).text, "");
    assert_string_equal(refuse(it->world, it->outbox, id, "No.").text, "");
    char *content = failed_file(it, id);
    assert_string_equal(content, text); /* as it was submitted, Bcc and all */
    memory_free(content);
    assert_int_equal(list(it, OUTBOX_IN_KEPT).count, 0);
    assert_int_equal(list(it, OUTBOX_IN_QUEUE).count, 0);
    struct answer failed = list(it, OUTBOX_IN_FAILED);
    assert_int_equal(failed.count, 1);
    assert_string_equal(failed.ids[0], id);
}

static void what_a_person_is_done_with_is_removed_with_its_reason(void **state)
{
    struct outbox_world *it = *state;
    char id[OUTBOX_ID_SIZE], path[1024];
    take_in(it, id);
    assert_string_equal(refuse(it->world, it->outbox, id, "No.").text, "");
    for (size_t i = 0; i < 2; i++) { /* the second time nothing is there */
        struct answer answer = {.world = it->world};
        outbox_discard(it->outbox, id, answer_done, &answer);
        world_run(it->world);
        assert_string_equal(answer.failure.text, "");
    }
    snprintf(path, sizeof path, "%s/failed", it->world->path);
    assert_int_equal(rmdir(path), 0);
}

/* What was submitted lies in failed/ already; its copy does not take the place. */
static void a_kill_while_it_is_refused_changes_nothing_in_what_a_person_gets(void **state)
{
    struct outbox_world *it = *state;
    char id[OUTBOX_ID_SIZE];
    take_in(it, id);
    assert_string_equal(settle(it->world, it->outbox, id).text, "");
    world_rename(it->world, "kept", id, "", "failed", ".eml");
    assert_string_equal(refuse(it->world, it->outbox, id, "No.").text, "");
    char *content = failed_file(it, id);
    assert_string_equal(content, text);
    memory_free(content);
    assert_int_equal(list(it, OUTBOX_IN_QUEUE).count, 0);
}

/* A power failure may leave it under both names. */
static void what_lies_in_failed_already_is_not_told_by_scans(void **state)
{
    struct outbox_world *it = *state;
    char id[OUTBOX_ID_SIZE];
    take_in(it, id);
    world_rename(it->world, "queue", id, ".eml", "failed", ".eml");
    assert_string_equal(refuse(it->world, it->outbox, id, "No.").text, "");
    assert_int_equal(list(it, OUTBOX_IN_INTAKE).count, 0);
    assert_int_equal(list(it, OUTBOX_IN_FAILED).count, 1);
}

static void without_what_was_submitted_a_person_gets_the_copy(void **state)
{
    struct outbox_world *it = *state;
    char id[OUTBOX_ID_SIZE];
    take_in(it, id);
    assert_string_equal(settle(it->world, it->outbox, id).text, "");
    world_rename(it->world, "kept", id, "", "tmp", "");
    assert_string_equal(refuse(it->world, it->outbox, id, "No.").text, "");
    char *content = failed_file(it, id);
    assert_non_null(strstr(content, "Subject: s\r\n"));
    assert_null(strstr(content, "Bcc"));
    memory_free(content);
}

/* By a version that moved its copy, and was killed before it had removed what was submitted. */
static void what_was_refused_is_not_taken_back(void **state)
{
    struct outbox_world *it = *state;
    char id[OUTBOX_ID_SIZE];
    take_in(it, id);
    assert_string_equal(settle(it->world, it->outbox, id).text, "");
    world_rename(it->world, "queue", id, ".eml", "failed", ".eml");
    assert_string_equal(take_back(it, id).text, "");
    assert_int_equal(list(it, OUTBOX_IN_INTAKE).count, 0);
    assert_int_equal(list(it, OUTBOX_IN_KEPT).count, 0);
    assert_int_equal(list(it, OUTBOX_IN_FAILED).count, 1);
}

/* What may lie in failed/ is a person's: it must not be sent as well. */
static void what_may_have_been_refused_stays_where_it_is(void **state)
{
    struct outbox_world *it = *state;
    char id[OUTBOX_ID_SIZE];
    take_in(it, id);
    assert_string_equal(settle(it->world, it->outbox, id).text, "");
    world_rename(it->world, "queue", id, ".eml", "failed", ".eml");
    atomic_store(&unreadable, ".eml");
    assert_string_equal(take_back(it, id).code, "EIO");
    atomic_store(&unreadable, NULL);
    assert_int_equal(list(it, OUTBOX_IN_INTAKE).count, 0);
    assert_int_equal(list(it, OUTBOX_IN_KEPT).count, 1);
}

static void which_have_a_file_in_the_queue_is_told(void **state)
{
    struct outbox_world *it = *state;
    char id[OUTBOX_ID_SIZE];
    struct answer answer = {.world = it->world};
    take_in(it, id);
    const char *ids[] = {"01900000-0000-7000-8000-000000000001", id};
    bool found[2] = {true, false};
    outbox_look_for(it->outbox, OUTBOX_IN_QUEUE, ids, 2, found, answer_done, &answer);
    world_run(it->world);
    assert_string_equal(answer.failure.text, "");
    assert_false(found[0]);
    assert_true(found[1]);
    outbox_look_for(it->outbox, OUTBOX_IN_INTAKE, ids, 2, found, answer_done, &answer);
    world_run(it->world);
    assert_false(found[0]);
    assert_true(found[1]);
    outbox_look_for(it->outbox, OUTBOX_IN_FAILED, ids, 2, found, answer_done, &answer);
    world_run(it->world);
    assert_false(found[0] || found[1]);
    world_rename(it->world, "queue", id, ".eml", "tmp", "");
    char path[1024];
    snprintf(path, sizeof path, "%s/queue", it->world->path);
    assert_int_equal(rmdir(path), 0);
    found[1] = true;
    outbox_look_for(it->outbox, OUTBOX_IN_QUEUE, ids, 2, found, answer_done, &answer);
    world_run(it->world);
    assert_true(answer.failure.gone);
    assert_false(found[1]);
}

static void what_the_store_does_not_know_comes_again_under_its_id(void **state)
{
    struct outbox_world *it = *state;
    char id[OUTBOX_ID_SIZE], again[OUTBOX_ID_SIZE];
    take_in(it, id);
    assert_string_equal(settle(it->world, it->outbox, id).text, "");
    char path[1024];
    snprintf(path, sizeof path, "%s/failed", it->world->path);
    assert_int_equal(rmdir(path), 0); /* nothing was refused */
    assert_string_equal(take_back(it, id).text, "");
    assert_string_equal(take_back(it, id).text, ""); /* a kill came before it was known */
    take_one(it, again);
    assert_string_equal(again, id);
    struct outbox_envelope envelope = inspect(it->world, it->outbox, id);
    assert_int_equal(envelope.bcc.count, 1);
    assert_int_equal(envelope.submitter, getuid());
    outbox_envelope_release(&envelope);
}

static void ids_are_told_in_their_order(void **state)
{
    struct outbox_world *it = *state;
    static const char *const names[] = {"01900000-0000-7000-8000-000000000003.eml",
                                        "01900000-0000-7000-8000-000000000001.eml",
                                        "01900000-0000-7000-8000-000000000002.eml",
                                        "01900000-0000-7000-8000-000000000002.eml.part", "x.eml"};
    for (size_t i = 0; i < 5; i++)
        world_put(it->world, "queue", names[i], "x");
    struct answer answer = list(it, OUTBOX_IN_QUEUE);
    assert_int_equal(answer.count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(answer.ids[i][OUTBOX_ID_SIZE - 2], '1' + (int)i);
}

static void a_folder_that_is_not_there_is_told_as_such(void **state)
{
    struct outbox_world *it = *state;
    char path[1024];
    snprintf(path, sizeof path, "%s/kept", it->world->path);
    assert_int_equal(rmdir(path), 0);
    assert_true(list(it, OUTBOX_IN_KEPT).failure.gone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_an_outbox(what_is_settled_is_kept_as_it_was_submitted),
        with_an_outbox(what_was_sent_is_kept_nowhere),
        with_an_outbox(what_is_refused_on_its_way_is_kept_in_failed_alone),
        with_an_outbox(what_a_person_is_done_with_is_removed_with_its_reason),
        with_an_outbox(a_kill_while_it_is_refused_changes_nothing_in_what_a_person_gets),
        with_an_outbox(what_lies_in_failed_already_is_not_told_by_scans),
        with_an_outbox(without_what_was_submitted_a_person_gets_the_copy),
        with_an_outbox(what_was_refused_is_not_taken_back),
        with_an_outbox(what_may_have_been_refused_stays_where_it_is),
        with_an_outbox(which_have_a_file_in_the_queue_is_told),
        with_an_outbox(what_the_store_does_not_know_comes_again_under_its_id),
        with_an_outbox(ids_are_told_in_their_order),
        with_an_outbox(a_folder_that_is_not_there_is_told_as_such),
    };
    return cmocka_run_group_tests_name("mail: outbox, kept", tests, NULL, NULL);
}
