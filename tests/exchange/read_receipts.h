/* Read receipts: what an author is told when an unread message is read, or deleted unread. */
#ifndef EXCHANGE_READ_RECEIPTS_H
#define EXCHANGE_READ_RECEIPTS_H

#include "simulator.h"

#include <stdbool.h>

struct item;

/* Call before an item is marked read, or goes unread. When its author still waits for a receipt one
 * is delivered (and counted), unless `suppress`; it is not due again either way. */
void read_receipt_settle(struct simulator *simulator, struct item *item, bool was_read,
                         bool suppress);

#endif
