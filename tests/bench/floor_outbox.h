/* What exsyncd promises of mail that was submitted, by the fewest calls that keep it: nothing is
 * lost and nothing is sent twice, whenever the power fails.
 *
 *   take    new/NAME is renamed to intake/NAME, copied to queue/NAME, and renamed to kept/NAME when
 *           the copy is on disk and the ledger says so
 *   note    the ledger says what is about to be asked for, before it is
 *   remove  the ledger says that it was sent; its files go
 *
 * The ledger is a file of lines; folders and ledger are synced once for all files of a call. All
 * but the opening is for threads. */
#ifndef BENCH_FLOOR_OUTBOX_H
#define BENCH_FLOOR_OUTBOX_H

#include <stddef.h>

enum { FLOOR_TAKE_MAX = 200 }; /* files of a call, as many as exsyncd takes in a round */

struct floor_outbox {
    int fresh; /* new/ */
    int intake;
    int queue;
    int kept;
    int ledger;
};

/* The folder `path` has a folder new/; the others are made. */
void floor_outbox_open(struct floor_outbox *outbox, const char *path);

void floor_outbox_take(const struct floor_outbox *outbox, const char *const *names, size_t count);
void floor_outbox_note(const struct floor_outbox *outbox, const char *what,
                       const char *const *names, size_t count);
void floor_outbox_remove(const struct floor_outbox *outbox, const char *const *names, size_t count);

#endif
