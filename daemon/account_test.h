/* Testing a profile's account: whether the server takes its sign-in, and which version answers.
 *
 * One request for the account's own mailbox, for which nobody is impersonated. A refused sign-in
 * counts towards the lock of the account, so one that the server has just refused is not tried
 * again before its time, unless it is `forced`: then it is tried at once, as by service_try_now. An
 * account without a mailbox of its own can sign in and impersonate all the same: that is told, and
 * is no failure. */
#ifndef EXSYNC_DAEMON_ACCOUNT_TEST_H
#define EXSYNC_DAEMON_ACCOUNT_TEST_H

#include "daemon/profile.h"
#include "daemon/test_step.h"

#include <stddef.h>

enum { ACCOUNT_TEST_STEPS = 2 };

enum account_mailbox {
    ACCOUNT_MAILBOX_UNKNOWN,
    ACCOUNT_MAILBOX_THERE,
    ACCOUNT_MAILBOX_NONE,
};

struct account_test;

/* The steps that were made: all passed, or the last one failed. Valid during the call. */
typedef void account_tested(void *argument, const struct test_step *steps, size_t count,
                            enum account_mailbox own);

/* Exactly one `done`, from the loop, never from within the start. The profile is used until then.
 */
struct account_test *account_test_start(struct profile *profile, bool forced, account_tested *done,
                                        void *argument);
void account_test_cancel(struct account_test *test);

#endif
