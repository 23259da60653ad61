/* How exsyncctl prints durations, times and tables. */
#include "base/clock.h"
#include "tools/exsyncctl_output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void durations_have_their_two_largest_units(void **state)
{
    (void)state;
    static const struct {
        int64_t milliseconds;
        const char *text;
    } cases[] = {
        {-5, "0 ms"},         {0, "0 ms"},
        {999, "999 ms"},      {1000, "1 s"},
        {59999, "59 s"},      {60000, "1 min"},
        {61000, "1 min 1 s"}, {3599999, "59 min 59 s"},
        {3600000, "1 h"},     {7500000, "2 h 5 min"},
        {86400000, "1 d"},    {97200000, "1 d 3 h"},
    };
    char text[OUTPUT_TIME_SIZE];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        output_duration(text, cases[i].milliseconds);
        assert_string_equal(text, cases[i].text);
    }
}

static void times_are_told_from_now(void **state)
{
    (void)state;
    char text[OUTPUT_TIME_SIZE], utc[CLOCK_TEXT_SIZE];
    clock_format_utc(clock_wall_ms(), utc);
    output_since(text, utc);
    assert_string_equal(text, "now");
    clock_format_utc(clock_wall_ms() - 7500500, utc);
    output_since(text, utc);
    assert_string_equal(text, "2 h 5 min ago");
    clock_format_utc(clock_wall_ms() + 90500, utc);
    output_since(text, utc);
    assert_string_equal(text, "in 1 min 30 s");
    output_since(text, NULL);
    assert_string_equal(text, "-");
    output_time(text, "yesterday");
    assert_string_equal(text, "-");
    setenv("TZ", "UTC", 1);
    output_time(text, "2026-01-31T23:59:59Z");
    assert_string_equal(text, "2026-01-31 23:59:59 UTC");
}

/* What is printed meanwhile, as a string. */
static void print(const struct exsyncctl *tool, struct output_table *table, char *text, size_t size)
{
    fflush(stdout);
    int before = dup(STDOUT_FILENO);
    FILE *file = tmpfile();
    assert_non_null(file);
    dup2(fileno(file), STDOUT_FILENO);
    output_table_print(tool, table);
    fflush(stdout);
    dup2(before, STDOUT_FILENO);
    close(before);
    rewind(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

static void columns_are_as_wide_as_they_must_be(void **state)
{
    (void)state;
    static const char *const headings[] = {"MAILBOX", ">COUNT", "WHY", NULL};
    const struct exsyncctl tool = {.json = false};
    struct output_table *table = output_table_create(headings);
    char text[1024];
    output_cell(table, OUTPUT_GOOD, "ann@example.com");
    output_cell_format(table, OUTPUT_PLAIN, "%d", 7);
    output_cell(table, OUTPUT_PLAIN, "a\033[2Jb");
    output_cell(table, OUTPUT_PLAIN, "zoë@x");
    output_cell(table, OUTPUT_PLAIN, NULL);
    output_row_end(table);
    assert_int_equal(output_table_rows(table), 2);
    print(&tool, table, text, sizeof text);
    assert_string_equal(text, "MAILBOX          COUNT  WHY\n"
                              "ann@example.com      7  a [2Jb\n"
                              "zoë@x                -\n");
}

static void a_table_without_rows_is_nothing_and_colours_are_when_they_are_wanted(void **state)
{
    (void)state;
    static const char *const headings[] = {"", "", NULL};
    const struct exsyncctl tool = {.colour = true};
    char text[1024];
    print(&tool, output_table_create(headings), text, sizeof text);
    assert_string_equal(text, "");
    struct output_table *table = output_table_create(headings);
    output_cell(table, OUTPUT_GOOD, "a");
    output_cell(table, OUTPUT_PLAIN, "b");
    print(&tool, table, text, sizeof text);
    assert_string_equal(text, "\033[32ma\033[0m  b\n");
}

/* What `print` writes to standard output meanwhile; the caller's (free). */
static char *printed(void (*print_it)(const struct exsyncctl *tool))
{
    const struct exsyncctl tool = {.json = false};
    FILE *before = stdout;
    char *text = NULL;
    size_t length;
    stdout = open_memstream(&text, &length);
    assert_non_null(stdout);
    print_it(&tool);
    fclose(stdout);
    stdout = before;
    return text;
}

static void print_values(const struct exsyncctl *tool)
{
    char longer[5000];
    output_print(tool, OUTPUT_PLAIN, "\n\n%s: %d\n", "\na\nb\033[2J\n", 7);
    output_print(tool, OUTPUT_PLAIN, "\n");
    output_print(tool, OUTPUT_PLAIN, "%s", "one\n");
    output_print(tool, OUTPUT_PLAIN, "\n");
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    output_print(tool, OUTPUT_PLAIN, "%s\n", longer);
}

static void a_value_cannot_begin_a_line(void **state)
{
    (void)state;
    char *text = printed(print_values);
    const char *first = "\n\n a b [2J : 7\n\none \nxxx";
    assert_memory_equal(text, first, strlen(first));
    assert_int_equal(text[strlen(text) - 1], '\n'); /* however much was cut */
    free(text);
}

static void print_directions(const struct exsyncctl *tool)
{
    output_print(tool, OUTPUT_PLAIN, "%s\n",
                 "a\u202eb\u2066c\u2069d\u200ee\u200ff\u061cg\u202ah\u2029i");
    output_print(tool, OUTPUT_PLAIN, "%s\n", "\u200d\u2027\u202f\u2065\u206a שלום");
}

static void marks_that_turn_the_direction_do_not_reach_the_terminal(void **state)
{
    (void)state;
    char *text = printed(print_directions);
    assert_string_equal(text, "a b c d e f g h i\n\u200d\u2027\u202f\u2065\u206a שלום\n");
    free(text);
}

static void print_paragraphs(const struct exsyncctl *tool)
{
    output_paragraph(tool, OUTPUT_PLAIN, 4,
                     "Words go on  until the line is full, with one blank between them\nwhatever "
                     "stood there, and then go on in the next line.");
    output_paragraph(tool, OUTPUT_PLAIN, 2, "");
}

static void a_paragraph_is_filled_into_lines_behind_its_indent(void **state)
{
    (void)state;
    char *text = printed(print_paragraphs);
    assert_string_equal(text, "    Words go on until the line is full, with one blank between them "
                              "whatever\n    stood there, and then go on in the next line.\n\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_have_their_two_largest_units),
        cmocka_unit_test(times_are_told_from_now),
        cmocka_unit_test(columns_are_as_wide_as_they_must_be),
        cmocka_unit_test(a_value_cannot_begin_a_line),
        cmocka_unit_test(marks_that_turn_the_direction_do_not_reach_the_terminal),
        cmocka_unit_test(a_paragraph_is_filled_into_lines_behind_its_indent),
        cmocka_unit_test(a_table_without_rows_is_nothing_and_colours_are_when_they_are_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
