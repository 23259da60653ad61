#include "daemon/tracing_private.h"

#include "base/memory.h"
#include "base/message_id.h"
#include "mail/maildir_name.h"
#include "store/store_actions.h"

#include <stdio.h>
#include <string.h>

static void next_place(struct tracing *tracing);
static void next_match(struct tracing *tracing);

/* --- jobs, and a folder that does not answer --- */

/* One lane for all questions: they wait for each other, not messages for them. */
static void submit(struct tracing *tracing, void (*work)(void *), void (*done)(void *))
{
    struct executor_pool *pool = tracing->service->files;
    job_watch_begin(&tracing->watch);
    executor_pool_submit(pool, executor_pool_lane(pool, "trace", 1), &tracing->job, work, done,
                         tracing);
}

/* Where its job is. */
static const char *place_of(const struct tracing *tracing)
{
    const char *place =
        tracing->folders[0] != NULL ? tracing->folders[0] : traced_place(&tracing->found);
    return place == NULL ? "a folder" : place;
}

/* It may be another one that hangs, which this one waits for in the lane. The job may still come
 * back: then it is freed. */
static void hangs(void *argument)
{
    struct tracing *tracing = argument;
    const struct job_watch *working = job_watch_at_work(&tracing->service->tracings);
    char *place = memory_copy_string(place_of(working == NULL ? tracing : working->argument));
    atomic_store(&tracing->cancelled, true);
    tracing_tell(tracing, place);
    memory_free(place);
}

/* A job has come back. False when nobody waits for it any more. */
static bool job_is_back(struct tracing *tracing)
{
    job_watch_work(&tracing->watch, false);
    job_watch_end(&tracing->watch);
    return tracing_goes_on(tracing);
}

/* --- what is found in files --- */

/* The ledger has the message, perhaps for several mailboxes: that of this file is meant. */
static void match_looked_up(void *argument, const struct failure *failure,
                            const struct store_traced_item *items, size_t count, bool more)
{
    (void)more;
    struct tracing *tracing = argument;
    if (!tracing_answered(tracing, failure))
        return;
    const struct mail_search_match *match = &tracing->search.matches[tracing->match++];
    const struct mailbox *mailbox = tracing_mailbox(tracing->service, tracing->mailbox);
    const struct store_traced_item *item = NULL;
    for (size_t i = 0; i < count && item == NULL; i++) {
        if (items[i].mailbox.number == tracing->mailbox &&
            items[i].file == maildir_name_number(match->name))
            item = &items[i];
    }
    if (mailbox != NULL)
        traced_add_delivered(&tracing->found, match, item, mailbox);
    next_match(tracing);
}

static enum trace_file file_in(const struct tracing *tracing)
{
    static const enum trace_file files[] = {[TRACING_NEW] = TRACE_FILE_SUBMITTED,
                                            [TRACING_INTAKE] = TRACE_FILE_SUBMITTED,
                                            [TRACING_FAILED] = TRACE_FILE_REFUSED,
                                            [TRACING_KEPT] = TRACE_FILE_KEPT,
                                            [TRACING_QUEUE] = TRACE_FILE_COPY};
    return files[tracing->place];
}

/* What the store has is no stray file, whether or not it was asked for: of another mailbox, say. */
static void queued_looked_up(void *argument, const struct failure *failure,
                             const struct store_queued *rows, size_t count)
{
    (void)rows;
    struct tracing *tracing = argument;
    if (!tracing_answered(tracing, failure))
        return;
    const struct mail_search_match *match = &tracing->search.matches[tracing->match++];
    if (count == 0)
        traced_add_outbox(&tracing->found, match, file_in(tracing), NULL);
    next_match(tracing);
}

static void look_up_queued(struct tracing *tracing, const struct mail_search_match *match)
{
    char id[OUTBOX_ID_SIZE];
    snprintf(id, sizeof id, "%.*s", (int)strcspn(match->name, "."), match->name);
    store_queue_find(tracing->service->context.store, id, queued_looked_up, tracing);
}

static void next_match(struct tracing *tracing)
{
    for (; tracing->match < tracing->search.count; tracing->match++) {
        const struct mail_search_match *match = &tracing->search.matches[tracing->match];
        const char *id = match->message_id == NULL ? "" : match->message_id;
        if (tracing->place == TRACING_KEPT || tracing->place == TRACING_QUEUE) {
            look_up_queued(tracing, match);
            return;
        }
        if (tracing->place != TRACING_MAILDIRS) {
            traced_add_outbox(&tracing->found, match, file_in(tracing),
                              tracing->reasons[tracing->match]);
        } else if (maildir_name_number(match->name) != 0) {
            store_trace_message(tracing->service->context.store, message_id_number(id, strlen(id)),
                                match_looked_up, tracing);
            return;
        }
    }
    if (tracing->place < TRACING_MAILDIRS)
        tracing->place++;
    next_place(tracing);
}

/* --- one place after the other --- */

static void release_search(struct tracing *tracing)
{
    for (size_t i = 0; i < tracing->search.count; i++) {
        memory_free(tracing->reasons[i]);
        tracing->reasons[i] = NULL;
    }
    mail_search_release(&tracing->search);
    for (size_t i = 0; i < 2; i++) {
        memory_free(tracing->folders[i]);
        tracing->folders[i] = NULL;
    }
}

static void search_work(void *argument)
{
    struct tracing *tracing = argument;
    job_watch_work(&tracing->watch, true);
    for (size_t i = 0; i < 2 && tracing->folders[i] != NULL; i++)
        mail_search_folder(&tracing->search, tracing->folders[i]);
    for (size_t i = 0; tracing->place == TRACING_FAILED && i < tracing->search.count; i++) {
        const char *name = tracing->search.matches[i].name;
        char id[OUTBOX_ID_SIZE];
        snprintf(id, sizeof id, "%.*s", (int)strcspn(name, "."), name);
        char *path = traced_reason_path(tracing->outbox, id);
        tracing->reasons[i] = mail_search_first_line(path);
        memory_free(path);
    }
}

static void search_done(void *argument)
{
    struct tracing *tracing = argument;
    if (!job_is_back(tracing))
        return;
    tracing->files += tracing->search.files;
    tracing->partly = tracing->partly || tracing->search.partly;
    tracing->match = 0;
    next_match(tracing);
}

static void search(struct tracing *tracing, const char *root, const char *first, const char *second)
{
    release_search(tracing);
    tracing->search = (struct mail_search){
        .message_id = tracing->message_id,
        .subject = tracing->subject,
        .name = tracing->id,
        .stop = &tracing->cancelled,
        .progress = &tracing->watch.progress,
    };
    const char *const names[2] = {first, second};
    for (size_t i = 0; i < 2 && names[i] != NULL; i++) {
        struct buffer path = {0};
        buffer_append_format(&path, "%s/%s", root, names[i]);
        tracing->folders[i] = buffer_take(&path);
    }
    submit(tracing, search_work, search_done);
}

/* The mailbox after the one that was looked through; NULL: there is none, or enough was read. */
static struct mailbox *next_mailbox(struct tracing *tracing)
{
    const struct service *service = tracing->service;
    bool known = tracing->subject == NULL && tracing->found.count > 0 && tracing->mailbox == 0;
    if (tracing->id != NULL || known)
        return NULL;
    for (size_t i = service_mailbox_from(service, tracing->mailbox + 1); i < service->mailbox_count;
         i++) {
        struct mailbox *mailbox = service->mailboxes[i];
        if (mailbox->removed || !tracing_is_about(tracing, mailbox_address(mailbox)))
            continue;
        if (tracing->files < TRACING_FILES && tracing->found.count < TRACED_MAX)
            return mailbox;
        tracing->partly = true;
        return NULL;
    }
    return NULL;
}

static void next_place(struct tracing *tracing)
{
    static const char *const folders[] = {[TRACING_NEW] = "new",
                                          [TRACING_INTAKE] = "intake",
                                          [TRACING_FAILED] = "failed",
                                          [TRACING_KEPT] = "kept",
                                          [TRACING_QUEUE] = "queue"};
    if (tracing->outbox == NULL && tracing->place < TRACING_MAILDIRS)
        tracing->place = TRACING_MAILDIRS;
    if (tracing->place < TRACING_MAILDIRS) {
        search(tracing, tracing->outbox, folders[tracing->place], NULL);
        return;
    }
    const struct mailbox *mailbox = next_mailbox(tracing);
    if (mailbox == NULL) {
        tracing_finish(tracing);
        return;
    }
    char *maildir = config_maildir_path(mailbox->config);
    tracing->mailbox = mailbox->id.number;
    tracing->mailboxes++;
    search(tracing, maildir, "new", "cur");
    memory_free(maildir);
}

/* --- the files of what the store knows --- */

static void find_work(void *argument)
{
    struct tracing *tracing = argument;
    job_watch_work(&tracing->watch, true);
    traced_find_files(&tracing->found, &tracing->cancelled, &tracing->watch.progress);
}

static void find_done(void *argument)
{
    struct tracing *tracing = argument;
    if (!job_is_back(tracing))
        return;
    traced_take_files(&tracing->found);
    next_place(tracing);
}

void tracing_look_for_files(struct tracing *tracing)
{
    submit(tracing, find_work, find_done);
}

/* --- the beginning and the end --- */

void tracing_prepare_files(struct tracing *tracing)
{
    tracing->watch.executor = tracing->service->context.executor;
    tracing->watch.quiet_ms = TRACING_QUIET_MS;
    tracing->watch.hangs = hangs;
    tracing->watch.argument = tracing;
    job_watch_join(&tracing->service->tracings, &tracing->watch);
}

void tracing_release_files(struct tracing *tracing)
{
    job_watch_leave(&tracing->watch);
    release_search(tracing);
}
