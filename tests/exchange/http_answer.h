/* Puts an EWS answer on the wire: as it is, or as a scripted fault wants it. */
#ifndef EXCHANGE_HTTP_ANSWER_H
#define EXCHANGE_HTTP_ANSWER_H

#include "faults.h"
#include "mailbox_store.h"
#include "reply.h"

#include <microhttpd.h>

/* Makes the response; takes over what is in `reply`. NULL: close the connection instead. */
struct MHD_Response *http_answer(struct reply *reply, const struct fault *fault,
                                 enum item_breakage breakage, unsigned *status);

#endif
