/* What a notification says, on a page of either kind. */
#ifndef EXSYNC_DAEMON_NOTIFICATION_BODY_H
#define EXSYNC_DAEMON_NOTIFICATION_BODY_H

#include "daemon/notification_page.h"
#include "daemon/notification_text.h"

/* Appends the whole page. */
void notification_write_body(struct buffer *text, const struct notification_page *page,
                             const char *title, const struct notification_text *what);

#endif
