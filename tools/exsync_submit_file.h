/* One message on its way into the outbox: written under tmp/, and in new/ only when all of it is on
 * the disk.
 *
 *   STATE/outbox/tmp, new  mode 3730, group exsync-submit: a member of the group can make and
 *                          rename its own files there, and can neither list the folders nor touch
 *                          files of others. The setgid bit gives the files the group
 *   name                   SECONDS.MICROSECONDS.PID.RANDOM, the random part of 128 bits: files are
 *                          readable for the group (0640, the daemon is in it), so their names must
 *                          not be guessed
 *
 * A rename is on the disk when its folder is synced, which needs the right to read the folder. The
 * group has none, and fsync(2) refuses descriptors of O_PATH; syncfs(2) on the file's descriptor
 * does the same for the whole file system and needs no right. It is used where the folder cannot be
 * opened. */
#ifndef EXSYNC_SUBMIT_FILE_H
#define EXSYNC_SUBMIT_FILE_H

#include "tools/exsync_submit_policy.h"
#include "tools/exsync_submit_problem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SUBMIT_FILE_NAME_SIZE = 96 };

struct submit_outbox {
    const char *state_directory; /* the caller's */
    int folder;                  /* descriptors with O_PATH */
    int tmp;
    int submitted; /* new/ */
};

/* All functions return EX_OK or the problem's status: EX_CANTCREAT when the outbox is not there or
 * not open to us, EX_TEMPFAIL when it may go later (a full disk), EX_IOERR for a broken one. */
int submit_outbox_open(struct submit_outbox *outbox, const char *state_directory,
                       struct submit_problem *problem);
void submit_outbox_close(struct submit_outbox *outbox);

struct submit_file {
    const struct submit_outbox *outbox;
    int descriptor; /* -1: there is no file */
    uint64_t size;
    const struct submit_policy *policy;
    char name[SUBMIT_FILE_NAME_SIZE];
};

/* By the policy a message that is too large is EX_UNAVAILABLE. One after which less would stay free
 * than is to, when the daemon has made its copy, is EX_TEMPFAIL, be there no room before it or only
 * in the middle of it. */
int submit_file_begin(struct submit_file *file, const struct submit_outbox *outbox,
                      const struct submit_policy *policy, struct submit_problem *problem);
int submit_file_write(struct submit_file *file, const char *bytes, size_t length,
                      struct submit_problem *problem);

/* EX_OK: the message is in new/ and survives a loss of power. Otherwise it is not there. Ends the
 * file either way. */
int submit_file_publish(struct submit_file *file, struct submit_problem *problem);

/* Takes the file away. Does nothing when there is none. */
void submit_file_discard(struct submit_file *file);

#endif
