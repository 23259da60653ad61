#include "daemon/intake.h"

#include "base/clock.h"
#include "base/memory.h"
#include "daemon/cycle.h"
#include "daemon/intake_decision.h"
#include "daemon/intake_folder.h"
#include "daemon/messages.h"

#include <string.h>

enum {
    INTAKE_BATCH = OUTBOX_SCAN_MAX,
    INTAKE_TROUBLE_MS = 30000, /* after the disk or the store has failed */
};

enum intake_state {
    INTAKE_CLOSED, /* the folders are not there yet */
    INTAKE_OPENING,
    INTAKE_IDLE,
    INTAKE_OPENING_AGAIN, /* after a reload */
    INTAKE_SCANNING,
    INTAKE_ASKING,     /* which the store knows */
    INTAKE_INSPECTING, /* the others are looked at */
    INTAKE_ACCEPTING,  /* copied to the queue, or moved to failed/ */
    INTAKE_ADDING,     /* told to the store */
    INTAKE_SETTLING,   /* taken out of intake/ */
};

/* One file of a round. */
struct intake_item {
    struct intake *intake;
    char id[OUTBOX_ID_SIZE];
    struct outbox_envelope envelope; /* owned */
    struct intake_decision decision;
    struct outbox_edit edit;
    uint64_t size; /* of the copy */
    bool known;    /* by the store, before this round */
    bool refused;
    bool failed; /* the disk or the store has: left for another round */
};

struct intake {
    const struct context *context;
    struct intake_owner owner;
    struct configuration *configuration;
    enum intake_state state;
    bool again; /* something may have come meanwhile */
    bool more;  /* there are more files than the round has taken */
    bool stopping;
    bool in_trouble; /* it was said */
    bool reloaded;   /* the folders are to be opened again */
    struct intake_folder folder;
    struct executor_timer timer;

    struct intake_item items[INTAKE_BATCH];
    size_t count;
    const char *ids[INTAKE_BATCH];
    uint8_t states[INTAKE_BATCH];
    size_t outstanding; /* of the station */
    void (*next)(struct intake *intake);
    struct failure failure; /* the first of the round */
    bool held_up;           /* it concerns more than one odd file */
};

static void intake_begin(void *argument);

/* --- a round's stations: all items go through one before the next --- */

static void station_enter(struct intake *intake, enum intake_state state,
                          void (*next)(struct intake *intake))
{
    intake->state = state;
    intake->next = next;
    intake->outstanding = 1; /* the station itself, until all of it has begun */
}

static void station_leave(struct intake *intake)
{
    if (--intake->outstanding == 0)
        intake->next(intake);
}

static void item_failed(struct intake_item *item, const struct failure *failure)
{
    item->failed = true;
    item->intake->held_up = true;
    if (!failure_is_set(&item->intake->failure))
        item->intake->failure = *failure;
}

/* --- the end of a round --- */

static void report_trouble(struct intake *intake)
{
    const struct failure *failure = &intake->failure;
    const struct log_fields fields = {
        .message_id = MESSAGE_INTAKE_FAILED, .step = failure->step, .code = failure->code};
    log_write(intake->context->log, intake->in_trouble ? LOG_PRIORITY_DEBUG : LOG_PRIORITY_CRITICAL,
              &fields,
              "submitted messages wait: %s (%s): %s; nothing is lost, it is tried again in %d s",
              failure->sentence == NULL ? "" : failure->sentence, failure->code, failure->text,
              INTAKE_TROUBLE_MS / 1000);
    intake->in_trouble = intake->held_up || intake->state == INTAKE_OPENING;
}

static void report_recovery(struct intake *intake)
{
    const struct log_fields fields = {.message_id = MESSAGE_INTAKE_FAILED};
    if (intake->in_trouble)
        log_write(intake->context->log, LOG_PRIORITY_NOTICE, &fields,
                  "submitted messages are taken in again");
    intake->in_trouble = false;
}

static void wait_for_more(struct intake *intake, uint64_t wait_ms)
{
    if (!intake->stopping)
        executor_after(intake->context->executor, &intake->timer, wait_ms, intake_begin, intake);
}

static void round_over(struct intake *intake)
{
    bool trouble = failure_is_set(&intake->failure);
    if (trouble)
        report_trouble(intake);
    else
        report_recovery(intake);
    for (size_t i = 0; i < intake->count; i++) {
        intake_decision_release(&intake->items[i].decision);
        outbox_envelope_release(&intake->items[i].envelope);
    }
    bool held_up = intake->held_up || (trouble && intake->count == 0);
    intake->count = 0;
    intake->held_up = false;
    intake->failure = (struct failure){0};
    if (intake->state != INTAKE_OPENING)
        intake->state = INTAKE_IDLE;
    else
        intake->state = trouble ? INTAKE_CLOSED : INTAKE_IDLE;
    if (held_up)
        wait_for_more(intake, INTAKE_TROUBLE_MS);
    else if (intake->more || intake->again)
        wait_for_more(intake, 0);
    else
        wait_for_more(intake, intake->configuration->config->outbox_scan_interval_ms);
}

/* --- 6: settle --- */

static void item_settled(void *argument, const struct failure *failure)
{
    struct intake_item *item = argument;
    if (failure != NULL)
        item_failed(item, failure);
    station_leave(item->intake);
}

static void intake_settle(struct intake *intake)
{
    station_enter(intake, INTAKE_SETTLING, round_over);
    for (size_t i = 0; i < intake->count; i++) {
        struct intake_item *item = &intake->items[i];
        if (item->failed || item->refused)
            continue;
        intake->outstanding++;
        outbox_settle(intake->context->outbox, item->id, item_settled, item);
    }
    station_leave(intake);
}

/* --- 5: add to the store --- */

static void item_added(void *argument, const struct failure *failure)
{
    struct intake_item *item = argument;
    struct intake *intake = item->intake;
    if (failure != NULL)
        item_failed(item, failure);
    else
        intake->owner.queued(intake->owner.argument, item->decision.mailbox);
    station_leave(intake);
}

static void item_add(struct intake_item *item)
{
    const struct outbox_envelope *envelope = &item->envelope;
    struct store_submission row = {
        .state = STORE_SUBMISSION_QUEUED,
        .queued_ms = clock_wall_ms(),
        .size = item->size,
        .submitter = (uint32_t)envelope->submitter,
        .null_sender = envelope->null_sender,
        .message_id = envelope->message_id != NULL ? envelope->message_id
                                                   : buffer_string(&item->decision.message_id),
        .subject = envelope->subject,
        .recipients = buffer_string(&item->decision.recipients),
    };
    memcpy(row.id, item->id, sizeof row.id);
    store_submission_add(item->intake->context->store, item->decision.mailbox, &row, row.queued_ms,
                         item_added, item);
}

/* In the order in which they came. Behind one that failed the round goes on: it comes later. */
static void intake_add(struct intake *intake)
{
    station_enter(intake, INTAKE_ADDING, intake_settle);
    for (size_t i = 0; i < intake->count; i++) {
        struct intake_item *item = &intake->items[i];
        if (item->failed || item->refused || item->known)
            continue;
        intake->outstanding++;
        item_add(item);
    }
    station_leave(intake);
}

/* --- 4: accept or refuse --- */

static void item_refused(void *argument, const struct failure *failure)
{
    struct intake_item *item = argument;
    if (failure != NULL)
        item_failed(item, failure);
    station_leave(item->intake);
}

static void report_refusal(const struct intake_item *item)
{
    const struct context *context = item->intake->context;
    const char *reason = buffer_string(&item->decision.reason);
    struct store_failure row = {
        .failure = {.category = FAILURE_ITEM,
                    .scope = FAILURE_SCOPE_ITEM,
                    .permanent = true,
                    .sentence = "A submitted message was not taken.",
                    .remedy = "Mend it, and submit it again."},
        .profile = "",
        .direction = cycle_direction_name(CYCLE_OUTGOING),
        .submission = item->id,
        .now_ms = clock_wall_ms(),
        .next_retry_ms = INT64_MAX,
    };
    failure_set_code(&row.failure, "NotTaken");
    failure_set_step(&row.failure, "submit");
    failure_set_text(&row.failure, reason, strlen(reason));
    store_failure_record(context->store, &row, NULL, NULL);
    const struct log_fields fields = {.message_id = MESSAGE_INTAKE_REFUSED,
                                      .direction = cycle_direction_name(CYCLE_OUTGOING),
                                      .step = "submit",
                                      .code = "NotTaken"};
    log_write(context->log, LOG_PRIORITY_WARNING, &fields,
              "a message of the user %s was not taken and is kept as failed/%s.eml: %s",
              item->envelope.submitter_name == NULL ? "without a name"
                                                    : item->envelope.submitter_name,
              item->id, reason);
}

static void item_refuse(struct intake_item *item)
{
    item->refused = true;
    report_refusal(item);
    outbox_envelope_release(&item->envelope); /* large ones of many files would add up */
    outbox_refuse(item->intake->context->outbox, item->id, buffer_string(&item->decision.reason),
                  item_refused, item);
}

static void item_accepted(void *argument, const struct failure *failure, uint64_t size)
{
    struct intake_item *item = argument;
    item->size = size;
    if (failure != NULL && failure->permanent && failure->scope == FAILURE_SCOPE_ITEM) {
        buffer_append_string(&item->decision.reason, failure->sentence);
        item_refuse(item);
        return;
    }
    if (failure != NULL)
        item_failed(item, failure);
    station_leave(item->intake);
}

static void item_decide(struct intake_item *item)
{
    struct intake *intake = item->intake;
    intake_decide(&item->decision, &intake->owner, intake->configuration->config, &item->envelope,
                  item->id);
    if (!item->decision.taken) {
        item_refuse(item);
        return;
    }
    item->edit = (struct outbox_edit){
        .from = buffer_string(&item->decision.from),
        .without_to = item->envelope.to.count == 0,
        .without_cc = item->envelope.cc.count == 0,
        .message_id =
            item->decision.message_id.length > 0 ? buffer_string(&item->decision.message_id) : NULL,
    };
    outbox_accept(intake->context->outbox, item->id, &item->edit, item_accepted, item);
}

static void intake_accept(struct intake *intake)
{
    station_enter(intake, INTAKE_ACCEPTING, intake_add);
    for (size_t i = 0; i < intake->count; i++) {
        struct intake_item *item = &intake->items[i];
        if (item->failed || item->refused || item->known)
            continue;
        intake->outstanding++;
        item_decide(item);
    }
    station_leave(intake);
}

/* --- 3: inspect --- */

static void item_inspected(void *argument, const struct failure *failure,
                           struct outbox_envelope *envelope)
{
    struct intake_item *item = argument;
    item->envelope = *envelope;
    if (failure != NULL && failure->gone)
        item->refused = true; /* somebody has taken it away */
    else if (failure != NULL)
        item_failed(item, failure);
    station_leave(item->intake);
}

static void intake_inspect(struct intake *intake)
{
    station_enter(intake, INTAKE_INSPECTING, intake_accept);
    for (size_t i = 0; i < intake->count; i++) {
        struct intake_item *item = &intake->items[i];
        item->known = intake->states[i] != 0;
        if (item->known)
            continue;
        intake->outstanding++;
        outbox_inspect(intake->context->outbox, item->id, item_inspected, item);
    }
    station_leave(intake);
}

/* --- 2: ask the store --- */

static void intake_told(void *argument, const struct failure *failure)
{
    struct intake *intake = argument;
    if (failure != NULL) {
        intake->failure = *failure;
        intake->held_up = true;
        round_over(intake);
        return;
    }
    intake_inspect(intake);
}

/* --- 1: scan --- */

static void intake_scanned(void *argument, const struct failure *failure,
                           const char (*ids)[OUTBOX_ID_SIZE], size_t count, bool more)
{
    struct intake *intake = argument;
    if (failure != NULL)
        intake->failure = *failure;
    intake->count = count < INTAKE_BATCH ? count : INTAKE_BATCH;
    intake->more = more || count > INTAKE_BATCH;
    for (size_t i = 0; i < intake->count; i++) {
        intake->items[i] = (struct intake_item){.intake = intake};
        memcpy(intake->items[i].id, ids[i], OUTBOX_ID_SIZE);
        intake->ids[i] = intake->items[i].id;
    }
    if (count == 0) {
        round_over(intake);
        return;
    }
    intake->state = INTAKE_ASKING;
    store_submissions_states(intake->context->store, intake->ids, intake->count, intake->states,
                             intake_told, intake);
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
        intake->failure = *failure;
    } else {
        intake->again = true;
        intake_folder_publish(&intake->folder, intake->configuration->config);
    }
    round_over(intake);
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
    intake->state = INTAKE_SCANNING;
    outbox_scan(intake->context->outbox, intake_scanned, intake);
}

/* --- the whole --- */

struct intake *intake_create(const struct context *context, const struct intake_owner *owner)
{
    struct intake *intake = memory_allocate(sizeof *intake);
    intake->context = context;
    intake->owner = *owner;
    intake->folder = (struct intake_folder){
        .context = context, .changed = intake_changed, .opened = intake_opened, .argument = intake};
    return intake;
}

void intake_configure(struct intake *intake, struct configuration *configuration)
{
    bool first = intake->configuration == NULL;
    configuration_use(configuration);
    if (!first)
        configuration_release(intake->configuration);
    intake->configuration = configuration;
    if (intake->state != INTAKE_CLOSED && intake->state != INTAKE_OPENING) {
        intake->reloaded = intake->again = true;
        intake_folder_publish(&intake->folder, configuration->config);
    }
    if (intake->state == INTAKE_CLOSED || intake->state == INTAKE_IDLE)
        wait_for_more(intake, 0);
}

void intake_stop(struct intake *intake)
{
    intake->stopping = true;
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
    if (intake->configuration != NULL)
        configuration_release(intake->configuration);
    memory_free(intake);
}
