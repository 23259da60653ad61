#include "daemon/traced.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "daemon/json_member.h"
#include "daemon/profile.h"
#include "daemon/trace_answer.h"

#include <string.h>

/* Takes the reference. NULL when there are enough. */
static struct traced *add(struct traced_list *list, json_t *answer)
{
    if (list->count == TRACED_MAX) {
        list->partly = true;
        json_decref(answer);
        return NULL;
    }
    struct traced *traced = &list->all[list->count++];
    *traced = (struct traced){.answer = answer};
    return traced;
}

/* The ledger knows a hash of it. */
static void set_asked(json_t *answer, const struct traced_list *list)
{
    struct buffer id = {0};
    if (list->message_id != NULL)
        buffer_append_format(&id, "<%s>", list->message_id);
    json_set_buffer(answer, "message_id", &id);
}

void traced_add_item(struct traced_list *list, const struct store_traced_item *item,
                     const struct mailbox *mailbox)
{
    struct traced *traced = add(list, trace_answer_item(item, mailbox, list->scheduler));
    if (traced == NULL)
        return;
    set_asked(traced->answer, list);
    if (item->file == 0)
        return;
    traced->file = item->file;
    traced->maildir = memory_copy_string(item->sink_path);
}

char *traced_reason_path(const char *outbox, const char *id)
{
    struct buffer path = {0};
    buffer_append_format(&path, "%s/failed/%s.reason", outbox, id);
    return buffer_take(&path);
}

void traced_add_submission(struct traced_list *list, const struct store_traced_submission *found,
                           const struct mailbox *mailbox, const char *outbox)
{
    const struct store_submission *submission = &found->submission;
    struct traced *traced =
        add(list, trace_answer_submission(found, mailbox, list->scheduler, outbox));
    if (traced == NULL)
        return;
    traced->id = memory_copy_string(submission->id);
    if (submission->state == STORE_SUBMISSION_FAILED && outbox != NULL)
        traced->reason_path = traced_reason_path(outbox, submission->id);
}

void traced_add_delivered(struct traced_list *list, const struct mail_search_match *match,
                          const struct store_traced_item *item, const struct mailbox *mailbox)
{
    json_t *answer = item != NULL ? trace_answer_item(item, mailbox, list->scheduler)
                                  : trace_answer_file(match, mailbox_address(mailbox),
                                                      mailbox->profile->config->name);
    struct traced *traced = add(list, answer);
    if (traced != NULL)
        trace_answer_found(answer, match->path, match->message_id, match->subject);
}

static bool has_submission(const struct traced_list *list, const char *name)
{
    size_t length = strcspn(name, ".");
    for (size_t i = 0; i < list->count; i++) {
        const char *id = list->all[i].id;
        if (id != NULL && strlen(id) == length && strncmp(id, name, length) == 0)
            return true;
    }
    return false;
}

void traced_add_outbox(struct traced_list *list, const struct mail_search_match *match,
                       enum trace_file file, const char *reason)
{
    /* Beside ID.eml lies ID.reason; and what is in queue/ may be in kept/, too. */
    bool named = file != TRACE_FILE_SUBMITTED;
    if ((file == TRACE_FILE_REFUSED && strstr(match->name, ".eml") == NULL) ||
        (named && has_submission(list, match->name)))
        return;
    struct traced *traced = add(list, trace_answer_outbox_file(match, file, reason));
    if (traced != NULL && named)
        traced->id = memory_copy_bytes(match->name, strcspn(match->name, "."));
}

void traced_find_files(struct traced_list *list, atomic_bool *stop, atomic_uint *progress)
{
    for (size_t i = 0; i < list->count && !atomic_load(stop); i++) {
        struct traced *traced = &list->all[i];
        atomic_store(&list->at, i);
        if (traced->maildir != NULL)
            traced->found =
                mail_search_delivered(traced->maildir, traced->file, &traced->file_found, progress);
        if (traced->reason_path != NULL)
            traced->reason = mail_search_first_line(traced->reason_path);
        atomic_fetch_add(progress, 1);
    }
}

const char *traced_place(const struct traced_list *list)
{
    size_t at = atomic_load(&list->at);
    if (at >= list->count)
        return NULL;
    return list->all[at].maildir != NULL ? list->all[at].maildir : list->all[at].reason_path;
}

void traced_take_files(struct traced_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct traced *traced = &list->all[i];
        if (traced->found != NULL)
            trace_answer_found(traced->answer, traced->found, traced->file_found.message_id,
                               traced->file_found.subject);
        if (traced->maildir != NULL)
            json_object_set_new(traced->answer, "looked_for", json_true());
        if (traced->reason != NULL)
            json_set_text(traced->answer, "reason", traced->reason);
    }
}

void traced_release(struct traced_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct traced *traced = &list->all[i];
        json_decref(traced->answer);
        memory_free(traced->id);
        memory_free(traced->maildir);
        memory_free(traced->reason_path);
        memory_free(traced->found);
        memory_free(traced->file_found.message_id);
        memory_free(traced->file_found.subject);
        memory_free(traced->reason);
    }
    list->count = 0;
}
