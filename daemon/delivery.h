/* Delivering one notification on one channel:
 *
 *   exchange  email from the account's own mailbox, for which nobody is impersonated
 *   smtp      email through the SMTP server of section [smtp]
 *   command   a program that gets the alerts as JSON
 *
 * Exactly one `done`, from the loop, never from within the start, unless it is cancelled. What may
 * have been handed over before is looked for first where that can be found out (exchange). */
#ifndef EXSYNC_DAEMON_DELIVERY_H
#define EXSYNC_DAEMON_DELIVERY_H

#include "base/failure.h"
#include "config/config.h"
#include "daemon/context.h"
#include "daemon/profile.h"
#include "store/store_alerts.h"

/* The numbers under which the store knows the channels; bit 1 << n is that of
 * config_profile.notify_channels. They never change. */
enum delivery_channel { DELIVERY_EXCHANGE, DELIVERY_SMTP, DELIVERY_COMMAND };

/* "exchange", "smtp", "command". Static. */
const char *delivery_channel_name(unsigned channel);

struct delivery;

typedef void delivery_done(void *argument, const struct failure *failure);

/* What `notice` points to is copied. `profile` and its configuration are used until the end. */
struct delivery *delivery_start(const struct context *context, struct profile *profile,
                                struct executor_pool *pool, const struct store_notice *notice,
                                delivery_done *done, void *argument);

/* `done` is not called; what was sent may have arrived. */
void delivery_cancel(struct delivery *delivery);

#endif
