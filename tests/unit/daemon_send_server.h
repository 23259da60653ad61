/* For the outgoing cycle's tests: the server of daemon_send_world.h, with Drafts, Transport and
 * Sent Items, and the faults of its answers. To be included by one file of a test. */
#ifndef EXSYNC_TESTS_DAEMON_SEND_SERVER_H
#define EXSYNC_TESTS_DAEMON_SEND_SERVER_H

#include "daemon_send_world.h"

struct backend_operation {
    struct answer answer;
    enum request_kind kind;
    enum backend_create_how how;
    enum fault fault;
    int numbers[ASKED_MAX]; /* of the messages, or of the drafts */
    size_t count;
    const struct backend_submission *submissions;
    size_t reading; /* the submission whose content is read */
    uint64_t read;
    bool paused;
    bool carried_out;
    int versions[ASKED_MAX]; /* of the drafts that the references mean */
    int made[ASKED_MAX];     /* drafts */
    struct failure failures[ASKED_MAX];
    union {
        backend_create_done *created;
        backend_send_done *sent; /* and purged */
        backend_look_done *looked;
        backend_search_done *searched;
    } done;
    void *argument;
};

/* --- Drafts, Transport and Sent Items --- */

static inline void transport_run(void)
{
    for (int i = 0; i < world.draft_count; i++) {
        struct draft *draft = &world.drafts[i];
        if (!draft->there || !draft->submitted || draft->leaves_ms > world.now_ms)
            continue;
        struct message *message = &world.messages[draft->number];
        draft->there = false;
        message->sent++;
        message->copy = !world.copies_vanish;
        if (message->sent == 1)
            message->place = ++world.publications;
    }
}

static inline int draft_make(int number, bool submitted)
{
    assert_true(world.draft_count < DRAFTS_MAX);
    world.drafts[world.draft_count] = (struct draft){
        .there = true,
        .submitted = submitted,
        .number = number,
        .leaves_ms = world.now_ms + world.transport_ms,
    };
    transport_run();
    return world.draft_count++;
}

static inline unsigned draft_count(int number)
{
    unsigned count = 0;
    for (int i = 0; i < world.draft_count; i++)
        count += world.drafts[i].there && world.drafts[i].number == number;
    return count;
}

static inline int draft_of(const char *reference, int *version)
{
    int draft = -1;
    assert_int_equal(sscanf(reference, "draft %d as of %d", &draft, version), 2);
    assert_in_range(draft, 0, world.draft_count - 1);
    return draft;
}

static inline void reference_of(int draft, char reference[32])
{
    snprintf(reference, 32, "draft %d as of %d", draft, world.drafts[draft].version);
}

/* --- carrying out --- */

static inline struct failure create_one(struct backend_operation *operation, size_t index)
{
    int number = operation->numbers[index];
    enum treatment treatment = world.messages[number].treatment;
    bool direct = operation->how == BACKEND_CREATE_AND_SEND;
    if (treatment == TREAT_NO_DRAFT || (direct && treatment == TREAT_NO_SENDING))
        return failure_refused(true);
    operation->made[index] = draft_make(number, direct);
    transport_run();
    if (!direct && world.drafts_vanish)
        world.drafts[operation->made[index]].there = false;
    return (struct failure){0};
}

static inline struct failure send_one(int number, int version)
{
    struct draft *draft = &world.drafts[number];
    bool refuses = draft->number < world.cannot_send_below;
    bool current = version == draft->version;
    if (world.cannot_send || refuses)
        return failure_named(FAILURE_ITEM, FAILURE_SCOPE_ITEM, "Unsupported");
    if (!draft->there || (draft->submitted && current))
        return failure_gone();
    if (!current) {
        struct failure changed = failure_refused(false);
        changed.in_doubt = true;
        return changed;
    }
    if (world.messages[draft->number].treatment == TREAT_NO_SENDING)
        return failure_refused(true);
    if (world.messages[draft->number].treatment == TREAT_NO_SENSE) {
        struct failure error =
            failure_named(FAILURE_SERVER, FAILURE_SCOPE_MAILBOX, "ErrorInternalServerError");
        error.divisible = error.in_doubt = true;
        return error;
    }
    draft->submitted = true;
    draft->version += world.submission_changes;
    draft->leaves_ms = world.now_ms + world.transport_ms;
    transport_run();
    return (struct failure){0};
}

static inline struct failure purge_one(int number)
{
    if (world.purge_stuck)
        return failure_refused(true);
    /* Whatever is removed was not sent, and never will be. */
    assert_false(world.drafts[number].there && world.drafts[number].submitted);
    world.drafts[number].there = false;
    return (struct failure){0};
}

static inline bool is_poisoned(const struct backend_operation *operation)
{
    static const enum treatment poisons[] = {
        [ASK_CREATE] = TREAT_POISON,    [ASK_SEND] = TREAT_POISON_DRAFT,
        [ASK_LOOK] = TREAT_POISON_LOOK, [ASK_SEARCH] = TREAT_POISON_SEARCH,
        [ASK_PURGE] = TREAT_WELL, /* none */
    };
    enum treatment poison = poisons[operation->kind];
    bool of_drafts = operation->kind == ASK_SEND || operation->kind == ASK_LOOK;
    for (size_t i = 0; i < operation->count && poison != TREAT_WELL; i++) {
        int number = operation->numbers[i];
        if (world.messages[of_drafts ? world.drafts[number].number : number].treatment == poison)
            return true;
    }
    return false;
}

static inline void carry_out(struct backend_operation *operation)
{
    bool first_left_out =
        operation->fault == FAULT_FIRST_BUSY || operation->fault == FAULT_FIRST_WHOLE;
    if (operation->carried_out || is_poisoned(operation))
        return;
    for (size_t i = first_left_out ? 1 : 0; i < operation->count; i++) {
        if (operation->kind == ASK_CREATE)
            operation->failures[i] = create_one(operation, i);
        else if (operation->kind == ASK_SEND)
            operation->failures[i] = send_one(operation->numbers[i], operation->versions[i]);
        else if (operation->kind == ASK_PURGE)
            operation->failures[i] = purge_one(operation->numbers[i]);
    }
    operation->carried_out = true;
}

static inline void carry_out_late(void)
{
    if (world.late == NULL || world.requests < world.late_at)
        return;
    struct backend_operation *late = world.late;
    world.late = NULL;
    carry_out(late);
    memory_free(late);
}

/* --- answering --- */

static inline void answer_failure(struct backend_operation *operation,
                                  const struct failure *failure)
{
    if (operation->kind == ASK_CREATE)
        operation->done.created(operation->argument, failure, NULL, 0);
    else if (operation->kind == ASK_LOOK)
        operation->done.looked(operation->argument, failure, NULL, 0);
    else if (operation->kind == ASK_SEARCH)
        operation->done.searched(operation->argument, failure, NULL, 0);
    else
        operation->done.sent(operation->argument, failure, NULL, 0);
}

static inline void answer_created(struct backend_operation *operation)
{
    struct backend_created created[ASKED_MAX] = {0};
    char references[ASKED_MAX][32];
    for (size_t i = 0; i < operation->count; i++) {
        created[i].failure = operation->failures[i];
        if (failure_is_set(&created[i].failure) || operation->how == BACKEND_CREATE_AND_SEND)
            continue;
        reference_of(operation->made[i], references[i]);
        created[i].reference = references[i];
    }
    operation->done.created(operation->argument, NULL, created, operation->count);
}

static inline void answer_looked(struct backend_operation *operation)
{
    struct backend_looked looked[ASKED_MAX] = {0};
    char references[ASKED_MAX][32];
    for (size_t i = 0; i < operation->count; i++) {
        const struct draft *draft = &world.drafts[operation->numbers[i]];
        looked[i].failure = operation->failures[i];
        if (world.unknown_looks > 0)
            looked[i].failure = failure_refused(false);
        if (failure_is_set(&looked[i].failure))
            looked[i].state = BACKEND_DRAFT_UNKNOWN;
        else if (!draft->there)
            looked[i].state = BACKEND_DRAFT_GONE;
        else
            looked[i].reference = references[i];
        reference_of(operation->numbers[i], references[i]);
        if (looked[i].reference != NULL)
            looked[i].state = draft->submitted ? BACKEND_DRAFT_SUBMITTED : BACKEND_DRAFT_WAITING;
    }
    world.unknown_looks -= world.unknown_looks > 0;
    operation->done.looked(operation->argument, NULL, looked, operation->count);
}

static inline void answer_searched(struct backend_operation *operation)
{
    struct backend_match matches[ASKED_MAX];
    char references[ASKED_MAX][32];
    size_t count = 0;
    for (size_t i = 0; i < operation->count; i++) {
        for (int draft = 0; draft < world.draft_count; draft++) {
            if (!world.drafts[draft].there || world.drafts[draft].number != operation->numbers[i])
                continue;
            assert_true(count < ASKED_MAX);
            reference_of(draft, references[count]);
            matches[count] = (struct backend_match){.index = i,
                                                    .place = BACKEND_IN_DRAFTS,
                                                    .submitted = world.drafts[draft].submitted,
                                                    .reference = references[count]};
            count++;
        }
        assert_true(count < ASKED_MAX);
        if (world.messages[operation->numbers[i]].copy)
            matches[count++] = (struct backend_match){
                .index = i, .place = BACKEND_IN_SENT_ITEMS, .reference = "copy"};
    }
    operation->done.searched(operation->argument, NULL, matches, count);
}

static inline void answer_well(struct backend_operation *operation)
{
    if (operation->kind == ASK_CREATE)
        answer_created(operation);
    else if (operation->kind == ASK_LOOK)
        answer_looked(operation);
    else if (operation->kind == ASK_SEARCH)
        answer_searched(operation);
    else
        operation->done.sent(operation->argument, NULL, operation->failures, operation->count);
}

/* The first one's own answer; the others are as they are. */
static inline void spoil_first(struct backend_operation *operation)
{
    if (operation->fault == FAULT_FIRST_BUSY)
        operation->failures[0] = failure_refused(false);
    if (operation->fault == FAULT_FIRST_WHOLE)
        operation->failures[0] =
            failure_named(FAILURE_THROTTLING, FAILURE_SCOPE_MAILBOX, "ErrorServerBusy");
    if (operation->fault != FAULT_NONE)
        operation->failures[0].retry_after_ms = world.retry_after_ms;
    if (operation->fault == FAULT_FIRST_IN_DOUBT) {
        operation->failures[0] = failure_refused(false);
        operation->failures[0].in_doubt = true;
    }
}

static inline bool changes_something(const struct backend_operation *operation)
{
    return operation->kind != ASK_LOOK && operation->kind != ASK_SEARCH;
}

/* Returns the failure of the request as a whole, or one that is not set. */
static inline struct failure meet_fault(struct backend_operation *operation)
{
    struct failure failure = {0};
    enum fault fault = operation->fault;
    if (fault == FAULT_LOST_AFTER || fault == FAULT_DIVISIBLE_AFTER)
        carry_out(operation);
    if (fault == FAULT_LOST_LATE && changes_something(operation) && world.late == NULL) {
        world.late = memory_allocate(sizeof *world.late);
        *world.late = *operation;
        world.late_at = world.requests + 2;
    }
    if (fault >= FAULT_LOST_BEFORE && fault <= FAULT_LOST_LATE)
        failure = failure_lost();
    if (fault == FAULT_REFUSED || fault == FAULT_DIVISIBLE || fault == FAULT_DIVISIBLE_AFTER)
        failure = failure_named(FAILURE_SERVER, FAILURE_SCOPE_MAILBOX, "HTTP 500");
    bool poisoned = (fault == FAULT_NONE || fault >= FAULT_FIRST_BUSY) && is_poisoned(operation);
    bool fails = (operation->kind == ASK_SEARCH && world.searches_fail) ||
                 (operation->kind == ASK_PURGE && world.purges_fail);
    if (poisoned || fails)
        failure = failure_named(FAILURE_SERVER, FAILURE_SCOPE_MAILBOX, "HTTP 500");
    failure.divisible = failure_is_set(&failure) && fault != FAULT_REFUSED && !fails &&
                        (fault < FAULT_LOST_BEFORE || fault > FAULT_LOST_LATE);
    failure.in_doubt |= fault == FAULT_DIVISIBLE_AFTER || (poisoned && world.poison_in_doubt);
    failure.retry_after_ms = world.retry_after_ms;
    failure.in_doubt &= changes_something(operation);
    return failure;
}

/* Reads the messages: false while it waits, or when that ended it. */
static inline bool read_contents(struct backend_operation *operation)
{
    char room[4];
    while (operation->kind == ASK_CREATE && operation->reading < operation->count) {
        const struct backend_content *content = &operation->submissions[operation->reading].content;
        if (operation->read == content->size) {
            operation->reading++;
            operation->read = 0;
            continue;
        }
        size_t got = content->read(content->argument, room, sizeof room);
        if (got == 0)
            operation->paused = true;
        if (got == BACKEND_CONTENT_FAILED) {
            struct failure failure;
            content->failure(content->argument, &failure);
            answer_failure(operation, &failure);
            memory_free(operation);
        }
        if (got == 0 || got == BACKEND_CONTENT_FAILED)
            return false;
        operation->read += got;
    }
    return true;
}

static inline void request_run(void *answer)
{
    struct backend_operation *operation = answer;
    if (operation->fault != FAULT_LOST_BEFORE && !read_contents(operation))
        return;
    struct failure failure = meet_fault(operation);
    if (failure_is_set(&failure)) {
        answer_failure(operation, &failure);
    } else {
        carry_out(operation);
        spoil_first(operation);
        answer_well(operation);
    }
    memory_free(operation);
}

static inline struct backend_operation *request_start(enum request_kind kind, size_t count,
                                                      void *argument)
{
    assert_false(world.dead);
    assert_in_range(count, 1, ASKED_MAX);
    transport_run();
    if (++world.requests > REQUESTS_MAX)
        fail_msg("it goes on for ever");
    world.kinds[kind]++;
    world.last_count[kind] = count;
    carry_out_late();
    struct backend_operation *operation = memory_allocate(sizeof *operation);
    operation->kind = kind;
    operation->count = count;
    operation->argument = argument;
    if (world.requests == world.fault_at)
        operation->fault = world.fault;
    else if (world.requests == world.second_fault_at)
        operation->fault = world.second_fault;
    answer_later(&operation->answer, request_run);
    return operation;
}

/* --- what the cycle asks --- */

struct backend_operation *
backend_create_start(struct backend *backend, const struct backend_mailbox *mailbox,
                     enum backend_create_how how, const struct backend_submission *submissions,
                     size_t count, backend_create_done *done, void *argument)
{
    (void)backend, (void)mailbox;
    struct backend_operation *operation = request_start(ASK_CREATE, count, argument);
    operation->how = how;
    operation->done.created = done;
    operation->submissions = submissions;
    for (size_t i = 0; i < count; i++) {
        int number = operation->numbers[i] = number_of_id(submissions[i].id);
        struct message *message = &world.messages[number];
        /* A kill from here on is to be seen in the store. */
        assert_int_equal(message->row.state, how == BACKEND_CREATE_DRAFT
                                                 ? STORE_SUBMISSION_CREATING
                                                 : STORE_SUBMISSION_DOUBTFUL);
        assert_int_equal(submissions[i].recipient_count, 2);
        assert_string_equal(submissions[i].recipients[0].name, "Bob");
        assert_int_equal(submissions[i].recipients[1].kind, BACKEND_BCC);
        assert_int_equal(submissions[i].content.size, message->row.size);
        message->asked_create++;
    }
    return operation;
}

void backend_create_resume(struct backend_operation *operation)
{
    if (!operation->paused)
        return;
    operation->paused = false;
    answer_later(&operation->answer, request_run);
}

uint64_t backend_create_size(uint64_t size)
{
    return size;
}

uint64_t backend_recipients_size(const struct backend_recipient *recipients, size_t count)
{
    (void)recipients;
    (void)count;
    return 0;
}

struct backend_operation *backend_send_start(struct backend *backend,
                                             const struct backend_mailbox *mailbox,
                                             const char *const *references, size_t count,
                                             backend_send_done *done, void *argument)
{
    (void)backend, (void)mailbox;
    struct backend_operation *operation = request_start(ASK_SEND, count, argument);
    operation->done.sent = done;
    for (size_t i = 0; i < count; i++) {
        operation->numbers[i] = draft_of(references[i], &operation->versions[i]);
        struct message *message = &world.messages[world.drafts[operation->numbers[i]].number];
        assert_int_equal(message->row.state, STORE_SUBMISSION_SENDING);
        assert_string_equal(message->row.reference, references[i]);
        message->asked_send++;
    }
    return operation;
}

bool backend_send_is_unsupported(const struct failure *failure)
{
    return strcmp(failure->code, "Unsupported") == 0;
}

struct backend_operation *backend_look_start(struct backend *backend,
                                             const struct backend_mailbox *mailbox,
                                             const char *const *references, size_t count,
                                             backend_look_done *done, void *argument)
{
    (void)backend, (void)mailbox;
    struct backend_operation *operation = request_start(ASK_LOOK, count, argument);
    operation->done.looked = done;
    for (size_t i = 0; i < count; i++)
        operation->numbers[i] = draft_of(references[i], &operation->versions[i]);
    return operation;
}

struct backend_operation *backend_search_start(struct backend *backend,
                                               const struct backend_mailbox *mailbox,
                                               const char *const *ids, size_t count,
                                               backend_search_done *done, void *argument)
{
    (void)backend, (void)mailbox;
    assert_in_range(count, 1, BACKEND_SEARCH_MAX);
    struct backend_operation *operation = request_start(ASK_SEARCH, count, argument);
    operation->done.searched = done;
    for (size_t i = 0; i < count; i++)
        operation->numbers[i] = number_of_id(ids[i]);
    return operation;
}

struct backend_operation *backend_acknowledge_start(struct backend *backend,
                                                    const struct backend_mailbox *mailbox,
                                                    enum backend_action action,
                                                    const char *folder_id,
                                                    const char *const *references, size_t count,
                                                    backend_acknowledge_done *done, void *argument)
{
    (void)backend, (void)mailbox;
    assert_int_equal(action, BACKEND_PURGE);
    assert_null(folder_id);
    struct backend_operation *operation = request_start(ASK_PURGE, count, argument);
    operation->done.sent = done;
    for (size_t i = 0; i < count; i++)
        operation->numbers[i] = draft_of(references[i], &operation->versions[i]);
    return operation;
}

#endif
