#include "daemon/view_numbers.h"

#include "base/memory.h"
#include "store/store_actions.h"
#include "store/store_alerts.h"
#include "store/store_failures.h"

#include <stdlib.h>
#include <string.h>

/* --- alerts --- */

static struct view_alerts *alerts_of(struct view_numbers *numbers, const char *profile)
{
    for (size_t i = 0; i < numbers->alert_count; i++) {
        if (strcmp(numbers->alerts[i].profile, profile) == 0)
            return &numbers->alerts[i];
    }
    size_t count = ++numbers->alert_count;
    numbers->alerts = memory_resize(numbers->alerts, count * sizeof *numbers->alerts);
    struct view_alerts *alerts = &numbers->alerts[count - 1];
    *alerts = (struct view_alerts){.profile = memory_copy_string(profile)};
    return alerts;
}

static void keep_alerts(void *argument, const struct store_alert_count *count)
{
    struct view_numbers *numbers = argument;
    struct view_alerts *alerts = alerts_of(numbers, count->profile);
    if (count->level == STORE_ALERT_ERROR) {
        alerts->errors += count->count;
        numbers->errors += count->count;
        numbers->item_errors += count->items;
    } else if (count->level == STORE_ALERT_WARNING) {
        alerts->warnings += count->count;
        numbers->warnings += count->count;
    }
}

struct view_alerts view_numbers_alerts(const struct view_numbers *numbers, const char *profile)
{
    for (size_t i = 0; i < numbers->alert_count; i++) {
        if (strcmp(numbers->alerts[i].profile, profile) == 0)
            return numbers->alerts[i];
    }
    return (struct view_alerts){0};
}

/* --- what waits to be sent --- */

static int by_mailbox(const void *a, const void *b)
{
    const struct view_backlog *left = a, *right = b;
    return (left->mailbox > right->mailbox) - (left->mailbox < right->mailbox);
}

static struct view_backlog *add_backlog(struct view_numbers *numbers, int64_t mailbox)
{
    if (numbers->backlog_count == numbers->backlog_capacity) {
        numbers->backlog_capacity =
            numbers->backlog_capacity == 0 ? 64 : 2 * numbers->backlog_count;
        numbers->backlogs =
            memory_resize(numbers->backlogs, numbers->backlog_capacity * sizeof *numbers->backlogs);
    }
    struct view_backlog *backlog = &numbers->backlogs[numbers->backlog_count++];
    *backlog = (struct view_backlog){.mailbox = mailbox};
    return backlog;
}

static void keep_waiting(void *argument, const struct store_backlog *backlog)
{
    struct view_numbers *numbers = argument;
    if (backlog->waiting > 0)
        add_backlog(numbers, backlog->mailbox.number)->waiting = backlog->waiting;
    numbers->waiting += backlog->waiting;
}

static void keep_held(void *argument, int64_t mailbox, uint64_t held)
{
    struct view_numbers *numbers = argument;
    add_backlog(numbers, mailbox)->held = held;
    numbers->held += held;
}

/* A mailbox has one for what waits and one for what is held, perhaps: they become one. */
static void merge_backlogs(struct view_numbers *numbers)
{
    size_t count = 0;
    if (numbers->backlog_count == 0)
        return;
    qsort(numbers->backlogs, numbers->backlog_count, sizeof *numbers->backlogs, by_mailbox);
    for (size_t i = 1; i < numbers->backlog_count; i++) {
        const struct view_backlog *next = &numbers->backlogs[i];
        struct view_backlog *last = &numbers->backlogs[count];
        if (next->mailbox != last->mailbox) {
            numbers->backlogs[++count] = *next;
            continue;
        }
        last->waiting += next->waiting;
        last->held += next->held;
    }
    numbers->backlog_count = count + 1;
}

struct view_backlog view_numbers_backlog(const struct view_numbers *numbers, int64_t mailbox)
{
    const struct view_backlog wanted = {.mailbox = mailbox};
    if (numbers->backlog_count == 0)
        return wanted;
    const struct view_backlog *found = bsearch(&wanted, numbers->backlogs, numbers->backlog_count,
                                               sizeof *numbers->backlogs, by_mailbox);
    return found == NULL ? wanted : *found;
}

/* --- reading --- */

static void counted(void *argument, const struct failure *failure)
{
    struct view_numbers *numbers = argument;
    merge_backlogs(numbers);
    numbers->done(numbers->argument, failure);
}

static void refused_counted(void *argument, const struct failure *failure)
{
    struct view_numbers *numbers = argument;
    if (failure != NULL)
        numbers->done(numbers->argument, failure);
    else
        store_alerts_count(numbers->store, keep_alerts, counted, numbers);
}

static void held_read(void *argument, const struct failure *failure)
{
    struct view_numbers *numbers = argument;
    if (failure != NULL)
        numbers->done(numbers->argument, failure);
    else
        store_failures_count_refused(numbers->store, &numbers->refused, refused_counted, numbers);
}

static void waiting_read(void *argument, const struct failure *failure)
{
    struct view_numbers *numbers = argument;
    if (failure != NULL)
        numbers->done(numbers->argument, failure);
    else
        store_queue_held(numbers->store, keep_held, held_read, numbers);
}

void view_numbers_read(struct view_numbers *numbers, struct store *store, store_done *done,
                       void *argument)
{
    numbers->store = store;
    numbers->done = done;
    numbers->argument = argument;
    store_submissions_show(store, keep_waiting, waiting_read, numbers);
}

void view_numbers_release(struct view_numbers *numbers)
{
    for (size_t i = 0; i < numbers->alert_count; i++)
        memory_free(numbers->alerts[i].profile);
    memory_free(numbers->alerts);
    memory_free(numbers->backlogs);
    *numbers = (struct view_numbers){0};
}
