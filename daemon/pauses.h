/* Which profiles an administrator has paused, in memory and in the store: by their names, whether
 * they are configured or not, so that a profile that comes back is paused still. The store learns
 * it first. */
#ifndef EXSYNC_DAEMON_PAUSES_H
#define EXSYNC_DAEMON_PAUSES_H

#include "store/store_actions.h"

#include <stdbool.h>

struct pauses;

struct pauses *pauses_create(struct store *store);

/* When the store is closed. NULL is allowed. */
void pauses_free(struct pauses *pauses);

/* Reads what an earlier process has left. Once, before cycles start. */
void pauses_load(struct pauses *pauses, store_done *done, void *argument);

/* Since when and by whom the profile is paused; NULL: it is not. Valid until the next change. */
const struct store_pause *pauses_find(const struct pauses *pauses, const char *profile);

/* Writes it, and remembers it once it is written: then comes `done`, and `changed` (NULL: nobody
 * asks) says whether it was not so until then. The profile is copied. */
void pauses_add(struct pauses *pauses, const struct store_pause *pause, bool *changed,
                store_done *done, void *argument);
void pauses_remove(struct pauses *pauses, const char *profile, bool *changed, store_done *done,
                   void *argument);

#endif
