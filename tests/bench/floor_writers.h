/* Two threads that do a floor's work on files, and tell its loop of what is done. */
#ifndef BENCH_FLOOR_WRITERS_H
#define BENCH_FLOOR_WRITERS_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>

enum { FLOOR_WRITERS = 2 };

/* The first member of what is to be done. */
struct floor_work {
    void (*run)(struct floor_work *work); /* on a thread */
    STAILQ_ENTRY(floor_work) entries;
};

STAILQ_HEAD(floor_works, floor_work);

struct floor_writers {
    int wake; /* an eventfd that tells the loop: something is done */

    pthread_t threads[FLOOR_WRITERS];
    pthread_mutex_t mutex;
    pthread_cond_t work;
    struct floor_works waiting;
    struct floor_works done;
    bool closing;
};

void floor_writers_start(struct floor_writers *writers);
void floor_writers_submit(struct floor_writers *writers, struct floor_work *work);

/* What is done by now is moved behind what `done` has. */
void floor_writers_collect(struct floor_writers *writers, struct floor_works *done);

void floor_writers_end(struct floor_writers *writers);

#endif
