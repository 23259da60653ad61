/* Puts an EWS answer on the wire: as it is, or as a scripted fault wants it. */
#ifndef EXCHANGE_HTTP_ANSWER_H
#define EXCHANGE_HTTP_ANSWER_H

#include "faults.h"
#include "mailbox_store.h"
#include "reply.h"

#include <microhttpd.h>
#include <stdbool.h>

/* Makes the response; takes over what is in `reply`. Its parts are sent from where they are, or
 * copied together (`in_blocks`), which is better for TLS. NULL: close the connection instead. */
struct MHD_Response *http_answer(struct reply *reply, const struct fault *fault,
                                 enum item_breakage breakage, bool in_blocks, unsigned *status);

#endif
