#include "daemon/messages.h"

#include <stddef.h>

const char *message_of_alert(enum failure_category category)
{
    static const char *const ids[] = {
        [FAILURE_IMPERSONATION] = MESSAGE_ALERT_IMPERSONATION,
        [FAILURE_AUTHENTICATION] = MESSAGE_ALERT_AUTHENTICATION,
        [FAILURE_AUTHORIZATION] = MESSAGE_ALERT_AUTHORIZATION,
        [FAILURE_THROTTLING] = MESSAGE_ALERT_THROTTLING,
        [FAILURE_MAILBOX] = MESSAGE_ALERT_MAILBOX,
        [FAILURE_ITEM] = MESSAGE_ALERT_ITEM,
        [FAILURE_NETWORK] = MESSAGE_ALERT_NETWORK,
        [FAILURE_TLS] = MESSAGE_ALERT_TLS,
        [FAILURE_PROTOCOL] = MESSAGE_ALERT_PROTOCOL,
        [FAILURE_CONFIGURATION] = MESSAGE_ALERT_CONFIGURATION,
        [FAILURE_SERVER] = MESSAGE_ALERT_SERVER,
        [FAILURE_STORAGE] = MESSAGE_ALERT_STORAGE,
    };
    const char *id = NULL;
    if ((size_t)category < sizeof ids / sizeof ids[0])
        id = ids[category];
    return id == NULL ? MESSAGE_ALERT_SERVER : id;
}
