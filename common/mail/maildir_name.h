/* The names of mail files.
 *
 *   SECONDS.INSTANCEbOWNERrRANDOMmMARK.HOST         in the spool
 *   SECONDS.INSTANCEbOWNERrRANDOMmMARK.HOST,S=SIZE  in new/
 *
 * INSTANCE is 12 digits [0-9a-f] that this installation chose once, OWNER the number of the mailbox
 * in decimal, RANDOM 16 digits [0-9a-f]. mMARK, 32 digits, tells of which message the file is: by
 * its fingerprint, or, behind an i instead of the m, by the digest of its item. It is what a ledger
 * that was put back from a backup is mended by. Notices of this program have none. The spool name
 * is the other one up to the comma; neither holds another comma, a slash or a colon. Sources:
 * https://cr.yp.to/proto/maildir.html (the host's slashes and colons become \057 and \072),
 * Maildir++ ",S=". */
#ifndef EXSYNC_MAIL_MAILDIR_NAME_H
#define EXSYNC_MAIL_MAILDIR_NAME_H

#include "base/digest.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MAILDIR_INSTANCE_DIGITS = 12,
    MAILDIR_HOST_SIZE = 64, /* a longer host name is cut */
    MAILDIR_BEGIN_SIZE = 80,
};

/* Makes a host name fit for a file name. */
void maildir_host(const char *name, char host[MAILDIR_HOST_SIZE]);

struct maildir_mark {
    bool is_fingerprint; /* otherwise the digest is the item's */
    struct digest digest;
};

/* A new spool name, different from all others. `mark` NULL: none. The caller frees. */
char *maildir_name_create(const char *instance, uint64_t owner, const struct maildir_mark *mark,
                          const char *host);

/* The spool name with the size in bytes. The caller frees. */
char *maildir_name_with_size(const char *spool_name, uint64_t size);

/* Whether the name, in the spool or in new/, was made by the instance; `owner` NULL means any.
 * Names come from a database and from folders that others can write to: all of it is checked. */
bool maildir_name_is_ours(const char *name, const char *instance, const uint64_t *owner);

/* RANDOM of a name that was made here, by which its file is found again when the rest is not known
 * any more; 0: it is no such name. */
uint64_t maildir_name_number(const char *name);

/* What a name tells that the instance made, with whatever a consumer has put behind it. */
struct maildir_name {
    int64_t seconds; /* since 1970, up to the year 9999 */
    uint64_t owner;
    uint64_t number; /* maildir_name_number */
    struct maildir_mark mark;
};

/* False when it is no name of the instance, or tells of no message. */
bool maildir_name_read(const char *name, const char *instance, struct maildir_name *parts);

/* The beginning of such a name, up to RANDOM and with it: no other file's begins so. */
void maildir_name_begin(const struct maildir_name *parts, const char *instance,
                        char begin[MAILDIR_BEGIN_SIZE]);

/* Length of the spool name within a name. */
size_t maildir_name_spool_length(const char *name);

#endif
