/* The header as it goes into the outbox.
 *
 * Exchange Web Services have no envelope: recipients are those of the header and nobody else. So
 * the envelope that sendmail's callers give is written into the header:
 *
 *   given, not in the header   are added as a Bcc field, which the daemon takes out again
 *   in the header, not given   would get a message that they were not to get: refused, unless the
 *                              policy says recipients_rewrite = yes; To, Cc and Bcc then lose them
 *   with -t                    all of the header are recipients, and those given in addition
 *   Resent-To, -Cc, -Bcc       stand for To, Cc and Bcc in a message that is resent, see
 *                              mail/resent.h
 *   null sender (-f "")        Return-Path: <> on top, so that nobody is told of failures
 *   no From                    see exsync_submit_sender.h
 *   no To and no Cc            To: undisclosed-recipients:;
 *
 * Everything else stays as it came. A first line that is no field begins the body: `echo hello |
 * sendmail anna@contoso.com` is a message without a header. */
#ifndef EXSYNC_SUBMIT_HEADER_H
#define EXSYNC_SUBMIT_HEADER_H

#include "base/buffer.h"
#include "mail/address.h"
#include "tools/exsync_submit_options.h"
#include "tools/exsync_submit_policy.h"
#include "tools/exsync_submit_problem.h"

#include <stdbool.h>
#include <stddef.h>

struct submit_extent {
    size_t fields; /* bytes of the fields */
    size_t body;   /* where the body begins: behind the empty line when there is one */
};

/* False when `bytes` do not hold the header's end yet; `complete`: nothing follows them. */
bool submit_header_find(const char *bytes, size_t length, bool complete,
                        struct submit_extent *extent);

/* Appends the new header, its empty line included, to `written`. Returns EX_OK, EX_UNAVAILABLE for
 * recipients that were not given, EX_DATAERR when there are none at all or when the header gets too
 * long, and what submit_sender_write returns. */
int submit_header_write(const char *bytes, size_t length, const struct submit_options *options,
                        const struct address_list *given, const struct submit_policy *policy,
                        struct buffer *written, struct submit_problem *problem);

#endif
