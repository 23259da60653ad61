/* Exchange Web Services: the first back end. See backend.h for what it can do.
 *
 * Sources: MS-OXWSCORE, MS-OXWSMSG, MS-OXWSSRCH, MS-OXWSFOLD, MS-OXWSCDATA; Exchange's schema. */
#ifndef EXSYNC_EWS_EWS_H
#define EXSYNC_EWS_EWS_H

#include "ews/backend.h"
#include "http/http.h"

enum ews_connecting_sid {
    EWS_SID_PRIMARY_SMTP,
    EWS_SID_SMTP,
    EWS_SID_UPN,
    EWS_SID_SID,
};

struct ews_settings {
    bool impersonation;
    enum ews_connecting_sid connecting_sid;
    uint64_t test_key; /* of this daemon's test messages; 0: no message is taken for one */
};

/* The executor is the one that the pool runs on; both must outlive the back end. All operations
 * must be done or cancelled before ews_free. */
struct backend *ews_create(struct executor *executor, const struct ews_settings *settings,
                           struct http_pool *pool);
void ews_free(struct backend *backend);

#endif
