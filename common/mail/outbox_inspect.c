#include "mail/outbox_private.h"

#include "base/memory.h"

#include <stdio.h>

struct inspect_work {
    struct outbox_work work;
    struct outbox_envelope envelope;
    outbox_inspect_done *done;
};

static void inspect_file(struct outbox_batch *batch, struct inspect_work *inspect)
{
    struct outbox_envelope *envelope = &inspect->envelope;
    struct outbox_source source;
    size_t header_length = 0;
    buffer_clear(&batch->text);
    bool read = outbox_source_open(&source, batch, inspect->work.id) &&
                outbox_source_header(&source, &batch->text, &header_length);
    envelope->submitter = source.status.st_uid;
    envelope->size = source.status.st_size > 0 ? (uint64_t)source.status.st_size : 0;
    envelope->problem = source.problem;
    inspect->work.failure = source.failure;
    if (read)
        outbox_envelope_read(envelope, batch->text.data, header_length);
    if (envelope->subject == NULL)
        envelope->subject = memory_copy_string("");
    int error = failure_is_set(&source.failure)
                    ? 0
                    : outbox_submitter_find(&inspect->work.outbox->submitters, envelope);
    if (error != 0)
        inspect->work.failure = outbox_failure(inspect->work.outbox, error, "look up the owner of",
                                               OUTBOX_INTAKE, inspect->work.id);
    outbox_source_close(&source);
}

static void inspect_files(struct outbox_batch *batch)
{
    struct outbox_work *work;
    TAILQ_FOREACH(work, &batch->files, files)
    inspect_file(batch, (struct inspect_work *)work);
}

/* The envelope becomes the caller's. */
static void inspect_finish(struct outbox_work *work)
{
    struct inspect_work *inspect = (struct inspect_work *)work;
    struct outbox_envelope envelope = inspect->envelope;
    inspect->envelope = (struct outbox_envelope){0};
    inspect->done(work->argument, outbox_work_failure(work), &envelope);
    work->release(work);
}

static void inspect_release(struct outbox_work *work)
{
    outbox_envelope_release(&((struct inspect_work *)work)->envelope);
    memory_free(work);
}

void outbox_inspect(struct outbox *outbox, const char *id, outbox_inspect_done *done,
                    void *argument)
{
    struct inspect_work *inspect = memory_allocate(sizeof *inspect);
    snprintf(inspect->work.id, sizeof inspect->work.id, "%s", id);
    inspect->done = done;
    inspect->work.argument = argument;
    inspect->work.finish = inspect_finish;
    inspect->work.release = inspect_release;
    outbox_work_gather(outbox, &inspect->work, inspect_files);
}
