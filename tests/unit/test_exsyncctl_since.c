/* Times in the past as people type them. */
#include "tools/exsyncctl_since.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static const int64_t NOW = 1769846400000; /* 2026-01-31T08:00:00Z */
static const int64_t HOUR = 3600000;

static int64_t parsed(const char *text)
{
    int64_t since_ms = -1;
    if (!since_parse(text, NOW, &since_ms))
        return INT64_MIN;
    return since_ms;
}

static void a_duration_is_so_long_ago(void **state)
{
    (void)state;
    assert_int_equal(parsed("2h"), NOW - 2 * HOUR);
    assert_int_equal(parsed("3d"), NOW - 72 * HOUR);
    assert_int_equal(parsed("1w"), NOW - 168 * HOUR);
    assert_int_equal(parsed("90min"), NOW - 90 * 60000);
    assert_int_equal(parsed("90m"), NOW - 90 * 60000);
    assert_int_equal(parsed("0s"), NOW);
}

static void a_time_without_a_zone_is_local(void **state)
{
    (void)state;
    assert_int_equal(parsed("2026-01-31"), NOW - 9 * HOUR);
    assert_int_equal(parsed("2026-01-31 09:00"), NOW);
    assert_int_equal(parsed("2026-01-31T09:00:01"), NOW + 1000);
}

static void a_time_with_a_zone_is_what_it_says(void **state)
{
    (void)state;
    assert_int_equal(parsed("2026-01-31T08:00:00Z"), NOW);
    assert_int_equal(parsed("2026-01-31T10:00:00+02:00"), NOW);
}

static void everything_else_is_no_time(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "yesterday",
        "2",
        "h",
        "-2h",
        "2 h",
        "2y",
        "2026-02-30",
        "2026-13-01",
        "2026",
        "2hh",
        "99999999999999999999d",
        "2026-01-31x",
        "2026-01-31 25:00",
        "T",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (parsed(wrong[i]) != INT64_MIN)
            fail_msg("\"%s\" was taken for a time", wrong[i]);
    }
}

int main(void)
{
    setenv("TZ", "XYZ-1", 1); /* an hour before UTC, all the year */
    tzset();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_duration_is_so_long_ago),
        cmocka_unit_test(a_time_without_a_zone_is_local),
        cmocka_unit_test(a_time_with_a_zone_is_what_it_says),
        cmocka_unit_test(everything_else_is_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
