/* A copy of the daemon's database, made while it runs or not. */
#ifndef EXSYNC_EXSYNCCTL_COPY_H
#define EXSYNC_EXSYNCCTL_COPY_H

#include <stdbool.h>
#include <stdint.h>

enum { COPY_PROBLEM_SIZE = 1024 };

struct copy {
    const char *source;              /* the database */
    const char *target;              /* the file that is to be made; nothing is there */
    bool replace;                    /* unless this */
    uint64_t size;                   /* out: bytes */
    int status;                      /* out: of sysexits.h */
    char problem[COPY_PROBLEM_SIZE]; /* out: what went wrong, and what to do */
};

/* One state of the database, as it is when the copying begins, which neither holds up the daemon
 * nor is held up by it; checked, on disk, mode 0600, and there only when all went well. It says of
 * itself that it is a copy (store/store_restore.h). Blocks. */
bool copy_make(struct copy *copy);

/* Makes a database that is not in use say the same. */
bool copy_mark(struct copy *copy);

#endif
