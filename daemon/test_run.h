/* "Test & Enable" of many mailboxes at once.
 *
 * The server and the account of each profile are tested once, then its mailboxes, so many at a time
 * that its budget of connections is used and cycles still have their turn: the requests of tests
 * and of cycles wait in one queue, in the order in which they came. When a profile fails, its
 * mailboxes have failed with it and are not asked for. Mailboxes that leave the configuration
 * meanwhile are passed over. */
#ifndef EXSYNC_DAEMON_TEST_RUN_H
#define EXSYNC_DAEMON_TEST_RUN_H

#include "daemon/test_step.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct service;
struct test_run;

struct test_run_options {
    const char *address; /* one mailbox, in lower case; or */
    const char *profile; /* all of this profile; NULL for both: all */
    bool sends;
    bool forced; /* a sign-in that was refused is tried at once */
};

/* All pointers are valid during the call only. */
struct test_run_outcome {
    const char *address;
    const char *profile;
    bool passed;
    uint32_t elapsed_ms;           /* of the mailbox's own steps */
    const struct test_step *cause; /* the step that failed, the profile's perhaps; NULL: none */
};

struct test_run_events {
    /* Whether more can be told. False: nothing more is begun until test_run_go_on. */
    bool (*ready)(void *argument);
    /* A step of the mailbox, or of the profile when `address` is NULL. */
    void (*step)(void *argument, const char *profile, const char *address,
                 const struct test_step *step);
    /* A mailbox is through. */
    void (*outcome)(void *argument, const struct test_run_outcome *outcome);
    void (*done)(void *argument); /* exactly once, and last */
    void *argument;
};

/* NULL when the options name nothing that is configured. Nothing is told from within the start. */
struct test_run *test_run_start(struct service *service, const struct test_run_options *options,
                                const struct test_run_events *events);

/* More can be told again. */
void test_run_go_on(struct test_run *run);

/* How many mailboxes, on how many profiles. */
size_t test_run_mailboxes(const struct test_run *run);
size_t test_run_profiles(const struct test_run *run);

/* Nothing more is told. */
void test_run_cancel(struct test_run *run);

#endif
