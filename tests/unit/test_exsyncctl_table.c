/* Tables as they are printed where there is no terminal. */
#include "tools/exsyncctl_output.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *printed; /* freed by the next one, and at the end */

static const char *print(struct output_table *table, bool colour)
{
    const struct exsyncctl tool = {.colour = colour};
    FILE *before = stdout;
    size_t length;
    free(printed);
    stdout = open_memstream(&printed, &length);
    assert_non_null(stdout);
    output_table_print(&tool, table);
    fclose(stdout);
    stdout = before;
    return printed;
}

static const char *const headings[] = {"NAME", ">COUNT", "WORDS", NULL};

static void columns_are_as_wide_as_what_is_in_them(void **state)
{
    (void)state;
    struct output_table *table = output_table_create(headings);
    output_cell(table, OUTPUT_PLAIN, "a");
    output_cell(table, OUTPUT_PLAIN, "7");
    output_cell(table, OUTPUT_PLAIN, "some words");
    output_cell(table, OUTPUT_PLAIN, "a long name");
    output_cell_format(table, OUTPUT_BAD, "%d", 1234567);
    output_cell(table, OUTPUT_PLAIN, NULL);
    assert_string_equal(print(table, false), "NAME           COUNT  WORDS\n"
                                             "a                  7  some words\n"
                                             "a long name  1234567  -\n");
}

static void no_row_ends_in_blanks(void **state)
{
    (void)state;
    struct output_table *table = output_table_create(headings);
    output_cell(table, OUTPUT_PLAIN, "name");
    output_cell(table, OUTPUT_PLAIN, "1");
    output_cell(table, OUTPUT_PLAIN, "");
    output_cell(table, OUTPUT_PLAIN, "other");
    output_row_end(table);
    assert_int_equal(output_table_rows(table), 2);
    assert_string_equal(print(table, false), "NAME   COUNT  WORDS\n"
                                             "name       1\n"
                                             "other\n");
}

static void wide_and_combining_characters_take_the_room_that_they_take(void **state)
{
    (void)state;
    struct output_table *table = output_table_create(headings);
    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
        skip();
    output_cell(table, OUTPUT_PLAIN, "\u682a\u5f0f"); /* two characters, four columns */
    output_cell(table, OUTPUT_PLAIN, "1");
    output_cell(table, OUTPUT_PLAIN, "w");
    output_cell(table, OUTPUT_PLAIN, "Mu\u0308"); /* three characters, two columns */
    output_cell(table, OUTPUT_PLAIN, "2");
    output_cell(table, OUTPUT_PLAIN, "w");
    assert_string_equal(print(table, false), "NAME  COUNT  WORDS\n"
                                             "\u682a\u5f0f      1  w\n"
                                             "Mu\u0308        2  w\n");
}

static void colours_stand_around_the_words_alone(void **state)
{
    (void)state;
    static const char *const unnamed[] = {"", "", NULL};
    struct output_table *table = output_table_create(unnamed);
    output_cell(table, OUTPUT_BAD, "bad");
    output_cell(table, OUTPUT_PLAIN, "plain\n\033[2J");
    assert_string_equal(print(table, true), "\033[31mbad\033[0m  plain  [2J\n");
}

static void a_table_without_rows_is_nothing(void **state)
{
    (void)state;
    assert_string_equal(print(output_table_create(headings), false), "");
    free(printed);
    printed = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_as_wide_as_what_is_in_them),
        cmocka_unit_test(no_row_ends_in_blanks),
        cmocka_unit_test(wide_and_combining_characters_take_the_room_that_they_take),
        cmocka_unit_test(colours_stand_around_the_words_alone),
        cmocka_unit_test(a_table_without_rows_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
