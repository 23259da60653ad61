/* The ids that a client sees: opaque, about 150 characters, case-sensitive.
 *
 * They are laid out as Exchange's are (the mailbox's GUID in text, then a MAPI entry id, all in
 * base64). The numbers inside are chosen so that two items which follow each other have ItemIds
 * that differ in the case of one letter only: a client that ignores case confuses them. */
#ifndef EXCHANGE_ENTRY_ID_H
#define EXCHANGE_ENTRY_ID_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

enum { ENTRY_GUID_SIZE = 37 };

/* Whose id it is: the mailbox's number, and how often all its ids were renewed. */
struct entry_owner {
    uint32_t mailbox;
    uint32_t generation;
};

/* The GUID of the mailbox as text. */
void entry_owner_guid(struct entry_owner owner, char guid[static ENTRY_GUID_SIZE]);

void entry_append_item_id(struct buffer *buffer, struct entry_owner owner, uint32_t folder,
                          uint64_t item);
void entry_append_folder_id(struct buffer *buffer, struct entry_owner owner, uint32_t folder);
void entry_append_change_key(struct buffer *buffer, struct entry_owner owner, uint64_t change);

/* What kind of id a text is. The numbers are a claim only: render the id again and compare. */
enum entry_kind { ENTRY_MALFORMED, ENTRY_ITEM, ENTRY_FOLDER };
enum entry_kind entry_read(const char *id, uint64_t *number);

#endif
