/* The command line as programs write it. */
#include "tools/exsync_submit_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { ARGUMENTS_MAX = 16 };

static char *arguments[ARGUMENTS_MAX];
static struct submit_problem problem;

/* Reads a line of words with single spaces between them; '' stands for an empty one. */
static int read_line(struct submit_options *options, const char *line)
{
    static char copy[256], empty[] = "";
    char *rest = NULL;
    int count = 0;
    snprintf(copy, sizeof copy, "%s", line);
    problem = (struct submit_problem){0};
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
        arguments[count++] = strcmp(word, "''") == 0 ? empty : word;
    arguments[count] = NULL;
    return submit_options_read(options, count, arguments, &problem);
}

static void calls_of_common_programs_are_understood(void **state)
{
    static const struct {
        const char *line;
        bool header, dots;
        const char *sender, *name;
        size_t recipients;
    } calls[] = {
        {"sendmail -i -FCronDaemon -B8BITMIME -oem root", false, true, NULL, "CronDaemon", 1},
        {"sendmail -FCronDaemon -odi -oem -oi -t", true, true, NULL, "CronDaemon", 0},
        {"/usr/sbin/sendmail -t -i", true, true, NULL, NULL, 0},
        {"sendmail -t -i -fwww@contoso.com", true, true, "www@contoso.com", NULL, 0},
        {"sendmail -oem -oi -f anna@contoso.com -- ben@contoso.com -x@contoso.com", false, true,
         "anna@contoso.com", NULL, 2},
        {"sendmail -i -r anna@contoso.com -F Anna ben@contoso.com", false, true, "anna@contoso.com",
         "Anna", 1},
        {"sendmail -ti", true, true, NULL, NULL, 0},
        {"sendmail -bm -N failure,delay -R hdrs -V id -h 3 -v -oi -O Timeout=1 a@b", false, true,
         NULL, NULL, 1},
        {"sendmail -O IgnoreDots=True a@b", false, true, NULL, NULL, 1},
        {"sendmail -O IgnoreDots=false a@b", false, false, NULL, NULL, 1},
        {"sendmail -G -f <> a@b", false, false, "", NULL, 1},
        {"sendmail -f '' -q15m a@b", false, false, "", NULL, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct submit_options options;
        if (read_line(&options, calls[i].line) != EX_OK)
            fail_msg("%s: %s", calls[i].line, problem.text);
        assert_int_equal(options.task, SUBMIT_TASK_TAKE);
        assert_int_equal(options.recipients_from_header, calls[i].header);
        assert_int_equal(options.dots_are_text, calls[i].dots);
        assert_int_equal(options.recipient_count, calls[i].recipients);
        if (calls[i].sender == NULL)
            assert_null(options.sender);
        else
            assert_string_equal(options.sender, calls[i].sender);
        if (calls[i].name == NULL)
            assert_null(options.full_name);
        else
            assert_string_equal(options.full_name, calls[i].name);
    }
}

static void what_needs_nothing_done_is_a_success(void **state)
{
    static const char *const lines[] = {"newaliases",  "/usr/bin/newaliases", "sendmail -bi",
                                        "sendmail -I", "sendmail -q",         "sendmail -q30m"};
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct submit_options options;
        assert_int_equal(read_line(&options, lines[i]), EX_OK);
        assert_int_equal(options.task, SUBMIT_TASK_NOTHING);
    }
}

static void what_cannot_be_done_is_refused_in_words(void **state)
{
    static const struct {
        const char *line;
        int status;
        const char *words;
    } lines[] = {
        {"mailq", EX_UNAVAILABLE, "exsyncctl queue list"},
        {"sendmail -bp", EX_UNAVAILABLE, "exsyncctl queue list"},
        {"sendmail -bs", EX_UNAVAILABLE, "SMTP"},
        {"sendmail -bd -q15m", EX_UNAVAILABLE, "daemon"},
        {"sendmail -bv a@b", EX_UNAVAILABLE, "addresses"},
        {"sendmail -bx a@b", EX_USAGE, "-bx"},
        {"sendmail", EX_USAGE, "-t"},
        {"sendmail -i", EX_USAGE, "no recipients"},
        {"sendmail -Z a@b", EX_USAGE, "-Z"},
        {"sendmail --nonsense a@b", EX_USAGE, "--nonsense"},
        {"sendmail -t -f", EX_USAGE, "-f"},
        {"sendmail -t --state-directory", EX_USAGE, "--state-directory"},
        {"sendmail -B BINARY a@b", EX_USAGE, "BINARY"},
        {"sendmail a@b -t", EX_USAGE, "-t stands behind"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct submit_options options;
        assert_int_equal(read_line(&options, lines[i].line), lines[i].status);
        if (strstr(problem.text, lines[i].words) == NULL)
            fail_msg("%s: %s", lines[i].line, problem.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_of_common_programs_are_understood),
        cmocka_unit_test(what_needs_nothing_done_is_a_success),
        cmocka_unit_test(what_cannot_be_done_is_refused_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
