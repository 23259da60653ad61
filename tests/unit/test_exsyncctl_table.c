/* Tables as they are printed, and made to fit where there is a terminal. */
#include "tools/exsyncctl_output.h"

#include <locale.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

static char *printed; /* freed by the next one, and at the end */

static const char *print_as(const struct exsyncctl *tool, struct output_table *table)
{
    FILE *before = stdout;
    size_t length;
    free(printed);
    stdout = open_memstream(&printed, &length);
    assert_non_null(stdout);
    output_table_print(tool, table);
    fclose(stdout);
    stdout = before;
    return printed;
}

static const char *print(struct output_table *table, bool colour)
{
    const struct exsyncctl tool = {.colour = colour};
    return print_as(&tool, table);
}

/* On a terminal of so many columns. */
static const char *print_within(struct output_table *table, unsigned short columns)
{
    const struct exsyncctl tool = {.terminal = true};
    const struct winsize size = {.ws_row = 24, .ws_col = columns};
    int master, terminal, before = dup(STDOUT_FILENO);
    assert_int_equal(openpty(&master, &terminal, NULL, NULL, &size), 0);
    fflush(stdout);
    dup2(terminal, STDOUT_FILENO);
    const char *text = print_as(&tool, table);
    dup2(before, STDOUT_FILENO);
    close(before);
    close(terminal);
    close(master);
    return text;
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
    output_cell(table, OUTPUT_PLAIN, "\u682a\u0378"); /* the second is not known to anybody */
    output_cell(table, OUTPUT_PLAIN, "3");
    output_cell(table, OUTPUT_PLAIN, "w");
    assert_string_equal(print(table, false), "NAME  COUNT  WORDS\n"
                                             "\u682a\u5f0f      1  w\n"
                                             "Mu\u0308        2  w\n"
                                             "\u682a\u0378       3  w\n");
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

/* --- on a terminal --- */

static struct output_table *create_with(const char *mailbox, const char *trouble)
{
    static const char *const marked[] = {"*MAILBOX",  "2PROFILE", "STATE",
                                         "1>WAITING", "TROUBLE",  NULL};
    struct output_table *table = output_table_create(marked);
    const char *const cells[] = {mailbox, "Contoso", "ok", "12", trouble};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        output_cell(table, OUTPUT_PLAIN, cells[i]);
    return table;
}

static const char MAILBOX[] = "anna.of.some.department@example.com"; /* 35 */
static const char TROUBLE[] = "ErrorAccessDenied: this sentence goes on and on";

static void what_fits_the_terminal_is_neither_cut_nor_left_out(void **state)
{
    (void)state;
    const char *wanted = print(create_with(MAILBOX, TROUBLE), false);
    char whole[512];
    snprintf(whole, sizeof whole, "%s", wanted);
    assert_string_equal(print_within(create_with(MAILBOX, TROUBLE), 109), whole);
}

static void columns_go_in_the_order_that_their_table_says(void **state)
{
    (void)state;
    setlocale(LC_CTYPE, "C.UTF-8");
    assert_string_equal(print_within(create_with(MAILBOX, TROUBLE), 86),
                        "MAILBOX                              PROFILE  STATE  WAITING  TROUBLE\n"
                        "anna.of.some.department@example.com  Contoso  ok          12  "
                        "ErrorAccessDenied: this…\n");
    assert_string_equal(print_within(create_with(MAILBOX, TROUBLE), 85),
                        "MAILBOX                              PROFILE  STATE  TROUBLE\n"
                        "anna.of.some.department@example.com  Contoso  ok     "
                        "ErrorAccessDenied: this sentenc…\n");
    assert_string_equal(print_within(create_with(MAILBOX, TROUBLE), 70),
                        "MAILBOX                              STATE  TROUBLE\n"
                        "anna.of.some.department@example.com  ok     ErrorAccessDenied: this s…\n");
}

static void a_key_is_never_cut_and_sticks_out_when_it_is_too_long(void **state)
{
    (void)state;
    static const char *const marked[] = {"*MAILBOX", "STATE", "TROUBLE", NULL};
    static const char *const cells[] = {
        "an.address.that.is.really.very.long.indeed@department.example.com",
        "ok",
        "some trouble",
        "ben@example.com",
        "failing",
        "ErrorAccessDenied: this sentence goes on and on"};
    struct output_table *table = output_table_create(marked);
    setlocale(LC_CTYPE, "C.UTF-8");
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        output_cell(table, OUTPUT_PLAIN, cells[i]);
    assert_string_equal(
        print_within(table, 80),
        "MAILBOX                                   STATE    TROUBLE\n"
        "an.address.that.is.really.very.long.indeed@department.example.com  ok  some tro…\n"
        "ben@example.com                           failing  ErrorAccessDenied: this sent…\n");
    assert_non_null(strstr(print_within(create_with(MAILBOX, TROUBLE), 20), MAILBOX));
}

static void where_there_is_no_terminal_nothing_is_cut(void **state)
{
    (void)state;
    char long_text[3000];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    assert_non_null(strstr(print(create_with(MAILBOX, long_text), false), long_text));
    struct output_table *table = output_table_create(headings);
    output_cell_format(table, OUTPUT_PLAIN, "%s", long_text);
    assert_non_null(strstr(print(table, false), long_text));
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
        cmocka_unit_test(what_fits_the_terminal_is_neither_cut_nor_left_out),
        cmocka_unit_test(columns_go_in_the_order_that_their_table_says),
        cmocka_unit_test(a_key_is_never_cut_and_sticks_out_when_it_is_too_long),
        cmocka_unit_test(where_there_is_no_terminal_nothing_is_cut),
        cmocka_unit_test(a_table_without_rows_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
