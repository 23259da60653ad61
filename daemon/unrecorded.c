#include "daemon/unrecorded.h"

#include "base/memory.h"

static void list_next(struct unrecorded *unrecorded);

static const enum outbox_part order[] = {OUTBOX_IN_QUEUE, OUTBOX_IN_INTAKE, OUTBOX_IN_KEPT,
                                         OUTBOX_IN_FAILED};
enum { STEPS = sizeof order / sizeof *order };

void unrecorded_release(struct unrecorded *unrecorded)
{
    for (size_t i = 0; i < STEPS; i++) {
        id_list_release(&unrecorded->folders[i]);
        memory_free(unrecorded->states[i]);
        unrecorded->states[i] = NULL;
    }
}

/* --- 2: which of them the store knows --- */

static bool is_elsewhere(const struct unrecorded *unrecorded, const char *id)
{
    return id_list_has(&unrecorded->folders[OUTBOX_IN_INTAKE], id) ||
           id_list_has(&unrecorded->folders[OUTBOX_IN_KEPT], id) ||
           id_list_has(&unrecorded->folders[OUTBOX_IN_FAILED], id);
}

static size_t count_copies(struct unrecorded *unrecorded)
{
    struct id_list *queue = &unrecorded->folders[OUTBOX_IN_QUEUE];
    size_t unknown = id_list_unknown(queue, unrecorded->states[OUTBOX_IN_QUEUE]);
    size_t copies = 0;
    for (size_t i = 0; i < unknown; i++) {
        if (!is_elsewhere(unrecorded, queue->pointers[i]))
            queue->pointers[copies++] = queue->pointers[i];
    }
    return copies;
}

static void kept_known(void *argument, const struct failure *failure)
{
    struct unrecorded *unrecorded = argument;
    if (failure == NULL) {
        unrecorded->kept = id_list_unknown(&unrecorded->folders[OUTBOX_IN_KEPT],
                                           unrecorded->states[OUTBOX_IN_KEPT]);
        unrecorded->copies = count_copies(unrecorded);
    }
    unrecorded->done(unrecorded, failure);
}

static void ask_for(struct unrecorded *unrecorded, enum outbox_part part, store_done *done)
{
    const struct id_list *list = &unrecorded->folders[part];
    unrecorded->states[part] =
        memory_allocate_array(list->count + 1, sizeof *unrecorded->states[part]);
    store_submissions_states(unrecorded->context->store, list->pointers, list->count,
                             unrecorded->states[part], done, unrecorded);
}

static void queue_known(void *argument, const struct failure *failure)
{
    struct unrecorded *unrecorded = argument;
    if (failure != NULL)
        unrecorded->done(unrecorded, failure);
    else
        ask_for(unrecorded, OUTBOX_IN_KEPT, kept_known);
}

/* --- 1: what is in the outbox --- */

static void listed(void *argument, const struct failure *failure, const char (*ids)[OUTBOX_ID_SIZE],
                   size_t count)
{
    struct unrecorded *unrecorded = argument;
    if (failure != NULL && !failure->gone) {
        unrecorded->done(unrecorded, failure);
        return;
    }
    id_list_keep(&unrecorded->folders[order[unrecorded->step]], ids, failure == NULL ? count : 0);
    if (++unrecorded->step < STEPS)
        list_next(unrecorded);
    else
        ask_for(unrecorded, OUTBOX_IN_QUEUE, queue_known);
}

static void list_next(struct unrecorded *unrecorded)
{
    outbox_list(unrecorded->context->outbox, order[unrecorded->step], listed, unrecorded);
}

void unrecorded_find(struct unrecorded *unrecorded)
{
    unrecorded->step = 0;
    list_next(unrecorded);
}
