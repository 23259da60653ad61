/* How far a folder was read: passes that follow each other, and times that cannot be. */
#include "daemon/folder_progress.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define NOW INT64_C(1790000000000)

enum { HOUR_MS = 3600 * 1000, DAY_MS = 24 * HOUR_MS };

/* A folder that was looked through an hour ago. */
static struct mailbox_folder known_folder(void)
{
    return (struct mailbox_folder){
        .state = {.watermark_ms = NOW - HOUR_MS, .total = 1000, .pass_done_ms = NOW - HOUR_MS},
    };
}

static struct finder look_at(int64_t total, int64_t newest_ms)
{
    return (struct finder){.reached_end = true, .total = total, .newest_ms = newest_ms};
}

static struct finder part_until(int64_t resume_offset, int64_t total)
{
    return (struct finder){.pass = true, .resume_offset = resume_offset, .total = total};
}

static struct finder last_part(int64_t total)
{
    return (struct finder){.pass = true, .reached_end = true, .total = total};
}

static int64_t start_of_next_part(const struct mailbox_folder *folder)
{
    struct finder finder = {0};
    folder_plan(folder, &finder, true, NOW);
    assert_true(finder.pass);
    return finder.start_offset;
}

/* --- passes --- */

static bool may_forget(const struct mailbox_folder *folder)
{
    struct config config = {.ledger_keep_ms = 0};
    struct configuration configuration = {.config = &config};
    struct mailbox_folder copy = *folder;
    struct mailbox mailbox = {.configuration = &configuration, .folders = &copy, .folder_count = 1};
    int64_t before;
    return folders_forget_before(&mailbox, 0, &before);
}

static void a_pass_is_due_a_day_after_the_last(void **state)
{
    (void)state;
    struct mailbox_folder folder = known_folder();
    folder.state.pass_done_ms = NOW - DAY_MS + 1;
    assert_false(folder_pass_wanted(&folder, NOW));
    assert_true(folder_pass_wanted(&folder, NOW + 1));
}

static void a_pass_that_missed_nothing_may_forget_and_is_the_last_for_a_day(void **state)
{
    (void)state;
    struct mailbox_folder folder = known_folder();
    folder_want_pass(&folder, NOW);
    const struct finder part = part_until(500, 1000), last = last_part(1000);
    assert_true(folder_note_pass(&folder, &part, NOW));
    assert_false(may_forget(&folder));
    assert_true(folder_note_pass(&folder, &last, NOW + 5));
    assert_true(may_forget(&folder));
    assert_int_equal(folder.state.pass_done_ms, NOW + 5);
    assert_false(folder_pass_wanted(&folder, NOW + 5));
}

static void a_gap_in_any_part_forgets_nothing_and_makes_another_pass_follow(void **state)
{
    (void)state;
    for (int with_gap = 0; with_gap < 3; with_gap++) {
        struct mailbox_folder folder = known_folder();
        folder_want_pass(&folder, NOW);
        struct finder parts[] = {part_until(400, 1000), part_until(800, 1000), last_part(1000)};
        parts[with_gap].gap = true;
        for (int i = 0; i < 3; i++) {
            folder_note_pass(&folder, &parts[i], NOW);
            assert_false(may_forget(&folder));
        }
        assert_true(folder_pass_wanted(&folder, NOW));
        assert_int_equal(start_of_next_part(&folder), 0);
        /* The other one is clean, and enough. */
        const struct finder again = last_part(1000);
        folder_note_pass(&folder, &again, NOW);
        assert_true(may_forget(&folder));
        assert_false(folder_pass_wanted(&folder, NOW));
    }
}

static void a_pass_that_is_wanted_during_one_comes_after_it_and_does_not_restart_it(void **state)
{
    (void)state;
    struct mailbox_folder folder = known_folder();
    folder_want_pass(&folder, NOW);
    const struct finder part = part_until(600, 1000), last = last_part(1000);
    folder_note_pass(&folder, &part, NOW);
    folder_want_pass(&folder, NOW + 1000);
    assert_int_equal(folder.state.pass_started_ms, NOW);
    assert_int_equal(start_of_next_part(&folder), 600);
    folder_note_pass(&folder, &last, NOW + 2000);
    assert_true(folder_pass_wanted(&folder, NOW + 2000));
    assert_int_equal(start_of_next_part(&folder), 0);
    folder_note_pass(&folder, &last, NOW + 3000);
    assert_false(folder_pass_wanted(&folder, NOW + 3000));
}

static void a_pass_steps_back_by_what_was_removed_between_its_parts(void **state)
{
    (void)state;
    struct mailbox_folder folder = known_folder();
    folder_want_pass(&folder, NOW);
    const struct finder part = part_until(600, 1000);
    folder_note_pass(&folder, &part, NOW);
    assert_int_equal(start_of_next_part(&folder), 600);
    /* A look between the parts sees that the folder has shrunk. */
    const struct finder shrunk = look_at(950, NOW);
    folder_note_found(&folder, &shrunk, NOW);
    assert_int_equal(start_of_next_part(&folder), 550);
    const struct finder emptied = look_at(3, NOW);
    folder_note_found(&folder, &emptied, NOW);
    assert_int_equal(start_of_next_part(&folder), 0);
}

static void a_pass_does_not_step_forward_when_the_folder_grows(void **state)
{
    (void)state;
    struct mailbox_folder folder = known_folder();
    folder_want_pass(&folder, NOW);
    const struct finder part = part_until(600, 1000);
    folder_note_pass(&folder, &part, NOW);
    struct finder grown = look_at(1001, NOW);
    grown.found.count = 1;
    folder_note_found(&folder, &grown, NOW);
    assert_int_equal(start_of_next_part(&folder), 600);
}

/* After a restart nobody knows what was removed meanwhile. */
static void a_pass_that_goes_on_after_a_restart_forgets_nothing(void **state)
{
    (void)state;
    struct mailbox_folder folder = known_folder();
    folder.state.pass_started_ms = NOW - HOUR_MS;
    folder.state.pass_offset = 600;
    const struct finder last = last_part(1000);
    folder_note_pass(&folder, &last, NOW);
    assert_false(may_forget(&folder));
    assert_true(folder_pass_wanted(&folder, NOW));
}

static void a_pass_that_ended_in_the_future_is_wanted_again(void **state)
{
    (void)state;
    struct mailbox_folder folder = known_folder();
    folder.state.pass_done_ms = NOW + 30 * (int64_t)DAY_MS; /* by a clock that was wrong */
    assert_true(folder_pass_wanted(&folder, NOW));
    folder.state.pass_done_ms = NOW;
    assert_false(folder_pass_wanted(&folder, NOW));
}

static void nothing_is_forgotten_before_all_folders_have_had_a_pass(void **state)
{
    (void)state;
    struct config config = {.ledger_keep_ms = HOUR_MS};
    struct configuration configuration = {.config = &config};
    struct mailbox_folder folders[2] = {known_folder(), known_folder()};
    struct mailbox mailbox = {
        .configuration = &configuration, .folders = folders, .folder_count = 2};
    int64_t before;
    folders[0].pass_complete = true;
    folders[1].state.pass_done_ms = 0;
    assert_false(folders_forget_before(&mailbox, 0, &before));
    folders[1].state.pass_done_ms = NOW - DAY_MS;
    assert_true(folders_forget_before(&mailbox, 0, &before));
    assert_int_equal(before, NOW - DAY_MS - HOUR_MS);
    assert_false(folders_forget_before(&mailbox, 1, &before)); /* it had none just now */
}

/* --- what points to items that were moved in --- */

static void a_total_that_new_mail_does_not_explain_wants_a_pass(void **state)
{
    (void)state;
    struct mailbox_folder folder = known_folder();
    struct finder explained = look_at(1003, NOW);
    explained.found.count = 3;
    folder_note_found(&folder, &explained, NOW);
    assert_false(folder_pass_wanted(&folder, NOW));
    struct finder unexplained = look_at(1005, NOW);
    unexplained.found.count = 1;
    assert_true(folder_note_found(&folder, &unexplained, NOW));
    assert_true(folder_pass_wanted(&folder, NOW));
}

static void a_gap_in_a_look_wants_a_pass(void **state)
{
    (void)state;
    struct mailbox_folder folder = known_folder();
    struct finder finder = look_at(1000, NOW);
    finder.gap = true;
    assert_true(folder_note_found(&folder, &finder, NOW));
    assert_true(folder_pass_wanted(&folder, NOW));
}

static void a_server_that_tells_no_total_wants_no_pass_for_it(void **state)
{
    (void)state;
    struct mailbox_folder folder = known_folder();
    const struct finder finder = look_at(-1, NOW);
    folder_note_found(&folder, &finder, NOW);
    assert_int_equal(folder.state.total, 1000);
    assert_false(folder_pass_wanted(&folder, NOW));
}

static void the_first_look_makes_the_next_pass_due_within_a_day(void **state)
{
    (void)state;
    struct mailbox_folder folder = {.state = {.total = -1}};
    const struct finder finder = look_at(20, NOW);
    assert_false(folder_pass_wanted(&folder, NOW));
    folder_note_found(&folder, &finder, NOW);
    assert_false(folder_pass_wanted(&folder, NOW));
    assert_true(folder_pass_wanted(&folder, NOW + DAY_MS));
    assert_in_range(folder.state.pass_done_ms, NOW - DAY_MS + 1, NOW);
}

/* --- the watermark --- */

static void the_watermark_never_goes_into_the_future_nor_back(void **state)
{
    (void)state;
    struct mailbox_folder folder = known_folder();
    const struct finder future = look_at(1000, NOW + 365 * (int64_t)DAY_MS);
    folder_note_found(&folder, &future, NOW);
    assert_int_equal(folder.state.watermark_ms, NOW);
    const struct finder old = look_at(1000, NOW - DAY_MS), nothing = look_at(1000, INT64_MIN);
    folder_note_found(&folder, &old, NOW);
    folder_note_found(&folder, &nothing, NOW);
    assert_int_equal(folder.state.watermark_ms, NOW);
}

static void a_watermark_from_a_clock_that_was_wrong_hides_nothing(void **state)
{
    (void)state;
    struct mailbox_folder folder = known_folder();
    folder.state.watermark_ms = NOW + DAY_MS;
    struct finder finder = {0};
    folder_plan(&folder, &finder, false, NOW);
    assert_int_equal(finder.boundary_ms, NOW - FOLDER_OVERLAP_MS);
}

static void a_page_told_in_other_words_is_known_by_these_next_time(void **state)
{
    (void)state;
    struct mailbox_folder folder = known_folder();
    folder.has_last_page = true;
    const struct finder look = {.first_page = {.answer = {.bytes = {1}}}};
    folder_note_unchanged(&folder, &look);
    struct finder next = {0};
    folder_plan(&folder, &next, false, NOW);
    assert_true(digest_equal(&next.unchanged->answer, &look.first_page.answer));
}

/* --- a backlog --- */

static void a_backlog_moves_the_watermark_only_over_what_was_taken(void **state)
{
    (void)state;
    struct mailbox_folder folder = known_folder();
    struct item kept[2] = {{.received_ms = NOW - 50 * 60000}, {.received_ms = NOW - 55 * 60000}};
    struct finder oldest = look_at(5000, NOW);
    oldest.backlog = true;
    oldest.resume_offset = 3000;
    oldest.found = (struct item_list){.items = kept, .count = 2};
    folder_note_found(&folder, &oldest, NOW);
    assert_int_equal(folder.state.watermark_ms, NOW - 50 * 60000);
    assert_int_equal(folder.state.total, 1000); /* as it was when all was last seen */
    assert_false(folder.has_last_page);
    struct finder next = {0};
    folder_plan(&folder, &next, false, NOW);
    assert_int_equal(next.start_offset, 3000);
    assert_null(next.unchanged);
}

static void a_pass_waits_for_the_end_of_a_backlog(void **state)
{
    (void)state;
    struct mailbox_folder folder = known_folder();
    folder_want_pass(&folder, NOW);
    folder.backlog_offset = 3000;
    assert_false(folder_pass_wanted(&folder, NOW));
    folder.backlog_offset = 0;
    assert_true(folder_pass_wanted(&folder, NOW));
}

static void items_of_a_backlog_explain_the_total(void **state)
{
    (void)state;
    struct mailbox_folder folder = known_folder();
    struct item kept[1] = {{.received_ms = NOW - 50 * 60000}};
    struct finder part = look_at(1003, NOW);
    part.backlog = true;
    part.resume_offset = 2;
    part.found = (struct item_list){.items = kept, .count = 1};
    folder_note_found(&folder, &part, NOW);
    struct finder rest = look_at(1003, NOW);
    rest.found = (struct item_list){.items = kept, .count = 2};
    folder_note_found(&folder, &rest, NOW);
    assert_false(folder_pass_wanted(&folder, NOW));
    assert_int_equal(folder.state.total, 1003);
    assert_int_equal(folder.backlog_offset, 0);
    assert_int_equal(folder.backlog_items, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pass_is_due_a_day_after_the_last),
        cmocka_unit_test(a_pass_that_missed_nothing_may_forget_and_is_the_last_for_a_day),
        cmocka_unit_test(a_gap_in_any_part_forgets_nothing_and_makes_another_pass_follow),
        cmocka_unit_test(a_pass_that_is_wanted_during_one_comes_after_it_and_does_not_restart_it),
        cmocka_unit_test(a_pass_steps_back_by_what_was_removed_between_its_parts),
        cmocka_unit_test(a_pass_does_not_step_forward_when_the_folder_grows),
        cmocka_unit_test(a_pass_that_goes_on_after_a_restart_forgets_nothing),
        cmocka_unit_test(a_pass_that_ended_in_the_future_is_wanted_again),
        cmocka_unit_test(nothing_is_forgotten_before_all_folders_have_had_a_pass),
        cmocka_unit_test(a_total_that_new_mail_does_not_explain_wants_a_pass),
        cmocka_unit_test(a_gap_in_a_look_wants_a_pass),
        cmocka_unit_test(a_server_that_tells_no_total_wants_no_pass_for_it),
        cmocka_unit_test(the_first_look_makes_the_next_pass_due_within_a_day),
        cmocka_unit_test(the_watermark_never_goes_into_the_future_nor_back),
        cmocka_unit_test(a_watermark_from_a_clock_that_was_wrong_hides_nothing),
        cmocka_unit_test(a_page_told_in_other_words_is_known_by_these_next_time),
        cmocka_unit_test(a_backlog_moves_the_watermark_only_over_what_was_taken),
        cmocka_unit_test(a_pass_waits_for_the_end_of_a_backlog),
        cmocka_unit_test(items_of_a_backlog_explain_the_total),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
