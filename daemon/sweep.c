#include "daemon/sweep.h"

#include "base/text.h"
#include "daemon/messages.h"
#include "mail/outbox.h"

static const struct log_fields fields = {.message_id = MESSAGE_OUTBOX_UNKNOWN};

static void warn_of_kept(const struct sweep *sweep, size_t unknown)
{
    log_write(sweep->context->log, LOG_PRIORITY_WARNING, &fields,
              "the database does not know %zu %s in %s/kept: it was lost or replaced by an older "
              "one, and %s not sent; exsyncctl verify --all --repair looks for %s in Exchange and "
              "sends what is not there",
              unknown, text_plural(unknown, "message", "messages"),
              outbox_directory(sweep->context->outbox), text_plural(unknown, "it is", "they are"),
              text_plural(unknown, "it", "them"));
}

static void warn_of_copies(const struct sweep *sweep, size_t unknown)
{
    log_write(sweep->context->log, LOG_PRIORITY_WARNING, &fields,
              "the database does not know %zu %s in %s/queue, and of what was submitted only %s "
              "left, without its Bcc recipients: %s not sent; exsyncctl verify --all --repair puts "
              "%s into failed/, where a person decides",
              unknown, text_plural(unknown, "message", "messages"),
              outbox_directory(sweep->context->outbox),
              text_plural(unknown, "this copy is", "these copies are"),
              text_plural(unknown, "it is", "they are"), text_plural(unknown, "it", "them"));
}

static void remove_finished(struct sweep *sweep, enum outbox_part part)
{
    const struct unrecorded *found = &sweep->unrecorded;
    for (size_t i = 0; i < found->folders[part].count; i++) {
        if (found->states[part][i] == STORE_SUBMISSION_SENT ||
            found->states[part][i] == STORE_SUBMISSION_FAILED)
            outbox_remove(sweep->context->outbox, found->folders[part].ids[i], NULL, NULL);
    }
}

/* What of it a kill has left lies in both folders, or in one of them. */
static void found(struct unrecorded *unrecorded, const struct failure *failure)
{
    struct sweep *sweep = unrecorded->argument;
    if (failure == NULL) {
        remove_finished(sweep, OUTBOX_IN_QUEUE);
        remove_finished(sweep, OUTBOX_IN_KEPT);
        sweep->unknown = unrecorded->kept + unrecorded->copies;
        if (unrecorded->kept > 0)
            warn_of_kept(sweep, unrecorded->kept);
        if (unrecorded->copies > 0)
            warn_of_copies(sweep, unrecorded->copies);
    }
    unrecorded_release(unrecorded);
    sweep->done(sweep, failure);
}

void sweep_start(struct sweep *sweep)
{
    sweep->unrecorded =
        (struct unrecorded){.context = sweep->context, .done = found, .argument = sweep};
    unrecorded_find(&sweep->unrecorded);
}
