/* The path of a Maildir: a template in which %u %n %d stand for a mailbox's address and its parts.
 */
#ifndef EXSYNC_CONFIG_MAILDIR_H
#define EXSYNC_CONFIG_MAILDIR_H

#include "base/buffer.h"

/* Appends the template with its letters filled in. */
void config_maildir_expand(const char *template, const char *address, struct buffer *path);

#endif
