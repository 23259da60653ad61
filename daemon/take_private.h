/* Between the files of the taker: a batch goes from take.c (which items) to take_fetch.c (into the
 * spool) to take_deliver.c (on disk, in the ledger, published, acknowledged) and back to take.c. */
#ifndef EXSYNC_DAEMON_TAKE_PRIVATE_H
#define EXSYNC_DAEMON_TAKE_PRIVATE_H

#include "daemon/take.h"

/* --- take.c --- */

/* The batch is over: begins the next one, or ends the taking. */
void taker_next_batch(struct taker *taker);

/* Notes why the taking ends after this batch; the first reason stays. */
void taker_fail(struct taker *taker, const struct failure *failure);

/* Ends a fetch at once, and everything else as soon as it has answered. */
void taker_give_up(struct taker *taker, const struct failure *failure);

/* The sink or the store has answered: false when the taker was given up meanwhile and is over. What
 * is committed but not published is published by the next cycle. */
bool taker_answered(struct taker *taker);

/* The next batch may be twice as large, up to what the profile allows. */
void taker_raise_limit(struct taker *taker);

/* After a crash or a doubt only recovery knows what is published. */
void taker_leave_to_recovery(struct taker *taker);

/* --- take_fetch.c --- */

/* Asks for the items in `slots`; goes on to what is recorded and delivered. */
void taker_fetch(struct taker *taker);

/* Waits until what is to be recorded is, and goes on with what can be delivered. */
void taker_record(struct taker *taker);

/* An item that, asked for alone, failed with everything around it; one that did not. */
void taker_bad_item(struct taker *taker, const struct take_slot *slot,
                    const struct failure *failure);
void taker_good_item(struct taker *taker);

/* --- take_deliver.c --- */

/* Delivers the slots that are complete. */
void taker_deliver_ready(struct taker *taker);

#endif
