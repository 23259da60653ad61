#include "daemon/pauses.h"

#include "base/memory.h"

#include <string.h>
#include <sys/queue.h>

struct remembered {
    SLIST_ENTRY(remembered) entries;
    struct store_pause pause; /* its profile is owned */
};

struct pauses {
    struct store *store;
    SLIST_HEAD(, remembered) paused;
};

struct pauses *pauses_create(struct store *store)
{
    struct pauses *pauses = memory_allocate(sizeof *pauses);
    pauses->store = store;
    SLIST_INIT(&pauses->paused);
    return pauses;
}

static struct remembered *find(const struct pauses *pauses, const char *profile)
{
    struct remembered *remembered;
    SLIST_FOREACH(remembered, &pauses->paused, entries)
    {
        if (strcmp(remembered->pause.profile, profile) == 0)
            return remembered;
    }
    return NULL;
}

static void forget(struct pauses *pauses, struct remembered *remembered)
{
    SLIST_REMOVE(&pauses->paused, remembered, remembered, entries);
    memory_free((char *)remembered->pause.profile);
    memory_free(remembered);
}

void pauses_free(struct pauses *pauses)
{
    if (pauses == NULL)
        return;
    while (!SLIST_EMPTY(&pauses->paused))
        forget(pauses, SLIST_FIRST(&pauses->paused));
    memory_free(pauses);
}

const struct store_pause *pauses_find(const struct pauses *pauses, const char *profile)
{
    const struct remembered *remembered = find(pauses, profile);
    return remembered == NULL ? NULL : &remembered->pause;
}

static void remember(struct pauses *pauses, const struct store_pause *pause)
{
    if (find(pauses, pause->profile) != NULL)
        return;
    struct remembered *remembered = memory_allocate(sizeof *remembered);
    remembered->pause = *pause;
    remembered->pause.profile = memory_copy_string(pause->profile);
    SLIST_INSERT_HEAD(&pauses->paused, remembered, entries);
}

/* --- operations under way --- */

struct operation {
    struct pauses *pauses;
    struct store_pause pause; /* its profile is owned; NULL while all are loaded */
    bool removes;
    bool *changed;
    store_done *done;
    void *argument;
};

static struct operation *operation_create(struct pauses *pauses, store_done *done, void *argument)
{
    struct operation *operation = memory_allocate(sizeof *operation);
    operation->pauses = pauses;
    operation->done = done;
    operation->argument = argument;
    return operation;
}

static void operation_end(struct operation *operation, const struct failure *failure)
{
    operation->done(operation->argument, failure);
    memory_free((char *)operation->pause.profile);
    memory_free(operation);
}

static void loaded_one(void *argument, const struct store_pause *pause)
{
    const struct operation *operation = argument;
    remember(operation->pauses, pause);
}

static void loaded(void *argument, const struct failure *failure)
{
    operation_end(argument, failure);
}

void pauses_load(struct pauses *pauses, store_done *done, void *argument)
{
    store_pauses_load(pauses->store, loaded_one, loaded, operation_create(pauses, done, argument));
}

static void written(void *argument, const struct failure *failure)
{
    struct operation *operation = argument;
    struct pauses *pauses = operation->pauses;
    struct remembered *remembered = find(pauses, operation->pause.profile);
    if (operation->changed != NULL)
        *operation->changed = failure == NULL && (remembered != NULL) == operation->removes;
    if (failure == NULL && !operation->removes)
        remember(pauses, &operation->pause);
    else if (failure == NULL && remembered != NULL)
        forget(pauses, remembered);
    operation_end(operation, failure);
}

void pauses_add(struct pauses *pauses, const struct store_pause *pause, bool *changed,
                store_done *done, void *argument)
{
    struct operation *operation = operation_create(pauses, done, argument);
    operation->pause = *pause;
    operation->pause.profile = memory_copy_string(pause->profile);
    operation->changed = changed;
    store_profile_pause(pauses->store, &operation->pause, written, operation);
}

void pauses_remove(struct pauses *pauses, const char *profile, bool *changed, store_done *done,
                   void *argument)
{
    struct operation *operation = operation_create(pauses, done, argument);
    operation->pause.profile = memory_copy_string(profile);
    operation->removes = true;
    operation->changed = changed;
    store_profile_resume(pauses->store, profile, written, operation);
}
