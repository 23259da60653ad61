/* Alerts in the journal: the exact sentence as the message, and everything else that is known in
 * fields, for the catalog and for searching. */
#ifndef EXSYNC_DAEMON_ALERT_LOG_H
#define EXSYNC_DAEMON_ALERT_LOG_H

#include "base/log.h"
#include "config/config.h"
#include "store/store_alerts.h"

/* Logs what the owner knows of the alert now (alert->told): with the MESSAGE_ID of its category
 * when it `opens`, else with those of a notification, and without what was said then. `profile` may
 * be NULL: not configured any more. */
void alert_log(struct log *log, const struct store_alert_row *alert, bool opens,
               const struct config_profile *profile);

#endif
