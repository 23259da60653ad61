/* Restrictions: which items a search is after. */
#ifndef EXCHANGE_RESTRICTION_H
#define EXCHANGE_RESTRICTION_H

#include "mailbox_store.h"
#include "soap.h"

#include <stdbool.h>

struct restriction;

/* Reads a Restriction or Condition element. NULL with `code` set when Exchange would refuse it. */
struct restriction *restriction_read(const xmlNode *element, const char **code);
void restriction_free(struct restriction *restriction);
bool restriction_fits(const struct restriction *restriction, const struct item *item);

#endif
