#include "daemon/intake.h"

#include "base/memory.h"
#include "daemon/intake_folder.h"
#include "daemon/intake_round.h"
#include "daemon/messages.h"
#include "daemon/refusals.h"

#include <string.h>

enum { INTAKE_TROUBLE_MS = 30000 /* after the disk or the store has failed */ };

enum intake_state {
    INTAKE_CLOSED, /* the folders are not there yet */
    INTAKE_OPENING,
    INTAKE_IDLE,
    INTAKE_OPENING_AGAIN, /* after a reload */
    INTAKE_ROUND,         /* intake_round.h */
};

struct intake {
    const struct context *context;
    struct intake_owner owner;
    struct configuration *configuration;
    enum intake_state state;
    bool again; /* something may have come meanwhile */
    bool stopping;
    bool reloaded;       /* the folders are to be opened again */
    struct failure said; /* what is wrong, as it was said; not set: nothing is */
    struct intake_folder folder;
    struct executor_timer timer;
    struct intake_round round;
    struct refusals refusals;
};

static void intake_begin(void *argument);

/* --- what is said --- */

/* Once, as long as it is the same. */
static void report_trouble(struct intake *intake, const struct failure *failure)
{
    bool known = strcmp(intake->said.code, failure->code) == 0;
    intake->said = *failure;
    const struct log_fields fields = {
        .message_id = MESSAGE_INTAKE_FAILED, .step = failure->step, .code = failure->code};
    log_write(intake->context->log, known ? LOG_PRIORITY_DEBUG : LOG_PRIORITY_CRITICAL, &fields,
              "submitted messages wait: %s (%s): %s; nothing is lost, it is tried again in %d s",
              failure->sentence == NULL ? "" : failure->sentence, failure->code, failure->text,
              INTAKE_TROUBLE_MS / 1000);
}

static void report_recovery(struct intake *intake)
{
    const struct log_fields fields = {.message_id = MESSAGE_INTAKE_FAILED};
    if (failure_is_set(&intake->said))
        log_write(intake->context->log, LOG_PRIORITY_NOTICE, &fields,
                  "submitted messages are taken in again");
    intake->said = (struct failure){0};
}

/* --- one round after the other --- */

static void wait_for_more(struct intake *intake, uint64_t wait_ms)
{
    if (!intake->stopping)
        executor_after(intake->context->executor, &intake->timer, wait_ms, intake_begin, intake);
}

static void round_over(struct intake_round *round)
{
    struct intake *intake = round->argument;
    bool trouble = failure_is_set(&round->failure);
    if (trouble)
        report_trouble(intake, &round->failure);
    else
        report_recovery(intake);
    intake->state = INTAKE_IDLE;
    if (round->held_up || (trouble && round->count == 0))
        wait_for_more(intake, INTAKE_TROUBLE_MS);
    else if (round->more || intake->again)
        wait_for_more(intake, 0);
    else
        wait_for_more(intake, intake->configuration->config->outbox_scan_interval_ms);
}

static void intake_changed(void *argument)
{
    struct intake *intake = argument;
    intake->again = true;
    if (intake->state == INTAKE_IDLE)
        wait_for_more(intake, 0);
}

/* --- opening, for the first time and again --- */

static void opened_again(struct intake *intake, const struct failure *failure)
{
    intake->state = INTAKE_IDLE;
    if (failure == NULL)
        refusals_open(&intake->refusals);
    if (failure != NULL) {
        const struct log_fields fields = {
            .message_id = MESSAGE_INTAKE_FAILED, .step = failure->step, .code = failure->code};
        log_write(intake->context->log, LOG_PRIORITY_WARNING, &fields,
                  "the outbox stays as it was before the reload: %s (%s): %s",
                  failure->sentence == NULL ? "" : failure->sentence, failure->code, failure->text);
    }
    wait_for_more(intake, 0);
}

static void intake_opened(void *argument, const struct failure *failure)
{
    struct intake *intake = argument;
    if (intake->state == INTAKE_OPENING_AGAIN) {
        opened_again(intake, failure);
        return;
    }
    if (failure != NULL) {
        report_trouble(intake, failure);
        intake->state = INTAKE_CLOSED;
        wait_for_more(intake, INTAKE_TROUBLE_MS);
        return;
    }
    report_recovery(intake);
    intake->state = INTAKE_IDLE;
    intake_folder_publish(&intake->folder, intake->configuration->config);
    refusals_open(&intake->refusals);
    wait_for_more(intake, 0);
}

static void intake_begin(void *argument)
{
    struct intake *intake = argument;
    if (intake->stopping)
        return;
    if (intake->state == INTAKE_CLOSED) {
        intake->state = INTAKE_OPENING;
        intake_folder_open(&intake->folder);
        return;
    }
    if (intake->state != INTAKE_IDLE)
        return;
    if (intake->reloaded) {
        intake->reloaded = false;
        intake->state = INTAKE_OPENING_AGAIN;
        intake_folder_open(&intake->folder);
        return;
    }
    intake_folder_tidy(&intake->folder);
    intake->again = false;
    intake->state = INTAKE_ROUND;
    intake->round.configuration = intake->configuration;
    intake_round_start(&intake->round);
}

/* --- the whole --- */

struct intake *intake_create(const struct context *context, const struct intake_owner *owner)
{
    struct intake *intake = memory_allocate(sizeof *intake);
    intake->context = context;
    intake->owner = *owner;
    intake->refusals.context = context;
    intake->folder = (struct intake_folder){
        .context = context, .changed = intake_changed, .opened = intake_opened, .argument = intake};
    intake->round = (struct intake_round){
        .context = context, .owner = &intake->owner, .done = round_over, .argument = intake};
    return intake;
}

void intake_configure(struct intake *intake, struct configuration *configuration)
{
    bool first = intake->configuration == NULL;
    configuration_use(configuration);
    if (!first)
        configuration_release(intake->configuration);
    intake->configuration = configuration;
    /* While they are opened, too: the group may have been looked for before. */
    intake->reloaded = intake->again = intake->state != INTAKE_CLOSED;
    if (intake->state != INTAKE_CLOSED && intake->state != INTAKE_OPENING)
        intake_folder_publish(&intake->folder, configuration->config);
    if (intake->state == INTAKE_CLOSED || intake->state == INTAKE_IDLE)
        wait_for_more(intake, 0);
}

void intake_look(struct intake *intake)
{
    intake_changed(intake);
}

size_t intake_unknown(const struct intake *intake)
{
    return intake != NULL ? intake->folder.sweep.unknown : 0;
}

void intake_note_unknown(struct intake *intake, size_t unknown)
{
    intake->folder.sweep.unknown = unknown;
}

void intake_stop(struct intake *intake)
{
    intake->stopping = true;
    refusals_stop(&intake->refusals);
    executor_cancel_timer(intake->context->executor, &intake->timer);
}

bool intake_is_busy(const struct intake *intake)
{
    if (intake == NULL)
        return false;
    return intake->state != INTAKE_CLOSED && intake->state != INTAKE_IDLE;
}

void intake_free(struct intake *intake)
{
    if (intake == NULL)
        return;
    executor_cancel_timer(intake->context->executor, &intake->timer);
    intake_folder_release(&intake->folder);
    refusals_release(&intake->refusals);
    if (intake->configuration != NULL)
        configuration_release(intake->configuration);
    memory_free(intake);
}
