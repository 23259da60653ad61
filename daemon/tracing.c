#include "daemon/tracing.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/message_id.h"
#include "daemon/job_watch.h"
#include "daemon/mail_search.h"
#include "daemon/service_private.h"
#include "daemon/traced.h"
#include "mail/maildir_name.h"

#include <stdio.h>
#include <string.h>

enum place { PLACE_NEW, PLACE_INTAKE, PLACE_FAILED, PLACE_MAILDIRS };

struct tracing {
    struct service *service;
    char *id; /* as in the question */
    char *message_id;
    char *subject;
    char *address;
    uint64_t message;
    char *outbox; /* STATE/outbox; NULL: nobody sends */
    tracing_done *done;
    void *argument;
    atomic_bool cancelled;

    struct traced_list found;
    uint64_t files;
    uint64_t mailboxes;
    bool partly;
    char *problem;
    struct job_watch watch;

    enum place place;
    int64_t mailbox; /* whose Maildir is looked through, or was last */
    char *folders[2];
    struct mail_search search;
    char *reasons[MAIL_SEARCH_FOUND]; /* of what is found in failed/ */
    size_t match;                     /* the next one that is taken */
    struct executor_job job;
};

static void tracing_next_place(struct tracing *tracing);
static void tracing_next_match(struct tracing *tracing);

/* --- the end --- */

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

static void tracing_free(struct tracing *tracing)
{
    job_watch_leave(&tracing->watch);
    release_search(tracing);
    traced_release(&tracing->found);
    memory_free(tracing->id);
    memory_free(tracing->message_id);
    memory_free(tracing->subject);
    memory_free(tracing->address);
    memory_free(tracing->outbox);
    memory_free(tracing->problem);
    memory_free(tracing);
}

/* `unanswered`: as in the result. */
static void tell(struct tracing *tracing, const char *unanswered)
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

static void tracing_finish(struct tracing *tracing)
{
    tell(tracing, NULL);
    tracing_free(tracing);
}

/* What was under way has come back: false when nobody waits for it any more. */
static bool tracing_goes_on(struct tracing *tracing)
{
    if (!atomic_load(&tracing->cancelled))
        return true;
    tracing_free(tracing);
    return false;
}

static void tracing_fail(struct tracing *tracing, const struct failure *failure)
{
    struct buffer text = {0};
    buffer_append_format(&text, "%s %s", failure->sentence == NULL ? "" : failure->sentence,
                         failure->text);
    tracing->problem = buffer_take(&text);
    tracing_finish(tracing);
}

static bool is_asked_for(const struct tracing *tracing, const char *address)
{
    return tracing->address == NULL || strcmp(tracing->address, address) == 0;
}

/* --- 5: what is found in files --- */

/* The ledger has the message, perhaps for several mailboxes: that of this file is meant. */
static void match_looked_up(void *argument, const struct failure *failure,
                            const struct store_traced_item *items, size_t count, bool more)
{
    (void)more;
    struct tracing *tracing = argument;
    if (!tracing_goes_on(tracing))
        return;
    if (failure != NULL) {
        tracing_fail(tracing, failure);
        return;
    }
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
    tracing_next_match(tracing);
}

static void tracing_next_match(struct tracing *tracing)
{
    for (; tracing->match < tracing->search.count; tracing->match++) {
        const struct mail_search_match *match = &tracing->search.matches[tracing->match];
        const char *id = match->message_id == NULL ? "" : match->message_id;
        if (tracing->place != PLACE_MAILDIRS) {
            traced_add_outbox(&tracing->found, match, tracing->place == PLACE_FAILED,
                              tracing->reasons[tracing->match]);
        } else if (maildir_name_number(match->name) != 0) {
            store_trace_message(tracing->service->context.store, message_id_number(id, strlen(id)),
                                match_looked_up, tracing);
            return;
        }
    }
    if (tracing->place < PLACE_MAILDIRS)
        tracing->place++;
    tracing_next_place(tracing);
}

/* --- a folder that does not answer --- */

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
    tell(tracing, place);
    memory_free(place);
}

/* A job has come back. False when nobody waits for it any more. */
static bool job_is_back(struct tracing *tracing)
{
    job_watch_work(&tracing->watch, false);
    job_watch_end(&tracing->watch);
    return tracing_goes_on(tracing);
}

/* --- 4: files --- */

static void search_work(void *argument)
{
    struct tracing *tracing = argument;
    job_watch_work(&tracing->watch, true);
    for (size_t i = 0; i < 2 && tracing->folders[i] != NULL; i++)
        mail_search_folder(&tracing->search, tracing->folders[i]);
    for (size_t i = 0; tracing->place == PLACE_FAILED && i < tracing->search.count; i++) {
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
    tracing_next_match(tracing);
}

/* One lane for all questions: they wait for each other, not messages for them. */
static void submit(struct tracing *tracing, void (*work)(void *), void (*done)(void *))
{
    struct executor_pool *pool = tracing->service->files;
    job_watch_begin(&tracing->watch);
    executor_pool_submit(pool, executor_pool_lane(pool, "trace", 1), &tracing->job, work, done,
                         tracing);
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

/* The place of the first mailbox with a number above this one. */
static size_t first_behind(const struct service *service, int64_t number)
{
    size_t low = 0, high = service->mailbox_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (service->mailboxes[middle]->id.number <= number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The mailbox after the one that was looked through; NULL: there is none, or enough was read. */
static struct mailbox *next_mailbox(struct tracing *tracing)
{
    const struct service *service = tracing->service;
    bool known = tracing->subject == NULL && tracing->found.count > 0 && tracing->mailbox == 0;
    if (tracing->id != NULL || known)
        return NULL;
    for (size_t i = first_behind(service, tracing->mailbox); i < service->mailbox_count; i++) {
        struct mailbox *mailbox = service->mailboxes[i];
        if (mailbox->removed || !is_asked_for(tracing, mailbox_address(mailbox)))
            continue;
        if (tracing->files < TRACING_FILES && tracing->found.count < TRACED_MAX)
            return mailbox;
        tracing->partly = true;
        return NULL;
    }
    return NULL;
}

static void tracing_next_place(struct tracing *tracing)
{
    static const char *const folders[] = {
        [PLACE_NEW] = "new", [PLACE_INTAKE] = "intake", [PLACE_FAILED] = "failed"};
    if (tracing->outbox == NULL && tracing->place < PLACE_MAILDIRS)
        tracing->place = PLACE_MAILDIRS;
    if (tracing->place < PLACE_MAILDIRS) {
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

/* --- 3: the files of what the store knows --- */

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
    tracing_next_place(tracing);
}

/* --- 1 and 2: the store --- */

static void submissions_found(void *argument, const struct failure *failure,
                              const struct store_traced_submission *found, size_t count,
                              int64_t before)
{
    struct tracing *tracing = argument;
    if (!tracing_goes_on(tracing))
        return;
    if (failure != NULL) {
        tracing_fail(tracing, failure);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct mailbox *mailbox = service_mailbox(tracing->service, found[i].address);
        if (is_asked_for(tracing, found[i].address))
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
    submit(tracing, find_work, find_done);
}

static void items_found(void *argument, const struct failure *failure,
                        const struct store_traced_item *items, size_t count, bool more)
{
    struct tracing *tracing = argument;
    if (!tracing_goes_on(tracing))
        return;
    if (failure != NULL) {
        tracing_fail(tracing, failure);
        return;
    }
    tracing->partly = more;
    for (size_t i = 0; i < count; i++) {
        const struct mailbox *mailbox = tracing_mailbox(tracing->service, items[i].mailbox.number);
        if (is_asked_for(tracing, items[i].address))
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
    tracing->watch.executor = service->context.executor;
    tracing->watch.quiet_ms = TRACING_QUIET_MS;
    tracing->watch.hangs = hangs;
    tracing->watch.argument = tracing;
    job_watch_join(&service->tracings, &tracing->watch);
    tracing->done = done;
    tracing->argument = argument;
    if (tracing->message_id != NULL)
        tracing->message = message_id_number(tracing->message_id, strlen(tracing->message_id));
    store_trace_message(service->context.store, tracing->message, items_found, tracing);
    return tracing;
}

void tracing_cancel(struct tracing *tracing)
{
    job_watch_end(&tracing->watch);
    atomic_store(&tracing->cancelled, true);
}

/* --- mailboxes --- */

struct mailbox *tracing_mailbox(const struct service *service, int64_t number)
{
    size_t place = first_behind(service, number - 1);
    struct mailbox *mailbox = place < service->mailbox_count ? service->mailboxes[place] : NULL;
    return mailbox != NULL && mailbox->id.number == number && !mailbox->removed ? mailbox : NULL;
}
