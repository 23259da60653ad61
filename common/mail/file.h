/* What all who work with files share: words for what was refused, and writes that are whole. In
 * jobs only. */
#ifndef EXSYNC_MAIL_FILE_H
#define EXSYNC_MAIL_FILE_H

#include "base/failure.h"

#include <stdbool.h>
#include <stddef.h>

struct file_place {
    enum failure_scope scope;
    const char *step;
    const char *directory;
};

/* "VERB DIRECTORY/FOLDER/NAME: what the system said; hint". `folder` and `name` may be NULL. */
struct failure file_failure(const struct file_place *place, int error, const char *verb,
                            const char *folder, const char *name);
void file_failure_add(struct failure *failure, const char *hint);

/* False with errno set. */
bool file_write(int fd, const char *bytes, size_t length);
/* What was written is on its way to the disk; nothing is known of it before it is synced. */
void file_begin_sync(int fd);
/* The descriptor is closed, and -1, in any case. */
bool file_sync_and_close(int *fd);

#endif
