/* Finding out which case a refused impersonation is, by asking.
 *
 *   server    from outside, without credentials (server_test.h)
 *   account   signs in, for its own mailbox (account_test.h)
 *   mailbox   DIAGNOSIS_TRIES times, each on a connection of its own: behind a load balancer each
 *             may come to another server
 *   others    if the mailbox is refused or unknown: up to DIAGNOSIS_OTHERS others of the profile,
 *             chosen at random, to tell a role that is missing from a scope, and a mailbox that
 *             does not exist from a server that is the wrong one
 *
 * Nothing is changed in Exchange, and no more than one sign-in is risked. What was found is told in
 * words by diagnosis_text.h. */
#ifndef EXSYNC_DAEMON_DIAGNOSIS_H
#define EXSYNC_DAEMON_DIAGNOSIS_H

#include "base/failure.h"
#include "daemon/account_test.h"
#include "daemon/mailbox.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DIAGNOSIS_TRIES = 6, DIAGNOSIS_OTHERS = 30 };

struct service;
struct diagnosis;

enum diagnosis_finding {
    DIAGNOSIS_WORKS,
    DIAGNOSIS_UNREACHABLE,     /* no answer to understand comes from the server */
    DIAGNOSIS_SIGN_IN_REFUSED, /* the account cannot sign in */
    DIAGNOSIS_WRONG_SERVER,    /* no Exchange Web Services, or none with these mailboxes */
    DIAGNOSIS_NO_ROLE,         /* it may impersonate none of the mailboxes that were asked for */
    DIAGNOSIS_SCOPE,           /* some, and this one is not among them */
    DIAGNOSIS_SPREADING,       /* the servers do not agree yet */
    DIAGNOSIS_NO_MAILBOX,      /* this mailbox does not exist, and others do */
    DIAGNOSIS_OTHER,           /* something that has nothing to do with impersonation */
};

struct diagnosis_other {
    const char *address;
    enum { DIAGNOSIS_OTHER_WORKS, DIAGNOSIS_OTHER_REFUSED, DIAGNOSIS_OTHER_FAILED } result;
    enum failure_category category; /* when it does not work */
};

struct diagnosis_result {
    enum diagnosis_finding finding;
    const struct config_profile *profile;
    const char *address;
    struct failure failure;        /* what stands in the way; not set with DIAGNOSIS_WORKS */
    char detail[TEST_DETAIL_SIZE]; /* of the test that failed: what was seen; "" */
    enum account_mailbox own;
    uint32_t tries, refused; /* of this mailbox */
    const struct diagnosis_other *others;
    size_t other_count;
    size_t others_configured; /* on the profile, without this one */
};

/* Valid during the call. */
typedef void diagnosed(void *argument, const struct diagnosis_result *result);

/* Static, for programs: "works", "unreachable", "sign-in-refused", ... */
const char *diagnosis_finding_name(enum diagnosis_finding finding);

/* Exactly one `done`, from the loop, never from within the start. `forced`: a sign-in that was
 * refused is tried at once. */
struct diagnosis *diagnosis_start(struct service *service, const struct mailbox *mailbox,
                                  bool forced, diagnosed *done, void *argument);
void diagnosis_cancel(struct diagnosis *diagnosis);

#endif
