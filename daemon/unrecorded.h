/* Messages of the outbox that the store does not know: it was lost, or an older one was put in its
 * place. Whether they were sent, nobody knows.
 *
 *   kept     in kept/, as they were submitted: they can be taken in anew, and are looked for in
 *            Exchange before they are sent
 *   copies   in queue/ alone: what was submitted is gone, and with it the Bcc recipients and who
 *            has submitted it. That is left to a person
 *
 * What is in intake/ comes by itself, what is in failed/ waits for a person already. The folders
 * are listed in the order in which a message goes through them, and the store is asked last: one
 * that is on its way is found in one of them. */
#ifndef EXSYNC_DAEMON_UNRECORDED_H
#define EXSYNC_DAEMON_UNRECORDED_H

#include "daemon/context.h"
#include "daemon/id_list.h"
#include "mail/outbox.h"
#include "store/store_restore.h"

#include <stddef.h>
#include <stdint.h>

struct unrecorded {
    /* Set by the caller. */
    const struct context *context;
    void (*done)(struct unrecorded *unrecorded, const struct failure *failure);
    void *argument;

    /* The result: what lies in the folders, and what of queue/ and kept/ the store knows
     * (store_submissions_states). The first `copies` pointers of queue/, and the first `kept` ones
     * of kept/, are those that it does not know. */
    struct id_list folders[OUTBOX_IN_FAILED + 1];
    uint8_t *states[OUTBOX_IN_FAILED + 1];
    size_t kept;
    size_t copies;

    /* Private. */
    size_t step; /* which folder is listed */
    size_t next; /* of the copies that are put aside */
    char last_id[OUTBOX_ID_SIZE];
    struct store_restoration restoration;
};

void unrecorded_find(struct unrecorded *unrecorded);

/* Takes those in kept/ back into intake/, having told the store that they may have been sent, and
 * puts the copies into failed/; calls `done` again. What a failure has left is found by the next
 * look. `kept` and `copies` stay what they were. */
void unrecorded_repair(struct unrecorded *unrecorded);

void unrecorded_release(struct unrecorded *unrecorded);

#endif
