/* Testing one mailbox: impersonation, reading, sending.
 *
 * The test of sending sends the "Test Message" from the mailbox to itself, waits until it is in the
 * Inbox, and removes it there and in Sent Items. It never comes to the consumer:
 *
 *   while it is under way the mailbox's incoming direction is claimed (claim.h)
 *   otherwise             the message bears an id of this daemon's test messages (backend_test_id)
 *                         in a property of its own and in its Message-ID, and whoever looks for new
 *                         mail passes over what bears one (find.h)
 *
 * So nothing needs to be remembered of a test: after a kill in its middle, or when the message
 * arrives after the test was given up, it is left where it is. A test that comes
 * MAILBOX_TEST_LEFT_MS later removes it, if it is still among the newest messages. */
#ifndef EXSYNC_DAEMON_MAILBOX_TEST_H
#define EXSYNC_DAEMON_MAILBOX_TEST_H

#include "daemon/mailbox.h"
#include "daemon/test_step.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    MAILBOX_TEST_ARRIVAL_MS = 60 * 1000,   /* the message must be in the Inbox by then, */
    MAILBOX_TEST_COPY_MS = 5 * 1000,       /* and so much later its copy in Sent Items */
    MAILBOX_TEST_LEFT_MS = 10 * 60 * 1000, /* older ones are no longer waited for */
};

struct service;
struct mailbox_test;

/* Who wants to know. Each step is told as it ends; it is valid during the call. */
struct mailbox_test_events {
    void (*step)(void *argument, const struct test_step *step);
    void (*done)(void *argument); /* exactly once, and last */
    void *argument;
};

/* Tests the mailbox as it is configured now, switched off or not. `sends` false leaves sending out;
 * one with outgoing = no does not send either. Ends with the first step that fails. Nothing is told
 * from within the start. */
struct mailbox_test *mailbox_test_start(struct service *service, const struct mailbox *mailbox,
                                        bool sends, const struct mailbox_test_events *events);

/* Nothing more is told. A message that was sent is left where it is. */
void mailbox_test_cancel(struct mailbox_test *test);

#endif
