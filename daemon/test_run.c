#include "daemon/test_run.h"

#include "base/memory.h"
#include "daemon/account_test.h"
#include "daemon/mailbox_test.h"
#include "daemon/server_test.h"
#include "daemon/service_private.h"

#include <string.h>
#include <sys/queue.h>

/* A mailbox whose message is on its way uses no connection meanwhile. */
enum { MAILBOXES_A_CONNECTION = 2, PROFILES_AT_A_TIME = 8, FAILED_A_TURN = 50 };

struct group;

struct tested_mailbox {
    TAILQ_ENTRY(tested_mailbox) entries;
    struct group *group;
    const char *address; /* the group's */
    struct mailbox_test *test;
    uint32_t elapsed_ms;
    bool failed;
    struct test_step cause;
};

/* The mailboxes of one profile. */
struct group {
    TAILQ_ENTRY(group) entries;
    struct test_run *run;
    char *profile_name;
    struct profile *profile; /* used, from its start to its end */
    char **addresses;
    size_t count;
    size_t next; /* of the addresses */
    bool ready;  /* the profile has passed */
    bool failed; /* it has not, for this cause: */
    struct test_step cause;
    struct server_test *server;
    struct account_test *account;
    TAILQ_HEAD(, tested_mailbox) running;
    size_t running_count;
    struct executor_call call;
};

struct test_run {
    struct service *service;
    struct test_run_events events;
    bool sends;
    bool forced;
    TAILQ_HEAD(, group) waiting;
    TAILQ_HEAD(, group) running;
    size_t running_count;
    size_t profile_count;
    size_t mailbox_count;
    struct executor_call call;
};

static void group_go_on(void *argument);
static void run_go_on(void *argument);

static struct executor *executor_of(const struct test_run *run)
{
    return run->service->context.executor;
}

/* --- life --- */

static void tested_free(struct tested_mailbox *tested)
{
    TAILQ_REMOVE(&tested->group->running, tested, entries);
    tested->group->running_count--;
    memory_free(tested);
}

static void group_free(struct group *group)
{
    struct tested_mailbox *tested;
    while ((tested = TAILQ_FIRST(&group->running)) != NULL) {
        if (tested->test != NULL)
            mailbox_test_cancel(tested->test);
        tested_free(tested);
    }
    if (group->server != NULL)
        server_test_cancel(group->server);
    if (group->account != NULL)
        account_test_cancel(group->account);
    if (group->profile != NULL)
        profile_release(group->profile);
    executor_cancel_call(executor_of(group->run), &group->call);
    for (size_t i = 0; i < group->count; i++)
        memory_free(group->addresses[i]);
    memory_free(group->addresses);
    memory_free(group->profile_name);
    memory_free(group);
}

void test_run_cancel(struct test_run *run)
{
    struct group *group;
    while ((group = TAILQ_FIRST(&run->waiting)) != NULL) {
        TAILQ_REMOVE(&run->waiting, group, entries);
        group_free(group);
    }
    while ((group = TAILQ_FIRST(&run->running)) != NULL) {
        TAILQ_REMOVE(&run->running, group, entries);
        group_free(group);
    }
    executor_cancel_call(executor_of(run), &run->call);
    memory_free(run);
}

static void group_ended(struct group *group)
{
    struct test_run *run = group->run;
    TAILQ_REMOVE(&run->running, group, entries);
    run->running_count--;
    group_free(group);
    executor_defer(executor_of(run), &run->call, run_go_on, run);
}

static void go_on_later(struct group *group)
{
    executor_defer(executor_of(group->run), &group->call, group_go_on, group);
}

/* --- mailboxes --- */

static void on_step(void *argument, const struct test_step *step)
{
    struct tested_mailbox *tested = argument;
    struct group *group = tested->group;
    const struct test_run_events *events = &group->run->events;
    tested->elapsed_ms += step->elapsed_ms;
    if (step->result == TEST_FAILED) {
        tested->failed = true;
        tested->cause = *step;
    }
    events->step(events->argument, group->profile_name, tested->address, step);
}

static void on_done(void *argument)
{
    struct tested_mailbox *tested = argument;
    struct group *group = tested->group;
    const struct test_run_events *events = &group->run->events;
    const struct test_run_outcome outcome = {
        .address = tested->address,
        .profile = group->profile_name,
        .passed = !tested->failed,
        .elapsed_ms = tested->elapsed_ms,
        .cause = tested->failed ? &tested->cause : NULL,
    };
    tested->test = NULL;
    go_on_later(group);
    events->outcome(events->argument, &outcome);
    tested_free(tested);
}

static void start_next(struct group *group)
{
    struct test_run *run = group->run;
    const char *address = group->addresses[group->next++];
    const struct mailbox *mailbox = service_mailbox(run->service, address);
    if (mailbox == NULL)
        return;
    struct tested_mailbox *tested = memory_allocate(sizeof *tested);
    const struct mailbox_test_events events = {
        .step = on_step, .done = on_done, .argument = tested};
    tested->group = group;
    tested->address = address;
    TAILQ_INSERT_TAIL(&group->running, tested, entries);
    group->running_count++;
    tested->test = mailbox_test_start(run->service, mailbox, run->sends, &events);
}

static void tell_failed(struct group *group)
{
    const struct test_run_events *events = &group->run->events;
    const struct test_run_outcome outcome = {
        .address = group->addresses[group->next++],
        .profile = group->profile_name,
        .cause = &group->cause,
    };
    events->outcome(events->argument, &outcome);
}

/* Whether there is more to begin, and somebody to be told of it. */
static bool has_next(const struct group *group)
{
    const struct test_run_events *events = &group->run->events;
    return group->next < group->count && events->ready(events->argument);
}

static void group_go_on(void *argument)
{
    struct group *group = argument;
    size_t places =
        group->ready ? MAILBOXES_A_CONNECTION * http_pool_budget(group->profile->pool) : 0;
    size_t told = 0;
    while (group->failed && told < FAILED_A_TURN && has_next(group)) {
        tell_failed(group);
        told++;
    }
    while (group->ready && group->running_count < places && has_next(group))
        start_next(group);
    if (told == FAILED_A_TURN)
        go_on_later(group);
    else if (group->next == group->count && group->running_count == 0)
        group_ended(group);
}

void test_run_go_on(struct test_run *run)
{
    struct group *group;
    TAILQ_FOREACH(group, &run->running, entries)
    {
        if (group->ready || group->failed)
            go_on_later(group);
    }
}

/* --- the profile --- */

/* Tells the steps; the last of them decides. */
static bool profile_passes(struct group *group, const struct test_step *steps, size_t count)
{
    const struct test_run_events *events = &group->run->events;
    for (size_t i = 0; i < count; i++)
        events->step(events->argument, group->profile_name, NULL, &steps[i]);
    group->failed = steps[count - 1].result == TEST_FAILED;
    if (!group->failed)
        return true;
    group->cause = steps[count - 1];
    go_on_later(group);
    return false;
}

static void account_was_tested(void *argument, const struct test_step *steps, size_t count,
                               enum account_mailbox own)
{
    (void)own; /* only who looks for the cause of a refusal wants to know */
    struct group *group = argument;
    group->account = NULL;
    if (!profile_passes(group, steps, count))
        return;
    group->ready = true;
    go_on_later(group);
}

static void server_was_tested(void *argument, const struct test_step *steps, size_t count)
{
    struct group *group = argument;
    group->server = NULL;
    if (profile_passes(group, steps, count))
        group->account =
            account_test_start(group->profile, group->run->forced, account_was_tested, group);
}

static void group_start(struct group *group)
{
    group->profile = service_profile(group->run->service, group->profile_name);
    if (group->profile == NULL) { /* it has left the configuration, and its mailboxes with it */
        group->next = group->count;
        go_on_later(group);
        return;
    }
    profile_use(group->profile);
    group->server = server_test_start(group->profile, server_was_tested, group);
}

/* --- the run --- */

static void run_go_on(void *argument)
{
    struct test_run *run = argument;
    struct group *group;
    while (run->running_count < PROFILES_AT_A_TIME &&
           (group = TAILQ_FIRST(&run->waiting)) != NULL) {
        TAILQ_REMOVE(&run->waiting, group, entries);
        TAILQ_INSERT_TAIL(&run->running, group, entries);
        run->running_count++;
        group_start(group);
    }
    if (run->running_count > 0)
        return;
    const struct test_run_events events = run->events;
    test_run_cancel(run);
    events.done(events.argument);
}

static struct group *find_or_add_group(struct test_run *run, const char *profile_name)
{
    struct group *group;
    TAILQ_FOREACH(group, &run->waiting, entries)
    {
        if (strcmp(group->profile_name, profile_name) == 0)
            return group;
    }
    group = memory_allocate(sizeof *group);
    group->run = run;
    group->profile_name = memory_copy_string(profile_name);
    TAILQ_INIT(&group->running);
    TAILQ_INSERT_TAIL(&run->waiting, group, entries);
    run->profile_count++;
    return group;
}

static void add_mailbox(struct test_run *run, const struct config_mailbox *config)
{
    struct group *group = find_or_add_group(run, config->settings->profile->name);
    if ((group->count & (group->count - 1)) == 0) {
        size_t room = group->count == 0 ? 1 : 2 * group->count;
        group->addresses = memory_resize(group->addresses, room * sizeof *group->addresses);
    }
    group->addresses[group->count++] = memory_copy_string(config->address);
    run->mailbox_count++;
}

static void choose(struct test_run *run, const struct test_run_options *options)
{
    const struct config *config = run->service->configuration->config;
    if (options->address != NULL) {
        const struct config_mailbox *one = config_find_mailbox(config, options->address);
        if (one != NULL)
            add_mailbox(run, one);
        return;
    }
    for (size_t i = 0; i < config->mailbox_count; i++) {
        const struct config_mailbox *mailbox = &config->mailboxes[i];
        if (options->profile == NULL ||
            strcmp(mailbox->settings->profile->name, options->profile) == 0)
            add_mailbox(run, mailbox);
    }
    /* A profile without mailboxes can be tested all the same. */
    if (options->profile != NULL && config_find_profile(config, options->profile) != NULL)
        find_or_add_group(run, options->profile);
}

struct test_run *test_run_start(struct service *service, const struct test_run_options *options,
                                const struct test_run_events *events)
{
    struct test_run *run = memory_allocate(sizeof *run);
    run->service = service;
    run->events = *events;
    run->sends = options->sends;
    run->forced = options->forced;
    TAILQ_INIT(&run->waiting);
    TAILQ_INIT(&run->running);
    choose(run, options);
    if (run->profile_count == 0) {
        test_run_cancel(run);
        return NULL;
    }
    executor_defer(executor_of(run), &run->call, run_go_on, run);
    return run;
}

size_t test_run_mailboxes(const struct test_run *run)
{
    return run->mailbox_count;
}

size_t test_run_profiles(const struct test_run *run)
{
    return run->profile_count;
}
