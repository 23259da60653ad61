/* A gate before work that shares one cause of trouble: a profile whose server is out of reach or
 * refuses the account, or this machine whose database cannot be written.
 *
 *   open     work may start
 *   closed   nothing starts until the wait is over
 *   trying   one piece of work may start, the trial; its end opens the gate or closes it for longer
 *
 * So a common cause costs one try at a time, not one for each mailbox. Work carries the generation
 * of the gate under which it started: what began before the gate closed proves nothing afterwards.
 */
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
    bool trial;             /* the trial is under way */
    uint32_t generation;    /* how often it has closed */
    uint32_t failures;      /* in a row */
    uint64_t closed_ms;     /* monotonic: since when it is not open */
    int64_t closed_wall_ms; /* the same by the clock */
    uint64_t failed_ms;     /* monotonic: when the last piece of work met the failure */
    struct failure failure; /* why it is not open */
    struct executor_timer timer;
    void (*on_trying)(void *argument); /* the wait is over: start something */
    void *argument;
};

void gate_init(struct gate *gate, struct executor *executor, void (*on_trying)(void *argument),
               void *argument);
void gate_release(struct gate *gate);

/* Whether a piece of work may start. */
bool gate_admits(const struct gate *gate);

/* A piece of work starts; returns the generation that it is to carry. */
uint32_t gate_enter(struct gate *gate);

/* A piece of work has ended, whatever came of it, and after that was told by gate_close or
 * gate_succeed: a trial that has shown nothing makes room for another. */
void gate_leave(struct gate *gate, uint32_t generation);

/* Whether the failure of work of `generation` closes it: not when it is closed already, or tried by
 * later work. */
bool gate_can_close(const struct gate *gate, uint32_t generation);

/* Closes for `wait_ms`. Returns false, and changes nothing, unless gate_can_close. */
bool gate_close(struct gate *gate, uint32_t generation, const struct failure *failure,
                uint64_t wait_ms);

/* Work of `generation` succeeded. Returns true when that opened the gate. */
bool gate_succeed(struct gate *gate, uint32_t generation);

/* Instead of trying, from within on_trying: it is not time yet, and closed for `wait_ms` more. */
void gate_wait_more(struct gate *gate, uint64_t wait_ms);

/* Ends the wait at once. */
void gate_try_now(struct gate *gate);

#endif
