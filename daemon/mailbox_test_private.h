/* Shared by mailbox_test.c (impersonation, reading) and mailbox_test_send.c (sending). */
#ifndef EXSYNC_DAEMON_MAILBOX_TEST_PRIVATE_H
#define EXSYNC_DAEMON_MAILBOX_TEST_PRIVATE_H

#include "base/buffer.h"
#include "base/executor.h"
#include "base/uuid.h"
#include "daemon/claim.h"
#include "daemon/mailbox_test.h"
#include "ews/backend.h"

#include <stddef.h>

enum { MAILBOX_TEST_PLACES = 2 }; /* the Inbox and Sent Items */

struct mailbox_test {
    struct service *service;
    struct profile *profile;             /* used */
    struct configuration *configuration; /* used: `config` is its */
    const struct config_mailbox *config;
    int64_t mailbox; /* its number */
    struct mailbox_test_events events;
    struct claim claim; /* of its incoming direction, while it sends */
    bool claimed;
    struct executor_call call;
    struct executor_timer timer;
    struct backend_operation *operation; /* while the server is asked */
    struct backend_mailbox target;
    char *cookies;
    char activity[UUID_TEXT_SIZE];
    bool sends;
    struct test_step step; /* the one that is made */
    uint64_t step_ms;      /* when it began, monotonic */
    char *folder_id;

    /* Sending. */
    uint64_t number; /* of the test message */
    char id[BACKEND_TEST_ID_SIZE];
    struct buffer message;
    size_t read; /* of the message */
    struct backend_recipient recipient;
    struct failure doubt; /* why it is not known whether it was sent; not set: it was */
    uint64_t sent_ms;
    uint64_t arrived_ms; /* 0: it has not */
    uint64_t pause_ms;   /* before the next look */
    bool has_copy;       /* in Sent Items */
    size_t place;        /* the folder that is looked at */
    char **found;        /* references of test messages */
    size_t found_count;
};

void mailbox_test_begin_step(struct mailbox_test *test, enum test_kind kind);

/* Tells the step. False when the test is over with it. */
bool mailbox_test_end_step(struct mailbox_test *test, const struct failure *failure);

void mailbox_test_finish(struct mailbox_test *test);

/* --- mailbox_test_send.c --- */

/* Makes the step and finishes. */
void mailbox_test_send(struct mailbox_test *test);
void mailbox_test_release_found(struct mailbox_test *test);

#endif
