/* A backlog in new/: looked at once for many scans, and taken in the order in which it came. */
#include "mail_faults.h"

#include "outbox_world.h"

#include <limits.h>

static atomic_uint looks; /* at single files */

int fstatat(int fd, const char *restrict name, struct stat *restrict status, int flags)
{
    atomic_fetch_add(&looks, 1);
    return (int)syscall(SYS_newfstatat, fd, name, status, flags);
}

static void put(const struct outbox_world *it, unsigned number)
{
    char name[32], text[64];
    snprintf(name, sizeof name, "%05u", number);
    snprintf(text, sizeof text, "From: a@b\nSubject: %u\n\nx\n", number);
    world_put(it->world, "new", name, text);
}

/* One scan: whether there are more. Those that came are settled, and have the numbers from *next on
 * except for one that is not there. */
static bool scan_in_order(struct outbox_world *it, unsigned *next, unsigned missing,
                          const char *code)
{
    struct answer answer;
    scan(it->world, it->outbox, &answer);
    assert_string_equal(answer.failure.code, code);
    for (size_t i = 0; i < answer.count; i++) {
        char number[16];
        *next += *next == missing;
        snprintf(number, sizeof number, "%u", (*next)++);
        struct outbox_envelope envelope = inspect(it->world, it->outbox, answer.ids[i]);
        assert_string_equal(envelope.subject, number);
        outbox_envelope_release(&envelope);
        settle(it->world, it->outbox, answer.ids[i]);
    }
    return answer.more;
}

static void many_scans_look_once_at_what_waits(void **state)
{
    struct outbox_world *it = *state;
    enum { SCANS = 5, COUNT = SCANS * OUTBOX_SCAN_MAX };
    struct answer answer = {.more = true};
    for (unsigned i = 0; i < COUNT; i++)
        put(it, i);
    unsigned taken = 0;
    atomic_store(&looks, 0);
    while (answer.more) {
        scan(it->world, it->outbox, &answer);
        taken += (unsigned)answer.count;
        for (size_t i = 0; i < answer.count; i++)
            settle(it->world, it->outbox, answer.ids[i]);
    }
    assert_int_equal(taken, COUNT);
    assert_in_range(atomic_load(&looks), COUNT, COUNT + COUNT / 10);
}

static void what_comes_meanwhile_comes_after_what_waits(void **state)
{
    struct outbox_world *it = *state;
    enum { COUNT = OUTBOX_SCAN_MAX + 50 };
    unsigned next = 0;
    for (unsigned i = 0; i < COUNT; i++)
        put(it, i);
    assert_true(scan_in_order(it, &next, COUNT, ""));
    put(it, COUNT);
    assert_true(scan_in_order(it, &next, UINT_MAX, "")); /* the rest; perhaps there are others */
    assert_int_equal(next, COUNT);
    assert_false(scan_in_order(it, &next, UINT_MAX, ""));
    assert_int_equal(next, COUNT + 1);
}

static void what_somebody_takes_away_meanwhile_holds_up_nobody(void **state)
{
    struct outbox_world *it = *state;
    enum { COUNT = OUTBOX_SCAN_MAX + 50, MISSING = OUTBOX_SCAN_MAX + 7 };
    unsigned next = 0;
    char path[1024];
    for (unsigned i = 0; i < COUNT; i++)
        put(it, i);
    assert_true(scan_in_order(it, &next, UINT_MAX, ""));
    snprintf(path, sizeof path, "%s/new/%05u", it->world->path, (unsigned)MISSING);
    assert_int_equal(unlink(path), 0);
    assert_true(scan_in_order(it, &next, MISSING, ""));
    assert_int_equal(next, COUNT);
    assert_false(scan_in_order(it, &next, UINT_MAX, ""));
}

static void a_folder_is_told_by_each_scan_that_goes_by_the_look_that_met_it(void **state)
{
    struct outbox_world *it = *state;
    enum { COUNT = OUTBOX_SCAN_MAX + 50 };
    unsigned next = 0;
    char path[1024];
    snprintf(path, sizeof path, "%s/new/folder", it->world->path);
    assert_int_equal(mkdir(path, 0), 0);
    for (unsigned i = 0; i < COUNT; i++)
        put(it, i);
    assert_true(scan_in_order(it, &next, UINT_MAX, "EISDIR"));
    assert_true(scan_in_order(it, &next, UINT_MAX, "EISDIR"));
    assert_false(scan_in_order(it, &next, UINT_MAX, "EISDIR"));
    assert_int_equal(rmdir(path), 0);
    assert_false(scan_in_order(it, &next, UINT_MAX, ""));
    assert_int_equal(next, COUNT);
}

static atomic_bool refuses;

static int refuse_renames(enum call call, int fd, const char *name)
{
    (void)fd;
    (void)name;
    return call == CALL_RENAMEAT && atomic_load(&refuses) ? EROFS : FAULT_NONE;
}

static void what_could_not_be_taken_comes_first_again(void **state)
{
    struct outbox_world *it = *state;
    enum { COUNT = OUTBOX_SCAN_MAX + 50 };
    unsigned next = 0;
    for (unsigned i = 0; i < COUNT; i++)
        put(it, i);
    fault_clear();
    atomic_store(&refuses, true);
    atomic_store(&fault_hook, refuse_renames);
    assert_true(scan_in_order(it, &next, UINT_MAX, "EROFS"));
    assert_int_equal(next, 0);
    fault_clear();
    while (scan_in_order(it, &next, UINT_MAX, ""))
        ;
    assert_int_equal(next, COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_an_outbox(many_scans_look_once_at_what_waits),
        with_an_outbox(what_comes_meanwhile_comes_after_what_waits),
        with_an_outbox(what_somebody_takes_away_meanwhile_holds_up_nobody),
        with_an_outbox(a_folder_is_told_by_each_scan_that_goes_by_the_look_that_met_it),
        with_an_outbox(what_could_not_be_taken_comes_first_again),
    };
    return cmocka_run_group_tests_name("mail: a backlog in the outbox", tests, NULL, NULL);
}
