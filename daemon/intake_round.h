/* One round of the intake (intake.h): some of the files in new/ through one station after the
 * other. All of them go through one before the next. */
#ifndef EXSYNC_DAEMON_INTAKE_ROUND_H
#define EXSYNC_DAEMON_INTAKE_ROUND_H

#include "daemon/intake.h"
#include "daemon/intake_decision.h"
#include "mail/outbox.h"

#include <stddef.h>
#include <stdint.h>

enum { INTAKE_ROUND_MAX = OUTBOX_SCAN_MAX };

enum intake_round_state {
    INTAKE_ROUND_IDLE,
    INTAKE_ROUND_SCANNING,
    INTAKE_ROUND_ASKING,     /* which the store knows */
    INTAKE_ROUND_INSPECTING, /* the others are looked at */
    INTAKE_ROUND_ACCEPTING,  /* copied to the queue, or moved to failed/ */
    INTAKE_ROUND_ADDING,     /* told to the store */
    INTAKE_ROUND_SETTLING,   /* taken out of intake/ */
};

/* One file. */
struct intake_item {
    struct intake_round *round;
    char id[OUTBOX_ID_SIZE];
    struct outbox_envelope envelope; /* owned */
    struct intake_decision decision;
    struct outbox_edit edit;
    uint64_t size; /* of the copy */
    bool known;    /* by the store, before this round */
    bool over;     /* the store says that it was sent, or has failed */
    bool refused;
    bool failed; /* the disk or the store has: left for another round */
};

struct intake_round {
    /* Set by the caller. */
    const struct context *context;
    const struct intake_owner *owner;
    struct configuration *configuration; /* by which it is decided; used until it is over */
    void (*done)(struct intake_round *round);
    void *argument;

    /* To be read when it is done. */
    size_t count;           /* of the files that it has dealt with */
    bool more;              /* there are more */
    bool held_up;           /* the failure concerns more than one odd file */
    struct failure failure; /* the first of those that do, or else of the odd files */

    /* Private. */
    enum intake_round_state state;
    struct intake_item items[INTAKE_ROUND_MAX];
    const char *ids[INTAKE_ROUND_MAX];
    uint8_t states[INTAKE_ROUND_MAX];
    size_t outstanding; /* of the station */
    void (*next)(struct intake_round *round);
};

/* Cannot be cancelled: it comes to its end, which is called from the loop, never from within the
 * start. */
void intake_round_start(struct intake_round *round);

#endif
