#include "daemon/intake_round.h"

#include "base/clock.h"
#include "base/memory.h"
#include "daemon/cycle.h"
#include "daemon/failed_file.h"
#include "daemon/messages.h"
#include "mail/outbox.h"

#include <string.h>

/* --- stations: all items go through one before the next --- */

static void station_enter(struct intake_round *round, enum intake_round_state state,
                          void (*next)(struct intake_round *round))
{
    round->state = state;
    round->next = next;
    round->outstanding = 1; /* the station itself, until all of it has begun */
}

static void station_leave(struct intake_round *round)
{
    if (--round->outstanding == 0)
        round->next(round);
}

static void item_failed(struct intake_item *item, const struct failure *failure)
{
    struct intake_round *round = item->round;
    item->failed = true;
    if (!round->held_up) /* more than an odd file that the scan has met */
        round->failure = *failure;
    round->held_up = true;
}

/* --- the end --- */

static void round_over(struct intake_round *round)
{
    round->state = INTAKE_ROUND_IDLE;
    for (size_t i = 0; i < round->count; i++) {
        intake_decision_release(&round->items[i].decision);
        outbox_envelope_release(&round->items[i].envelope);
    }
    configuration_release(round->configuration);
    round->done(round);
}

/* --- 6: settle --- */

static void item_settled(void *argument, const struct failure *failure)
{
    struct intake_item *item = argument;
    if (failure != NULL)
        item_failed(item, failure);
    else if (item->over) /* a kill came between its end and this */
        outbox_remove(item->round->context->outbox, item->id, NULL, NULL);
    station_leave(item->round);
}

static void round_settle(struct intake_round *round)
{
    station_enter(round, INTAKE_ROUND_SETTLING, round_over);
    for (size_t i = 0; i < round->count; i++) {
        struct intake_item *item = &round->items[i];
        if (item->failed || item->refused)
            continue;
        round->outstanding++;
        outbox_settle(round->context->outbox, item->id, item_settled, item);
    }
    station_leave(round);
}

/* --- 5: add to the store --- */

static void item_added(void *argument, const struct failure *failure)
{
    struct intake_item *item = argument;
    struct intake_round *round = item->round;
    if (failure != NULL)
        item_failed(item, failure);
    else
        round->owner->queued(round->owner->argument, item->decision.mailbox);
    station_leave(round);
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
    store_submission_add(item->round->context->store, item->decision.mailbox, &row, row.queued_ms,
                         item_added, item);
}

/* In the order in which they came. Behind one that failed the round goes on: it comes later. */
static void round_add(struct intake_round *round)
{
    station_enter(round, INTAKE_ROUND_ADDING, round_settle);
    for (size_t i = 0; i < round->count; i++) {
        struct intake_item *item = &round->items[i];
        if (item->failed || item->refused || item->known)
            continue;
        round->outstanding++;
        item_add(item);
    }
    station_leave(round);
}

/* --- 4: accept or refuse --- */

static void item_refused(void *argument, const struct failure *failure)
{
    struct intake_item *item = argument;
    if (failure != NULL)
        item_failed(item, failure);
    station_leave(item->round);
}

static const char *submitter_of(const struct intake_item *item)
{
    const char *name = item->envelope.submitter_name;
    return name == NULL ? "without a name" : name;
}

/* The reason, who submitted it, and what: there is no row of the message that could tell. */
static void set_refusal_text(struct failure *failure, const struct intake_item *item)
{
    struct buffer text = {0};
    const char *subject = item->envelope.subject;
    buffer_append_format(&text, "%s (user %s", buffer_string(&item->decision.reason),
                         submitter_of(item));
    if (subject != NULL && subject[0] != '\0')
        buffer_append_format(&text, ", subject \"%s\"", subject);
    buffer_append_char(&text, ')');
    failure_set_text(failure, text.data, text.length);
    buffer_release(&text);
}

static void report_refusal(const struct intake_item *item)
{
    const struct context *context = item->round->context;
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
    set_refusal_text(&row.failure, item);
    store_failure_record(context->store, &row, NULL, NULL);
    char *path = failed_file_path(outbox_directory(context->outbox), item->id);
    const struct log_fields fields = {.message_id = MESSAGE_INTAKE_REFUSED,
                                      .direction = cycle_direction_name(CYCLE_OUTGOING),
                                      .step = "submit",
                                      .code = "NotTaken"};
    log_write(context->log, LOG_PRIORITY_WARNING, &fields,
              "a message of the user %s was not taken and is kept as %s: %s", submitter_of(item),
              path, reason);
    memory_free(path);
}

static void item_refuse(struct intake_item *item)
{
    item->refused = true;
    report_refusal(item);
    outbox_envelope_release(&item->envelope); /* large ones of many files would add up */
    outbox_refuse(item->round->context->outbox, item->id, buffer_string(&item->decision.reason),
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
    station_leave(item->round);
}

static void item_decide(struct intake_item *item)
{
    struct intake_round *round = item->round;
    intake_decide(&item->decision, round->owner, round->configuration->config, &item->envelope,
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
    outbox_accept(round->context->outbox, item->id, &item->edit, item_accepted, item);
}

static void round_accept(struct intake_round *round)
{
    station_enter(round, INTAKE_ROUND_ACCEPTING, round_add);
    for (size_t i = 0; i < round->count; i++) {
        struct intake_item *item = &round->items[i];
        if (item->failed || item->refused || item->known)
            continue;
        round->outstanding++;
        item_decide(item);
    }
    station_leave(round);
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
    station_leave(item->round);
}

static void round_inspect(struct intake_round *round)
{
    station_enter(round, INTAKE_ROUND_INSPECTING, round_accept);
    for (size_t i = 0; i < round->count; i++) {
        struct intake_item *item = &round->items[i];
        item->known = round->states[i] != 0;
        item->over = round->states[i] == STORE_SUBMISSION_SENT ||
                     round->states[i] == STORE_SUBMISSION_FAILED;
        if (item->known)
            continue;
        round->outstanding++;
        outbox_inspect(round->context->outbox, item->id, item_inspected, item);
    }
    station_leave(round);
}

/* --- 2: ask the store --- */

static void round_told(void *argument, const struct failure *failure)
{
    struct intake_round *round = argument;
    if (failure != NULL) {
        round->failure = *failure;
        round->held_up = true;
        round_over(round);
        return;
    }
    round_inspect(round);
}

/* --- 1: scan --- */

static void round_scanned(void *argument, const struct failure *failure,
                          const char (*ids)[OUTBOX_ID_SIZE], size_t count, bool more)
{
    struct intake_round *round = argument;
    if (failure != NULL)
        round->failure = *failure;
    round->count = count < INTAKE_ROUND_MAX ? count : INTAKE_ROUND_MAX;
    round->more = more || count > INTAKE_ROUND_MAX;
    for (size_t i = 0; i < round->count; i++) {
        round->items[i] = (struct intake_item){.round = round};
        memcpy(round->items[i].id, ids[i], OUTBOX_ID_SIZE);
        round->ids[i] = round->items[i].id;
    }
    if (count == 0) {
        round_over(round);
        return;
    }
    round->state = INTAKE_ROUND_ASKING;
    store_submissions_states(round->context->store, round->ids, round->count, round->states,
                             round_told, round);
}

void intake_round_start(struct intake_round *round)
{
    configuration_use(round->configuration);
    round->state = INTAKE_ROUND_SCANNING;
    round->count = 0;
    round->more = round->held_up = false;
    round->failure = (struct failure){0};
    outbox_scan(round->context->outbox, round_scanned, round);
}
