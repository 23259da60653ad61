/* What is to be sent, page by page: what the outbox and Exchange have of it. */
#include "daemon/finding.h"
#include "daemon/profile.h"
#include "daemon/verification_private.h"

static void search_next(struct verification *verification);

static bool is_to_be_sent(const struct submission *submission)
{
    return submission->row.state == STORE_SUBMISSION_QUEUED;
}

static void searched(void *argument, const struct failure *failure,
                     const struct backend_match *matches, size_t count)
{
    struct verification *verification = argument;
    verification->operation = NULL;
    if (failure != NULL) {
        verification->exchange_not_asked = "the request failed";
        verification_finish(verification, failure);
        return;
    }
    verification->searches++;
    verification->searched += verification->asked_count;
    for (size_t i = 0; i < verification->asked_count; i++) {
        const struct finding finding = finding_of(matches, count, i);
        if (finding.sent || finding.submitted != NULL)
            verification->sent++;
        else if (finding.drafts > 0 && !verification->asked[i]->row.stray)
            verification->drafted++;
    }
    search_next(verification);
}

static void all_searched(struct verification *verification)
{
    if (verification->waiting == 0)
        verification->exchange_not_asked = "nothing waits to be sent";
    else if (verification->searches == 0)
        verification->exchange_not_asked = "all that waits is in doubt, and is looked for anyway";
    else
        verification->exchange_not_asked = NULL;
    verification_repair(verification);
}

static void search_next(struct verification *verification)
{
    const char *ids[BACKEND_SEARCH_MAX];
    verification->asked_count = 0;
    for (; verification->next < verification->list.count &&
           verification->asked_count < BACKEND_SEARCH_MAX;
         verification->next++) {
        struct submission *submission = &verification->list.items[verification->next];
        if (!is_to_be_sent(submission))
            continue;
        ids[verification->asked_count] = submission->row.id;
        verification->asked[verification->asked_count++] = submission;
    }
    if (verification->asked_count > 0)
        verification->operation =
            backend_search_start(verification->cycle.profile->backend, &verification->cycle.target,
                                 ids, verification->asked_count, searched, verification);
    else if (verification->more)
        verification_list_submissions(verification);
    else
        all_searched(verification);
}

/* Behind the rows: what is queued meanwhile has a file and is not among them. */
static void files_looked_for(void *argument, const struct failure *failure)
{
    struct verification *verification = argument;
    if (verification_over(verification, failure != NULL && failure->gone ? NULL : failure))
        return;
    for (size_t i = 0; i < verification->list.count; i++)
        verification->missing +=
            is_to_be_sent(&verification->list.items[i]) && !verification->has_file[i];
    search_next(verification);
}

static void submissions_listed(void *argument, const struct failure *failure,
                               const struct store_submissions *submissions)
{
    struct verification *verification = argument;
    struct submission_list *list = &verification->list;
    if (verification_over(verification, failure))
        return;
    submission_list_release(list);
    submission_list_fill(list, submissions);
    verification->next = 0;
    verification->more = submissions->more;
    verification->waiting += list->count;
    if (list->count > 0)
        verification->after = list->items[list->count - 1].row.order;
    for (size_t i = 0; i < list->count; i++)
        verification->ids[i] = list->items[i].row.id;
    verification->waiting_for_answer = true;
    outbox_look_for(verification_context(verification)->outbox, OUTBOX_IN_QUEUE, verification->ids,
                    list->count, verification->has_file, files_looked_for, verification);
}

void verification_list_submissions(struct verification *verification)
{
    verification->waiting_for_answer = true;
    store_submissions_unsent(verification_context(verification)->store, verification->mailbox->id,
                             verification->after, VERIFICATION_PAGE_MAX, submissions_listed,
                             verification);
}
