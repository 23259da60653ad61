/* Addresses in the header fields of a message.
 *
 * Lenient in what is read: obsolete forms, comments, groups (their members count), missing quotes,
 * encoded words (decoded into the name). What is no address at all is skipped and counted. Source:
 * RFC 5322, sections 3.4 and 4.4; RFC 2047; RFC 6532. */
#ifndef EXSYNC_MAIL_ADDRESS_H
#define EXSYNC_MAIL_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

enum { ADDRESS_LIST_MAX = 5000 }; /* addresses of one list; more are counted as invalid */

struct address {
    char *address; /* LOCAL@DOMAIN, without brackets and comments; the domain in lower case. A local
                    * sender may have no domain. Owned */
    char *name;    /* what people see; UTF-8, one line; NULL: none. Owned */
};

struct address_list {
    struct address *addresses; /* in their order; owned */
    size_t count;
    size_t invalid; /* parts that are no address */
};

/* Appends the addresses of one unfolded field body. */
void address_list_parse(struct address_list *list, const char *text, size_t length);
void address_list_add(struct address_list *list, const char *address, const char *name);
/* `address` compared as mail systems do: the domain, and by custom the local part, without case. */
bool address_list_has(const struct address_list *list, const char *address);
void address_list_release(struct address_list *list);

#endif
