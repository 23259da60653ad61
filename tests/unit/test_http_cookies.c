#include "base/clock.h"
#include "base/memory.h"
#include "http/http.h"
#include "http/http_cookies.h"
#include "http/http_headers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const int64_t NOW_MS = INT64_C(1790000000000); /* 2026-09-21T14:13:20Z */

static void set(char **cookies, const char *field)
{
    /* Without the NUL, in memory of its own: reading too far shows. */
    char *copy = memory_allocate(strlen(field) + 1);
    memcpy(copy, field, strlen(field));
    char *exact = memory_copy_bytes(copy, strlen(field));
    exact = memory_resize(exact, strlen(field) > 0 ? strlen(field) : 1);
    http_cookies_set(cookies, exact, strlen(field), NOW_MS);
    memory_free(exact);
    memory_free(copy);
}

static void expect_cookies(char **cookies, const char *expected)
{
    if (expected == NULL)
        assert_null(*cookies);
    else
        assert_string_equal(*cookies, expected);
}

static void exchange_s_cookies_are_kept(void **state)
{
    (void)state;
    char *cookies = NULL;
    set(&cookies,
        "exchangecookie=4f1e9c0b7d; expires=Tue, 21-Sep-2027 14:13:20 GMT; path=/; HttpOnly");
    set(&cookies, "X-BackEndCookie=S-1-5-21-1=u56Lnp2ejJqBx8c=; path=/EWS; secure; HttpOnly");
    expect_cookies(&cookies,
                   "exchangecookie=4f1e9c0b7d; X-BackEndCookie=S-1-5-21-1=u56Lnp2ejJqBx8c=");
    memory_free(cookies);
}

static void a_cookie_that_is_set_again_is_replaced(void **state)
{
    (void)state;
    char *cookies = memory_copy_string("a=1; b=2; c=3");
    set(&cookies, "b=new");
    expect_cookies(&cookies, "a=1; c=3; b=new");
    set(&cookies, "B=other case, other cookie");
    expect_cookies(&cookies, "a=1; c=3; b=new"); /* spaces are no part of a value */
    set(&cookies, "B=3");
    expect_cookies(&cookies, "a=1; c=3; b=new; B=3");
    memory_free(cookies);
}

static void cookies_are_removed(void **state)
{
    (void)state;
    static const char *const removals[] = {
        "a=",
        "a=x; Max-Age=0",
        "a=x; max-age=-5; Secure",
        "a=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "a=x; expires=Mon, 21-Sep-2026 14:13:19 GMT; path=/",
        "a=x; Expires=Wed, 21 Sep 2033 14:13:20 GMT; Max-Age=0",
    };
    for (size_t i = 0; i < sizeof removals / sizeof removals[0]; i++) {
        char *cookies = memory_copy_string("a=1; b=2");
        set(&cookies, removals[i]);
        expect_cookies(&cookies, "b=2");
        memory_free(cookies);
        cookies = memory_copy_string("a=1");
        set(&cookies, removals[i]);
        expect_cookies(&cookies, NULL);
    }
}

static void cookies_with_time_left_are_kept(void **state)
{
    (void)state;
    static const char *const kept[] = {
        "a=x",
        "a=x; Max-Age=1",
        "a=x; Max-Age=007",
        "a=x; Max-Age=",
        "a=x; Max-Age=soon",
        "a=x; Max-Age=99999999999999999999999999",
        "a=x; Expires=Wed, 21 Sep 2033 14:13:20 GMT",
        "a=x; Max-Age=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "a=x; Expires=whenever you like",
        "a=x; Expires",
        " a = x ;;; ;=;",
    };
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        char *cookies = NULL;
        set(&cookies, kept[i]);
        expect_cookies(&cookies, "a=x");
        memory_free(cookies);
    }
}

static void malformed_cookies_change_nothing(void **state)
{
    (void)state;
    static const char *const malformed[] = {
        "",        ";",     "=",       "=x",     "a",      "a;=x",       "a b=x",
        "a=x y",   "a\r=x", "a=x\r\n", "a=x\ty", "a=\x01", "a=\xc3\xa4", "\xff=x",
        "a\x7f=x", "a,b=x", "\"a\"=x", "a[0]=x", "(a)=x",  "{}=x",
    };
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        char *cookies = memory_copy_string("b=2");
        set(&cookies, malformed[i]);
        expect_cookies(&cookies, "b=2");
        memory_free(cookies);
    }
    char *cookies = NULL;
    http_cookies_set(&cookies, "a=x\0y", 5, NOW_MS);
    expect_cookies(&cookies, NULL);
}

static void cookies_stay_within_their_limit(void **state)
{
    (void)state;
    char *cookies = NULL;
    char field[HTTP_COOKIES_LIMIT + 64];
    for (int i = 0; i < 2000; i++) {
        snprintf(field, sizeof field, "name%d=%0100d", i, i);
        set(&cookies, field);
        assert_true(strlen(cookies) <= HTTP_COOKIES_LIMIT);
    }
    /* The newest are there, the oldest are not, and none is cut. */
    assert_non_null(strstr(cookies, "; name1999="));
    assert_null(strstr(cookies, "name0="));
    assert_int_equal(strncmp(cookies, "name", 4), 0);

    memset(field, 'v', sizeof field);
    memcpy(field, "big=", 4);
    field[HTTP_COOKIES_LIMIT + 1] = '\0';
    char *before = memory_copy_string(cookies);
    set(&cookies, field);
    expect_cookies(&cookies, before);
    field[HTTP_COOKIES_LIMIT] = '\0';
    set(&cookies, field);
    expect_cookies(&cookies, field);
    memory_free(before);
    memory_free(cookies);
}

static uint32_t retry_after(const char *value)
{
    return http_headers_retry_after(value, strlen(value), NOW_MS);
}

static void retry_after_comes_in_two_forms(void **state)
{
    (void)state;
    assert_int_equal(retry_after("120"), 120000);
    assert_int_equal(retry_after("0"), 0);
    assert_int_equal(retry_after("Mon, 21 Sep 2026 14:14:20 GMT"), 60000);
    assert_int_equal(retry_after("Monday, 21-Sep-26 14:14:20 GMT"), 60000);
    assert_int_equal(retry_after("Mon Sep 21 14:14:20 2026"), 60000);
    assert_int_equal(retry_after("Mon, 21 Sep 2026 14:13:20 GMT"), 0);
    assert_int_equal(retry_after("Thu, 01 Jan 1970 00:00:00 GMT"), 0);
    assert_int_equal(retry_after("Fri, 31 Dec 9999 23:59:59 GMT"), HTTP_RETRY_AFTER_LIMIT_MS);
    assert_int_equal(retry_after("99999999999999999999999999999"), HTTP_RETRY_AFTER_LIMIT_MS);
}

static void a_retry_after_that_says_nothing_is_no_wait(void **state)
{
    (void)state;
    static const char *const values[] = {
        "", " ", "-1", "1.5", "10 s", "0x10", "soon", "Mon", "Mon, 99 Foo 2026",
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        assert_int_equal(retry_after(values[i]), 0);
}

static void status_lines_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int status; /* -1: none */
    } lines[] = {
        {"HTTP/1.1 200 OK\r\n", 200},
        {"HTTP/1.0 503\r\n", 503},
        {"HTTP/1.1 401 \r\n", 401},
        {"HTTP/1.1 2000 OK\r\n", -1},
        {"HTTP/1.1 20\r\n", -1},
        {"HTTP/1.1\r\n", -1},
        {"HTTP/1.1 abc OK\r\n", -1},
        {"Retry-After: 1\r\n", -1},
        {"", -1},
        {"\r\n", -1},
        {"HTTP/", -1},
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        uint16_t status = 0;
        bool read = http_headers_status(lines[i].line, strlen(lines[i].line), &status);
        assert_int_equal(read, lines[i].status >= 0);
        if (read)
            assert_int_equal(status, lines[i].status);
    }
}

static void fields_are_found_without_case_and_trimmed(void **state)
{
    (void)state;
    static const char line[] = "sEt-cOOkie:  \t a=b \r\n";
    const char *value;
    size_t length;
    assert_true(http_headers_field(line, sizeof line - 1, "Set-Cookie", &value, &length));
    assert_int_equal(length, 3);
    assert_memory_equal(value, "a=b", 3);
    assert_false(http_headers_field(line, sizeof line - 1, "Set-Cookie2", &value, &length));
    assert_false(http_headers_field(line, 5, "Set-Cookie", &value, &length));
    assert_true(http_headers_field("A:", 2, "a", &value, &length));
    assert_int_equal(length, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exchange_s_cookies_are_kept),
        cmocka_unit_test(a_cookie_that_is_set_again_is_replaced),
        cmocka_unit_test(cookies_are_removed),
        cmocka_unit_test(cookies_with_time_left_are_kept),
        cmocka_unit_test(malformed_cookies_change_nothing),
        cmocka_unit_test(cookies_stay_within_their_limit),
        cmocka_unit_test(retry_after_comes_in_two_forms),
        cmocka_unit_test(a_retry_after_that_says_nothing_is_no_wait),
        cmocka_unit_test(status_lines_are_read),
        cmocka_unit_test(fields_are_found_without_case_and_trimmed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
