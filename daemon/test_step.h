/* The steps of "Test & Enable", in the order in which they are made: those of a profile (its server
 * and its account), then those of each of its mailboxes. */
#ifndef EXSYNC_DAEMON_TEST_STEP_H
#define EXSYNC_DAEMON_TEST_STEP_H

#include "base/failure.h"

#include <stdbool.h>
#include <stdint.h>

enum test_kind {
    TEST_NAME,
    TEST_CONNECTION,
    TEST_TLS,
    TEST_HTTP,
    TEST_SIGN_IN,
    TEST_VERSION,
    TEST_IMPERSONATION,
    TEST_READING,
    TEST_SENDING,
};

enum test_result { TEST_PASSED, TEST_FAILED, TEST_LEFT_OUT };

enum { TEST_DETAIL_SIZE = 1024 };

struct test_step {
    enum test_kind kind;
    enum test_result result;
    uint32_t elapsed_ms;
    char detail[TEST_DETAIL_SIZE]; /* what was seen, or why it was left out; "" */
    struct failure failure;        /* when it failed */
    bool has_expiry;               /* of the server's certificate, with TEST_TLS: */
    int64_t expires_ms;            /* wall time */
    int64_t days_left;             /* whole ones; negative: it has expired */
};

/* "name lookup", "TLS", ... Static. */
const char *test_kind_name(enum test_kind kind);

/* "passed", "failed", "left out". Static. */
const char *test_result_name(enum test_result result);

/* `detail` is formatted; it passes unless `failure` is set. */
void test_step_detail(struct test_step *step, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Says that the step has failed. */
void test_step_fail(struct test_step *step, const struct failure *failure);

#endif
