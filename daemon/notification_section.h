/* The alerts of a notification by cause.
 *
 *   section   alerts with the same category and code: one cause, one remedy
 *
 * Everything points into the notification and lives no longer than it. */
#ifndef EXSYNC_DAEMON_NOTIFICATION_SECTION_H
#define EXSYNC_DAEMON_NOTIFICATION_SECTION_H

#include "daemon/notification_text.h"
#include "daemon/remedy.h"

struct notification_section {
    const struct store_alert_row **alerts; /* of this cause, oldest first */
    size_t count;
    enum failure_category category;
    const char **mailboxes; /* each once, sorted; what an absorbing alert stands for, too */
    size_t mailbox_count;
    uint64_t mailbox_total; /* more than mailbox_count when the notification does not name all */
};

struct notification_sections {
    struct notification_section *all; /* in the order of their first alerts */
    size_t count;
};

struct notification_sections notification_sections_make(const struct notification_text *what);
void notification_sections_free(struct notification_sections *sections);

/* Where the remedy of an alert is to be applied; the first of the mailboxes that an absorbing alert
 * stands for is the example. */
struct remedy_place notification_place(const struct notification_text *what,
                                       const struct store_alert_row *alert);

/* How many alerts and mailboxes there are, named or not. */
uint64_t notification_alert_total(const struct notification_text *what);
uint64_t notification_mailbox_total(const struct notification_text *what);

#endif
