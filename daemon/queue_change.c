#include "daemon/queue_change.h"

#include "base/clock.h"
#include "base/memory.h"
#include "daemon/messages.h"
#include "daemon/submission.h"
#include "mail/outbox.h"
#include "store/store_failures.h"

#include <inttypes.h>
#include <string.h>

static void look(struct queue_change *change);

/* --- the end --- */

static void unclaim(struct queue_change *change)
{
    if (change->claimed)
        claim_end(&change->claim, false);
    change->claimed = false;
}

static void finish(struct queue_change *change, const struct failure *failure)
{
    char *const texts[] = {change->address, change->profile, change->subject, change->outbox};
    struct failed_file file = change->file;
    unclaim(change);
    change->done(change, failure);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        memory_free(texts[i]);
    failed_file_release(&file);
}

/* `why`: more words behind the sentence; NULL: none. */
static void refuse(struct queue_change *change, const char *code, const char *sentence,
                   const char *remedy, const char *why)
{
    struct failure failure = {
        .category = FAILURE_ITEM,
        .scope = FAILURE_SCOPE_ITEM,
        .sentence = sentence,
        .remedy = remedy,
    };
    failure_set_code(&failure, code);
    failure_set_step(&failure, "queue");
    if (why != NULL)
        failure_set_text(&failure, why, strlen(why));
    finish(change, &failure);
}

/* The store has answered: true when it is over. */
static bool over(struct queue_change *change, const struct failure *failure)
{
    change->waiting = false;
    if (failure == NULL)
        return false;
    finish(change, failure);
    return true;
}

static void report(const struct queue_change *change)
{
    static const char *const done[] = {
        [QUEUE_HOLD] = "holds",     [QUEUE_RELEASE] = "releases",    [QUEUE_RETRY] = "retries",
        [QUEUE_REMOVE] = "removes", [QUEUE_DISCARD] = "throws away",
    };
    const char *address = change->address != NULL ? change->address : "outbox";
    bool named = change->subject != NULL && change->subject[0] != '\0';
    const struct log_fields fields = {.message_id = MESSAGE_QUEUE_CHANGED,
                                      .profile = change->profile,
                                      .mailbox = change->address,
                                      .direction = "outgoing",
                                      .subject = change->subject};
    log_write(change->service->context.log, LOG_PRIORITY_NOTICE, &fields,
              "%s: an administrator (uid %" PRIu32 ") %s the message %s%s%s%s", address,
              change->user, done[change->action], change->id, named ? ", \"" : "",
              named ? change->subject : "", named ? "\"" : "");
}

static struct mailbox *mailbox_of(const struct queue_change *change)
{
    return service_mailbox_by_number(change->service, change->mailbox.number);
}

/* --- 4: a removal goes on without the claim: what is marked is touched by no cycle --- */

static void removed(struct removal *removal, const struct failure *failure)
{
    struct queue_change *change = removal->argument;
    change->waiting = false;
    change->lost = removal->lost;
    change->marked = failure != NULL;
    struct mailbox *mailbox = mailbox_of(change);
    if (failure == NULL && removal->stray && mailbox != NULL)
        service_hasten(change->service, mailbox, false);
    finish(change, failure);
}

static void marked(void *argument, const struct failure *failure, const struct store_queued *rows,
                   size_t count)
{
    struct queue_change *change = argument;
    if (over(change, failure))
        return;
    if (count == 0 || rows[0].removal == NULL) { /* done by another already */
        finish(change, NULL);
        return;
    }
    change->waiting = true;
    change->removal =
        (struct removal){.context = &change->service->context, .done = removed, .argument = change};
    removal_start(&change->removal, &rows[0]);
}

/* --- 3: the store is told --- */

static void written(void *argument, const struct failure *failure)
{
    struct queue_change *change = argument;
    if (over(change, failure))
        return;
    if (!change->changed) {
        refuse(change, "Changed", "It has just changed.", "Look at it, and try again.", NULL);
        return;
    }
    report(change);
    if (change->action == QUEUE_REMOVE) {
        unclaim(change);
        change->waiting = true;
        store_queue_find(change->service->context.store, change->id, marked, change);
        return;
    }
    struct mailbox *mailbox = mailbox_of(change);
    if (change->action != QUEUE_HOLD && mailbox != NULL)
        service_hasten(change->service, mailbox, true);
    finish(change, NULL);
}

static void mark(struct queue_change *change, const struct store_queued *message)
{
    struct buffer reason = {0};
    change->may_have_been_sent = submission_may_have_been_sent(&message->submission);
    removal_explain(&reason, message, change->user);
    store_queue_removal(change->service->context.store, change->mailbox, change->id,
                        buffer_string(&reason), clock_wall_ms(), &change->changed, written, change);
    buffer_release(&reason);
}

static void apply(struct queue_change *change, const struct store_queued *message)
{
    struct store *store = change->service->context.store;
    change->waiting = true;
    switch (change->action) {
    case QUEUE_HOLD:
        store_queue_hold(store, change->mailbox, change->id, clock_wall_ms(), &change->changed,
                         written, change);
        break;
    case QUEUE_RELEASE:
        store_queue_release(store, change->mailbox, change->id, clock_wall_ms(), &change->changed,
                            written, change);
        break;
    case QUEUE_RETRY:
        store_queue_retry(store, change->mailbox, change->id, &change->changed, written, change);
        break;
    case QUEUE_REMOVE:
        mark(change, message);
        break;
    case QUEUE_DISCARD: /* it has not failed: may_change has refused it */
        break;
    }
}

/* --- 2: no cycle has it --- */

static void claimed(struct claim *claim, bool still)
{
    struct queue_change *change = claim->argument;
    if (still)
        look(change); /* the cycle may have sent it */
    else
        refuse(change, "Busy", "A cycle of its mailbox is at work and does not end.",
               "Look at what it waits for, and try again.", NULL);
}

/* False when nothing works on the mailbox, for it has left the configuration. The reload that takes
 * it out may be under way, and frees it at its end. */
static bool claim_mailbox(struct queue_change *change)
{
    struct mailbox *mailbox = mailbox_of(change);
    if (mailbox == NULL || (mailbox->removed && !mailbox_is_busy(mailbox)))
        return false;
    change->claim = (struct claim){.service = change->service,
                                   .direction = &mailbox->outgoing,
                                   .ready = claimed,
                                   .argument = change};
    change->claimed = true;
    claim_start(&change->claim);
    return true;
}

/* --- or it has failed: its file and what went wrong with it go --- */

static void discarded(void *argument, const struct failure *failure)
{
    struct queue_change *change = argument;
    if (over(change, failure))
        return;
    report(change);
    finish(change, NULL);
}

static void file_discarded(void *argument, const struct failure *failure)
{
    struct queue_change *change = argument;
    const char *const id = change->id;
    if (over(change, failure))
        return;
    change->waiting = true;
    store_failures_resolve_messages(change->service->context.store, &id, 1, clock_wall_ms(),
                                    discarded, change);
}

static void refuse_unknown(struct queue_change *change)
{
    refuse(change, "NoSuchMessage", "No message of that id is known.",
           "exsyncctl queue list shows those that wait, with --failed those that have failed.",
           NULL);
}

static void file_looked_at(void *argument)
{
    struct queue_change *change = argument;
    const struct failure cancelled = failure_cancelled();
    if (over(change, change->cancelled ? &cancelled : NULL))
        return;
    bool there = change->file.there;
    change->already = !there && !change->open;
    if (!there && !change->known) {
        refuse_unknown(change);
        return;
    }
    if (change->already) {
        finish(change, NULL);
        return;
    }
    if (change->subject == NULL && change->file.subject != NULL)
        change->subject = memory_copy_string(change->file.subject);
    change->waiting = true;
    outbox_discard(change->service->context.outbox, change->id, file_discarded, change);
}

static void look_at_file(void *argument)
{
    struct queue_change *change = argument;
    failed_file_look(&change->file, change->outbox);
}

/* `open`: something went wrong with it that is not over. */
static void discard(struct queue_change *change, bool known, bool open)
{
    struct executor_pool *pool = change->service->files;
    change->known = known;
    change->open = open;
    change->outbox = service_outbox_path(change->service);
    memcpy(change->file.id, change->id, sizeof change->id);
    change->waiting = true;
    executor_pool_submit(pool, executor_pool_lane(pool, "failed messages", 1), &change->job,
                         look_at_file, file_looked_at, change);
}

/* --- 1: it is looked at --- */

static void keep(struct queue_change *change, const struct store_queued *message)
{
    memory_free(change->address);
    memory_free(change->profile);
    memory_free(change->subject);
    change->mailbox = message->mailbox;
    change->address = memory_copy_string(message->address);
    change->profile = memory_copy_string(message->profile);
    change->subject = memory_copy_string(message->submission.subject);
}

/* False with the end when it cannot be done to a message in this state. */
static bool may_change(struct queue_change *change, const struct store_queued *message)
{
    bool held = message->held_since_ms != 0;
    if (message->submission.state == STORE_SUBMISSION_SENT)
        refuse(change, "Sent", "It was sent.", "Nothing can be done about it here.", NULL);
    else if (message->submission.state == STORE_SUBMISSION_FAILED)
        refuse(change, "Failed", "It has failed and is kept in the outbox's folder failed.",
               "exsyncctl queue show tells why, and how it is sent again; exsyncctl queue discard "
               "throws it away.",
               message->sentence);
    else if (message->removal != NULL)
        refuse(change, "Removing", "It is being removed.", "Look at it again in a while.", NULL);
    else if (change->action == QUEUE_DISCARD)
        refuse(change, "NotFailed", "It waits to be sent.",
               "exsyncctl queue remove takes it out of the queue first.", NULL);
    else if (change->action == QUEUE_HOLD && held)
        refuse(change, "Held", "It is held already.", "Release it with exsyncctl queue release.",
               NULL);
    else if (change->action == QUEUE_RETRY && held)
        refuse(change, "Held", "It is held.", "Release it with exsyncctl queue release.", NULL);
    else if (change->action == QUEUE_RELEASE && !held)
        refuse(change, "NotHeld", "It is not held.", "exsyncctl queue retry makes it due at once.",
               NULL);
    else
        return true;
    return false;
}

/* What it was refused for when it was submitted, or that nothing is known of it. */
static void refused_read(void *argument, const struct failure *failure,
                         const struct store_failure_rows *failures)
{
    struct queue_change *change = argument;
    if (over(change, failure))
        return;
    const struct store_failure_row *row = failures->rows;
    if (change->action == QUEUE_DISCARD)
        discard(change, failures->count > 0, failures->count > 0 && row->resolved_ms == 0);
    else if (failures->count > 0 && row->resolved_ms != 0)
        refuse(change, "Refused", "It was refused when it was submitted:",
               "Its file was taken out of the outbox's folder failed since.", row->text);
    else if (failures->count == 0)
        refuse_unknown(change);
    else
        refuse(change, "Refused",
               "It was refused when it was submitted, and is kept in the outbox's folder failed:",
               "exsyncctl queue show tells how it is sent again; exsyncctl queue discard throws it "
               "away.",
               row->text);
}

static void looked(void *argument, const struct failure *failure, const struct store_queued *rows,
                   size_t count)
{
    struct queue_change *change = argument;
    const struct failure cancelled = failure_cancelled();
    if (over(change, change->cancelled ? &cancelled : failure))
        return;
    if (count == 0) {
        change->waiting = true;
        store_failures_refused(change->service->context.store, change->id, 0, 1, refused_read,
                               change);
        return;
    }
    keep(change, &rows[0]);
    if (change->action == QUEUE_DISCARD && rows[0].submission.state == STORE_SUBMISSION_FAILED) {
        discard(change, true, rows[0].code != NULL);
        return;
    }
    if (!may_change(change, &rows[0]))
        return;
    bool claims = change->action == QUEUE_HOLD || change->action == QUEUE_REMOVE;
    if (!claims || change->claimed || !claim_mailbox(change))
        apply(change, &rows[0]);
}

static void look(struct queue_change *change)
{
    change->waiting = true;
    store_queue_find(change->service->context.store, change->id, looked, change);
}

void queue_change_start(struct queue_change *change)
{
    look(change);
}

void queue_change_cancel(struct queue_change *change)
{
    const struct failure cancelled = failure_cancelled();
    change->cancelled = true;
    if (!change->waiting)
        finish(change, &cancelled);
}
