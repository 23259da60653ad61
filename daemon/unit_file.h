/* What exsyncd.service and its drop-ins say: for the check of a configuration, which is to see with
 * the service's eyes. Source: systemd.unit(5), systemd.exec(5), systemd.syntax(7). */
#ifndef EXSYNC_DAEMON_UNIT_FILE_H
#define EXSYNC_DAEMON_UNIT_FILE_H

#include "base/buffer.h"

#include <stdbool.h>

struct unit_file {
    bool installed;         /* otherwise nothing else is said */
    bool read_only;         /* ProtectSystem=strict */
    bool without_home;      /* ProtectHome is on, or tmpfs */
    bool read_only_home;    /* ProtectHome=read-only */
    struct buffer writable; /* ReadWritePaths: each behind a newline */
    struct buffer user;     /* names or numbers; empty: not given */
    struct buffer group;
    struct buffer groups; /* SupplementaryGroups, between blanks */
    struct buffer
        ticket_cache;        /* KRB5CCNAME of Environment, with its specifiers; empty: not given */
    struct buffer key_table; /* KRB5_CLIENT_KTNAME, in the same way */
};

/* Reads them where systemd looks (or where $SYSTEMD_UNIT_PATH says). `unit` is zero before. Blocks.
 */
void unit_file_read(struct unit_file *unit);
void unit_file_release(struct unit_file *unit);

/* Appends a path as it must stand in a list of paths. */
void unit_file_append_path(struct buffer *text, const char *path);

#endif
