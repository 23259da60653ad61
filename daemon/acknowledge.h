/* What is done to items on the server after they were delivered: marked read, moved, deleted. Never
 * before, and never in a way that tells the author. What could not be done stays noted in the store
 * and is done by a later cycle. */
#ifndef EXSYNC_DAEMON_ACKNOWLEDGE_H
#define EXSYNC_DAEMON_ACKNOWLEDGE_H

#include "daemon/cycle.h"

#include <stdbool.h>
#include <stddef.h>

enum { ACKNOWLEDGE_MAX = 100 };

struct acknowledger {
    /* Set by the caller; the arrays stay valid until done. */
    struct cycle *cycle;
    const char *references[ACKNOWLEDGE_MAX];
    struct digest keys[ACKNOWLEDGE_MAX];
    size_t count;
    void (*done)(struct acknowledger *acknowledger, const struct failure *failure);
    void *argument;

    /* Private. */
    struct backend_operation *operation;
    struct failure failure;
    bool waiting;
    bool cancelled;
};

/* Whether the mailbox wants anything done at all. */
bool acknowledge_wanted(const struct cycle *cycle);

/* Says that a folder was missing in the mailbox and has been made. */
void acknowledge_report_created(const struct cycle *cycle, const char *folder);

void acknowledger_start(struct acknowledger *acknowledger);
void acknowledger_cancel(struct acknowledger *acknowledger);

#endif
