#include "faults.h"

#include "base/memory.h"

#include <pthread.h>
#include <string.h>
#include <strings.h>

struct faults {
    pthread_mutex_t lock;
    struct fault **list;
    size_t count;
};

struct faults *faults_create(void)
{
    struct faults *faults = memory_allocate(sizeof *faults);
    pthread_mutex_init(&faults->lock, NULL);
    return faults;
}

void fault_free(struct fault *fault)
{
    for (size_t i = 0; i < fault->header_count; i++) {
        memory_free(fault->headers[i].name);
        memory_free(fault->headers[i].value);
    }
    memory_free(fault->headers);
    memory_free(fault->operation);
    memory_free(fault->mailbox);
    memory_free(fault->text);
    memory_free(fault->soap_code);
    memory_free(fault->response_code);
    memory_free(fault->message);
    memory_free(fault->prefix);
    memory_free(fault);
}

void faults_free(struct faults *faults)
{
    for (size_t i = 0; i < faults->count; i++)
        fault_free(faults->list[i]);
    memory_free(faults->list);
    pthread_mutex_destroy(&faults->lock);
    memory_free(faults);
}

unsigned faults_add(struct faults *faults, struct fault *fault)
{
    pthread_mutex_lock(&faults->lock);
    faults->list = memory_resize(faults->list, (faults->count + 1) * sizeof *faults->list);
    faults->list[faults->count++] = fault;
    fault->number = (unsigned)faults->count;
    pthread_mutex_unlock(&faults->lock);
    return fault->number;
}

void faults_clear(struct faults *faults, unsigned number)
{
    pthread_mutex_lock(&faults->lock);
    for (size_t i = 0; i < faults->count; i++)
        if (number == 0 || faults->list[i]->number == number)
            faults->list[i]->is_over = true;
    pthread_mutex_unlock(&faults->lock);
}

static bool is_same(const char *wanted, const char *found)
{
    return wanted == NULL || (found != NULL && strcasecmp(wanted, found) == 0);
}

/* True when the fault is looked for at this moment and fits the request. */
static bool fits(const struct fault *fault, const struct fault_target *target, bool before_reading)
{
    bool is_early = fault->action == FAULT_CLOSE_BEFORE && fault->operation == NULL;
    return !fault->is_over && is_early == before_reading &&
           is_same(fault->operation, target->operation) &&
           is_same(fault->mailbox, target->mailbox) && (!fault->only_reused || target->is_reused);
}

/* Counts a request that fits; true when the fault meets it. */
static bool takes(struct fault *fault)
{
    fault->seen++;
    if (fault->seen <= fault->after)
        return false;
    if (fault->every > 1 && (fault->seen - fault->after) % fault->every != 0)
        return false;
    fault->hits++;
    if (!fault->forever && --fault->count == 0)
        fault->is_over = true;
    return true;
}

const struct fault *faults_meet(struct faults *faults, const struct fault_target *target,
                                bool before_reading)
{
    const struct fault *met = NULL;
    pthread_mutex_lock(&faults->lock);
    for (size_t i = 0; i < faults->count && met == NULL; i++)
        if (fits(faults->list[i], target, before_reading) && takes(faults->list[i]))
            met = faults->list[i];
    pthread_mutex_unlock(&faults->lock);
    return met;
}

void faults_visit(struct faults *faults, faults_visitor *visit, void *context)
{
    pthread_mutex_lock(&faults->lock);
    for (size_t i = 0; i < faults->count; i++)
        visit(faults->list[i], context);
    pthread_mutex_unlock(&faults->lock);
}
