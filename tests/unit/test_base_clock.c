#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void assert_reads_as(const char *text, int64_t expected)
{
    int64_t ms = -1;
    if (clock_parse_utc(text, strlen(text), &ms) != 0)
        fail_msg("\"%s\" was not read", text);
    assert_int_equal(ms, expected);
}

static void assert_refused(const char *text)
{
    int64_t ms = 4711;
    if (clock_parse_utc(text, strlen(text), &ms) != -1)
        fail_msg("\"%s\" was read as a time", text);
    assert_int_equal(ms, 4711);
}

static void assert_writes_as(int64_t ms, const char *expected)
{
    char text[CLOCK_TEXT_SIZE];
    clock_format_utc(ms, text);
    assert_string_equal(text, expected);
}

static void milliseconds_are_written_only_when_there_are_some(void **state)
{
    (void)state;
    assert_writes_as(0, "1970-01-01T00:00:00Z");
    assert_writes_as(1, "1970-01-01T00:00:00.001Z");
    assert_writes_as(INT64_C(1709210096789), "2024-02-29T12:34:56.789Z");
    assert_writes_as(-1, "1969-12-31T23:59:59.999Z");
}

static void times_beyond_four_digit_years_become_the_nearest_that_can_be_written(void **state)
{
    (void)state;
    assert_writes_as(INT64_MAX, "9999-12-31T23:59:59.999Z");
    assert_writes_as(INT64_MIN, "0001-01-01T00:00:00Z");
}

static void every_day_is_written_as_the_c_library_writes_it(void **state)
{
    (void)state;
    for (int64_t day = -719162; day <= 2932896; day += 7) {
        time_t seconds = (time_t)(day * 86400 + 45296);
        struct tm parts;
        gmtime_r(&seconds, &parts);
        char text[CLOCK_TEXT_SIZE];
        clock_format_utc((int64_t)seconds * 1000, text);
        int year =
            (text[0] - '0') * 1000 + (text[1] - '0') * 100 + (text[2] - '0') * 10 + (text[3] - '0');
        assert_int_equal(year, parts.tm_year + 1900);
        assert_int_equal((text[5] - '0') * 10 + (text[6] - '0'), parts.tm_mon + 1);
        assert_int_equal((text[8] - '0') * 10 + (text[9] - '0'), parts.tm_mday);
        assert_string_equal(text + 10, "T12:34:56Z");
        assert_reads_as(text, (int64_t)seconds * 1000);
    }
}

static void fractions_and_zones_are_understood(void **state)
{
    (void)state;
    assert_reads_as("2024-02-29T12:34:56Z", INT64_C(1709210096000));
    assert_reads_as("2024-02-29T12:34:56", INT64_C(1709210096000));
    assert_reads_as("2024-02-29T12:34:56.7Z", INT64_C(1709210096700));
    assert_reads_as("2024-02-29T12:34:56.7891234Z", INT64_C(1709210096789));
    assert_reads_as("2024-02-29T13:34:56+01:00", INT64_C(1709210096000));
    assert_reads_as("2024-02-29T07:04:56-05:30", INT64_C(1709210096000));
    assert_reads_as("2024-02-29T24:00:00Z", INT64_C(1709251200000));
    assert_reads_as("0001-01-01T00:00:00Z", INT64_C(-62135596800000));
}

static void a_plain_date_is_its_midnight(void **state)
{
    (void)state;
    assert_reads_as("2024-02-29", INT64_C(1709164800000));
    assert_reads_as("2024-02-29Z", INT64_C(1709164800000));
    assert_reads_as("2024-02-29+01:00", INT64_C(1709161200000));
    assert_reads_as("1900-03-01", INT64_C(-2203891200000));
}

static void blanks_around_a_time_do_not_matter(void **state)
{
    (void)state;
    assert_reads_as(" \r\n2024-02-29T12:34:56Z\t ", INT64_C(1709210096000));
}

static void what_is_no_time_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        " ",
        "today",
        "2024",
        "2024-02",
        "2024-2-9",
        "2024-13-01",
        "2024-00-01",
        "2023-02-29",
        "1900-02-29",
        "2024-04-31",
        "2024-01-00",
        "0000-01-01",
        "-001-01-01",
        "12024-01-01",
        "2024-01-01T",
        "2024-01-01T12:00",
        "2024-01-01T12:00:60Z",
        "2024-01-01T12:60:00Z",
        "2024-01-01T25:00:00Z",
        "2024-01-01T24:00:01Z",
        "2024-01-01T12:00:00.Z",
        "2024-01-01T12:00:00ZZ",
        "2024-01-01T12:00:00+1:00",
        "2024-01-01T12:00:00+15:00",
        "2024-01-01T12:00:00+14:01",
        "2024-01-01T12:00:00 +01:00",
        "2024-01-01 12:00:00Z",
        "2024-01-01t12:00:00z",
        "2024-01-01T12:00:00Z x",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_refused(wrong[i]);
}

static void only_the_given_length_is_read(void **state)
{
    (void)state;
    int64_t ms;
    assert_int_equal(clock_parse_utc("2024-02-29T12:34:56Z", 10, &ms), 0);
    assert_int_equal(ms, INT64_C(1709164800000));
    char exact[10]; /* nothing behind it that a reader could run into */
    memcpy(exact, "2024-02-29", sizeof exact);
    assert_int_equal(clock_parse_utc(exact, sizeof exact, &ms), 0);
}

static void the_monotonic_clock_never_goes_back(void **state)
{
    (void)state;
    uint64_t last = clock_monotonic_ms();
    for (int i = 0; i < 10000; i++) {
        uint64_t now = clock_monotonic_ms();
        assert_true(now >= last);
        last = now;
    }
    assert_true(clock_wall_ms() > INT64_C(1700000000000));
}

static void local_times_name_their_zone(void **state)
{
    char text[CLOCK_LOCAL_SIZE];
    (void)state;
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    clock_format_local(INT64_C(1769900399999), text);
    assert_string_equal(text, "2026-01-31 23:59:59 CET");
    clock_format_local(-1, text);
    assert_string_equal(text, "1970-01-01 00:59:59 CET");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(milliseconds_are_written_only_when_there_are_some),
        cmocka_unit_test(times_beyond_four_digit_years_become_the_nearest_that_can_be_written),
        cmocka_unit_test(every_day_is_written_as_the_c_library_writes_it),
        cmocka_unit_test(local_times_name_their_zone),
        cmocka_unit_test(fractions_and_zones_are_understood),
        cmocka_unit_test(a_plain_date_is_its_midnight),
        cmocka_unit_test(blanks_around_a_time_do_not_matter),
        cmocka_unit_test(what_is_no_time_is_refused_and_changes_nothing),
        cmocka_unit_test(only_the_given_length_is_read),
        cmocka_unit_test(the_monotonic_clock_never_goes_back),
    };
    return cmocka_run_group_tests_name("base/clock", tests, NULL, NULL);
}
