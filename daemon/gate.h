/* A gate before work that shares one cause of trouble: a profile whose server is out of reach or
 * refuses the account, or this machine whose database cannot be written.
 *
 *   open     work may start
 *   closed   nothing starts until the wait is over
 *   trying   one piece of work may start; its end opens the gate or closes it for longer
 *
 * So a common cause costs one try at a time, not one for each mailbox. */
#ifndef EXSYNC_DAEMON_GATE_H
#define EXSYNC_DAEMON_GATE_H

#include "base/executor.h"
#include "base/failure.h"

#include <stdbool.h>
#include <stdint.h>

enum gate_state { GATE_OPEN, GATE_CLOSED, GATE_TRYING };

struct gate {
    struct executor *executor;
    enum gate_state state;
    uint32_t failures;      /* in a row */
    struct failure failure; /* why it is not open */
    struct executor_timer timer;
    void (*on_trying)(void *argument); /* the wait is over: start something */
    void *argument;
};

void gate_init(struct gate *gate, struct executor *executor, void (*on_trying)(void *argument),
               void *argument);
void gate_release(struct gate *gate);

/* Whether a piece of work may start while `running` others run. */
bool gate_admits(const struct gate *gate, uint32_t running);

/* Closes for `wait_ms`. Failures that arrive while it is closed already (from work that was under
 * way) change nothing: returns false then. */
bool gate_close(struct gate *gate, const struct failure *failure, uint64_t wait_ms);

/* Work behind the gate succeeded. Returns true when that opened it. */
bool gate_succeed(struct gate *gate);

/* Ends the wait at once. */
void gate_try_now(struct gate *gate);

#endif
