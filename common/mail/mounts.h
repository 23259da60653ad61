/* Which mount point a path is below, found out without touching any file system: a table that is
 * read from the kernel's list, and comparisons of text. A file system that hangs cannot hang this.
 * Symbolic links are therefore not seen; whoever has opened the folder can ask by mount id.
 * Source: proc(5), /proc/PID/mountinfo. */
#ifndef EXSYNC_MAIL_MOUNTS_H
#define EXSYNC_MAIL_MOUNTS_H

#include <stddef.h>
#include <stdint.h>

struct mounts;

/* Never NULL; lines that cannot be understood are left out. */
struct mounts *mounts_parse(const char *text, size_t length);

/* Reads a whole list. NULL when the file cannot be read. */
struct mounts *mounts_read(const char *file);

/* NULL is allowed. */
void mounts_free(struct mounts *mounts);

/* The mount point that an absolute path without "." and ".." is on; "/" when the table has none.
 * Valid until mounts_free. */
const char *mounts_find(const struct mounts *mounts, const char *path);

/* The mount point of a mount id (statx, STATX_MNT_ID); NULL when the table does not have it. */
const char *mounts_find_id(const struct mounts *mounts, uint64_t id);

#endif
