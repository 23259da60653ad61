#include "daemon/tracing_private.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/message_id.h"

#include <string.h>

/* --- the end --- */

static void tracing_free(struct tracing *tracing)
{
    tracing_release_files(tracing);
    traced_release(&tracing->found);
    memory_free(tracing->id);
    memory_free(tracing->message_id);
    memory_free(tracing->subject);
    memory_free(tracing->address);
    memory_free(tracing->outbox);
    memory_free(tracing->problem);
    memory_free(tracing);
}

void tracing_tell(struct tracing *tracing, const char *unanswered)
{
    json_t *answers[TRACED_MAX];
    for (size_t i = 0; i < tracing->found.count; i++)
        answers[i] = tracing->found.all[i].answer;
    const struct tracing_result result = {
        .answers = answers,
        .count = tracing->found.count,
        .files = tracing->files,
        .mailboxes = tracing->mailboxes,
        .partly = tracing->partly || tracing->found.partly || unanswered != NULL,
        .unanswered = unanswered,
        .problem = tracing->problem,
    };
    tracing->done(tracing->argument, &result);
}

void tracing_finish(struct tracing *tracing)
{
    tracing_tell(tracing, NULL);
    tracing_free(tracing);
}

bool tracing_goes_on(struct tracing *tracing)
{
    if (!atomic_load(&tracing->cancelled))
        return true;
    tracing_free(tracing);
    return false;
}

static void fail(struct tracing *tracing, const struct failure *failure)
{
    struct buffer text = {0};
    buffer_append_format(&text, "%s %s", failure->sentence == NULL ? "" : failure->sentence,
                         failure->text);
    tracing->problem = buffer_take(&text);
    tracing_finish(tracing);
}

bool tracing_answered(struct tracing *tracing, const struct failure *failure)
{
    if (!tracing_goes_on(tracing))
        return false;
    if (failure != NULL)
        fail(tracing, failure);
    return failure == NULL;
}

bool tracing_is_about(const struct tracing *tracing, const char *address)
{
    return tracing->address == NULL || strcmp(tracing->address, address) == 0;
}

struct mailbox *tracing_mailbox(const struct service *service, int64_t number)
{
    struct mailbox *mailbox = service_mailbox_by_number(service, number);
    return mailbox == NULL || mailbox->removed ? NULL : mailbox;
}

/* --- the store --- */

static void submissions_found(void *argument, const struct failure *failure,
                              const struct store_traced_submission *found, size_t count,
                              int64_t before)
{
    struct tracing *tracing = argument;
    if (!tracing_answered(tracing, failure))
        return;
    for (size_t i = 0; i < count; i++) {
        const struct mailbox *mailbox = service_mailbox(tracing->service, found[i].address);
        if (tracing_is_about(tracing, found[i].address))
            traced_add_submission(&tracing->found, &found[i], mailbox, tracing->outbox);
    }
    const struct store_trace_wanted wanted = {.message_id = tracing->message_id,
                                              .subject = tracing->subject};
    if (before > 0 && tracing->found.count < TRACED_MAX) {
        store_trace_submissions(tracing->service->context.store, &wanted, before, submissions_found,
                                tracing);
        return;
    }
    tracing->partly = tracing->partly || before > 0;
    tracing_look_for_files(tracing);
}

static void items_found(void *argument, const struct failure *failure,
                        const struct store_traced_item *items, size_t count, bool more)
{
    struct tracing *tracing = argument;
    if (!tracing_answered(tracing, failure))
        return;
    tracing->partly = more;
    for (size_t i = 0; i < count; i++) {
        const struct mailbox *mailbox = tracing_mailbox(tracing->service, items[i].mailbox.number);
        if (tracing_is_about(tracing, items[i].address))
            traced_add_item(&tracing->found, &items[i], mailbox);
    }
    const struct store_trace_wanted wanted = {
        .id = tracing->id, .message_id = tracing->message_id, .subject = tracing->subject};
    store_trace_submissions(tracing->service->context.store, &wanted, INT64_MAX, submissions_found,
                            tracing);
}

/* A copy without white space and angle brackets around it. */
static char *bare_message_id(const char *text)
{
    size_t length;
    if (text == NULL)
        return NULL;
    text += strspn(text, " \t<");
    length = strlen(text);
    while (length > 0 && strchr(" \t>", text[length - 1]) != NULL)
        length--;
    return memory_copy_bytes(text, length);
}

struct tracing *tracing_start(struct service *service, const struct tracing_question *question,
                              tracing_done *done, void *argument)
{
    struct tracing *tracing = memory_allocate(sizeof *tracing);
    tracing->service = service;
    tracing->id = memory_copy_string(question->id);
    tracing->message_id = bare_message_id(question->message_id);
    tracing->subject = memory_copy_string(question->subject);
    tracing->address = memory_copy_string(question->address);
    tracing->found.scheduler = &service->scheduler;
    tracing->found.message_id = tracing->message_id;
    tracing->outbox = service_outbox_path(service);
    tracing_prepare_files(tracing);
    tracing->done = done;
    tracing->argument = argument;
    uint64_t message = tracing->message_id == NULL
                           ? 0
                           : message_id_number(tracing->message_id, strlen(tracing->message_id));
    store_trace_message(service->context.store, message, items_found, tracing);
    return tracing;
}

void tracing_cancel(struct tracing *tracing)
{
    job_watch_end(&tracing->watch);
    atomic_store(&tracing->cancelled, true);
}
