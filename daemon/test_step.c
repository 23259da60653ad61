#include "daemon/test_step.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *test_kind_name(enum test_kind kind)
{
    static const char *const names[] = {
        [TEST_NAME] = "name lookup",
        [TEST_CONNECTION] = "connection",
        [TEST_TLS] = "TLS",
        [TEST_HTTP] = "HTTP",
        [TEST_SIGN_IN] = "authentication",
        [TEST_VERSION] = "EWS version",
        [TEST_IMPERSONATION] = "impersonation",
        [TEST_READING] = "reading",
        [TEST_SENDING] = "sending",
    };
    return names[kind];
}

const char *test_result_name(enum test_result result)
{
    static const char *const names[] = {
        [TEST_PASSED] = "passed",
        [TEST_FAILED] = "failed",
        [TEST_LEFT_OUT] = "left out",
    };
    return names[result];
}

void test_step_detail(struct test_step *step, const char *format, ...)
{
    char words[TEST_DETAIL_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    text_copy_line(step->detail, sizeof step->detail, words, strlen(words));
}

void test_step_fail(struct test_step *step, const struct failure *failure)
{
    step->result = TEST_FAILED;
    step->failure = *failure;
}
