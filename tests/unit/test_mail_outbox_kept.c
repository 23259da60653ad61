/* What was submitted is kept beside its copy, until it was sent: for a store that is put back. */
#define _GNU_SOURCE
#include "outbox_world.h"

static const struct outbox_edit unchanged = {0};
static const char text[] = "From: a@b\nTo: c@d\nBcc: e@f\nSubject: s\n\nbody\n";

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
    outbox_take_back(it->outbox, id, answer_done, &answer);
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

static void what_is_refused_on_its_way_is_kept_in_failed_alone(void **state)
{
    struct outbox_world *it = *state;
    char id[OUTBOX_ID_SIZE];
    take_in(it, id);
    assert_string_equal(settle(it->world, it->outbox, id).text, "");
    assert_string_equal(refuse(it->world, it->outbox, id, "No.").text, "");
    assert_int_equal(list(it, OUTBOX_IN_KEPT).count, 0);
    assert_int_equal(list(it, OUTBOX_IN_QUEUE).count, 0);
    struct answer failed = list(it, OUTBOX_IN_FAILED);
    assert_int_equal(failed.count, 1);
    assert_string_equal(failed.ids[0], id);
}

static void what_the_store_does_not_know_comes_again_under_its_id(void **state)
{
    struct outbox_world *it = *state;
    char id[OUTBOX_ID_SIZE], again[OUTBOX_ID_SIZE];
    take_in(it, id);
    assert_string_equal(settle(it->world, it->outbox, id).text, "");
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
        with_an_outbox(what_the_store_does_not_know_comes_again_under_its_id),
        with_an_outbox(ids_are_told_in_their_order),
        with_an_outbox(a_folder_that_is_not_there_is_told_as_such),
    };
    return cmocka_run_group_tests_name("mail: outbox, kept", tests, NULL, NULL);
}
