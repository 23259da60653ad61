#include "floor_writers.h"

#include "floor_common.h"

#include <sys/eventfd.h>
#include <unistd.h>

static void *writer_main(void *argument)
{
    struct floor_writers *writers = argument;
    pthread_mutex_lock(&writers->mutex);
    for (;;) {
        while (STAILQ_EMPTY(&writers->waiting) && !writers->closing)
            pthread_cond_wait(&writers->work, &writers->mutex);
        struct floor_work *work = STAILQ_FIRST(&writers->waiting);
        if (work == NULL)
            break;
        STAILQ_REMOVE_HEAD(&writers->waiting, entries);
        pthread_mutex_unlock(&writers->mutex);
        work->run(work);
        pthread_mutex_lock(&writers->mutex);
        STAILQ_INSERT_TAIL(&writers->done, work, entries);
        eventfd_write(writers->wake, 1);
    }
    pthread_mutex_unlock(&writers->mutex);
    return NULL;
}

void floor_writers_start(struct floor_writers *writers)
{
    *writers = (struct floor_writers){.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    pthread_mutex_init(&writers->mutex, NULL);
    pthread_cond_init(&writers->work, NULL);
    STAILQ_INIT(&writers->waiting);
    STAILQ_INIT(&writers->done);
    for (size_t i = 0; i < FLOOR_WRITERS; i++) {
        if (pthread_create(&writers->threads[i], NULL, writer_main, writers) != 0)
            floor_fail("no thread can be started");
    }
}

void floor_writers_submit(struct floor_writers *writers, struct floor_work *work)
{
    pthread_mutex_lock(&writers->mutex);
    STAILQ_INSERT_TAIL(&writers->waiting, work, entries);
    pthread_cond_signal(&writers->work);
    pthread_mutex_unlock(&writers->mutex);
}

void floor_writers_collect(struct floor_writers *writers, struct floor_works *done)
{
    eventfd_t count;
    eventfd_read(writers->wake, &count);
    pthread_mutex_lock(&writers->mutex);
    STAILQ_CONCAT(done, &writers->done);
    pthread_mutex_unlock(&writers->mutex);
}

void floor_writers_end(struct floor_writers *writers)
{
    pthread_mutex_lock(&writers->mutex);
    writers->closing = true;
    pthread_cond_broadcast(&writers->work);
    pthread_mutex_unlock(&writers->mutex);
    for (size_t i = 0; i < FLOOR_WRITERS; i++)
        pthread_join(writers->threads[i], NULL);
    close(writers->wake);
}
