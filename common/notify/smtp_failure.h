/* From what an SMTP server answers, and what libcurl says, to a classified failure. Private to
 * notify/. */
#ifndef EXSYNC_NOTIFY_SMTP_FAILURE_H
#define EXSYNC_NOTIFY_SMTP_FAILURE_H

#include "base/failure.h"
#include "notify/smtp_exchange.h"

/* `error`: libcurl's words; "" when it said nothing. */
struct failure smtp_failure_of(CURLcode result, const struct smtp_exchange *exchange,
                               const char *error);

/* An address that is none, before anything was sent. */
struct failure smtp_failure_of_address(const char *what);

#endif
