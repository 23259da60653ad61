/* For the outgoing cycle's tests: a server with Drafts, Transport and Sent Items, a store and an
 * outbox in memory, and a clock that the test moves. All of them hold the cycle to its contracts,
 * and each answer can be made to go wrong. To be included by one file of a test. */
#ifndef EXSYNC_TESTS_DAEMON_SEND_WORLD_H
#define EXSYNC_TESTS_DAEMON_SEND_WORLD_H

#include "daemon_world.h"

#include "base/clock.h"
#include "daemon/dispatch.h"
#include "daemon/nondelivery.h"
#include "daemon/settle.h"
#include "daemon/submission_report.h"

enum { MESSAGES_MAX = 128, DRAFTS_MAX = 512, ASKED_MAX = 64, REQUESTS_MAX = 400 };

enum request_kind { ASK_CREATE, ASK_SEND, ASK_LOOK, ASK_SEARCH, ASK_PURGE };

/* How the server treats a message. */
enum treatment {
    TREAT_WELL,
    TREAT_NO_DRAFT,     /* refused for good when it is created */
    TREAT_NO_SENDING,   /* refused for good when it is sent */
    TREAT_NO_SENSE,     /* each time it is sent, its own answer is an error of the server */
    TREAT_POISON,       /* every request to create it fails as a whole */
    TREAT_POISON_DRAFT, /* every request to send it does */
    TREAT_POISON_LOOK,  /* every request to look at a draft of it does */
    TREAT_POISON_SEARCH /* every search for it does */
};

/* What happens to a request. */
enum fault {
    FAULT_NONE,
    FAULT_LOST_BEFORE,     /* no answer, and it never arrived */
    FAULT_LOST_AFTER,      /* no answer, but it was carried out */
    FAULT_LOST_LATE,       /* no answer, and it is carried out two requests later */
    FAULT_REFUSED,         /* as a whole: nothing was done */
    FAULT_DIVISIBLE,       /* the same, and one of them may be the cause */
    FAULT_DIVISIBLE_AFTER, /* as a whole, carried out all the same, one may be the cause */
    FAULT_FIRST_BUSY,      /* the first is not done, in a way that may pass */
    FAULT_FIRST_IN_DOUBT,  /* the first is done, says nobody */
    FAULT_FIRST_WHOLE,     /* the first is not done, for a reason that concerns the mailbox */
    FAULTS,
};

struct message {
    enum treatment treatment;
    unsigned sent;    /* so often has Transport taken it */
    int64_t place;    /* in which order */
    bool copy;        /* in Sent Items */
    bool queued_file; /* queue/ID.eml */
    bool failed_file;
    unsigned told;         /* its sender, that it was not sent */
    unsigned recorded;     /* as waiting or failed */
    struct failure reason; /* as its sender was told */
    char reason_file[512]; /* what stands beside failed_file */
    unsigned strays_told;  /* a draft too many of it could not be removed */
    unsigned asked_create, asked_send;
    struct failure read_failure; /* of its file */
    struct store_submission row;
    char reference[32];
};

struct draft {
    bool there;
    int version; /* changes with it */
    bool submitted;
    int number;
    int64_t leaves_ms; /* when Transport takes it */
};

static struct world {
    struct message messages[MESSAGES_MAX];
    int count;
    struct draft drafts[DRAFTS_MAX];
    int draft_count;
    int64_t now_ms;
    int64_t transport_ms;   /* so long a submitted draft waits */
    bool copies_vanish;     /* somebody removes each at once */
    bool drafts_vanish;     /* somebody removes each draft before it is sent */
    bool cannot_send;       /* drafts */
    int cannot_send_below;  /* this number */
    bool purge_stuck;       /* each draft refuses to be removed */
    unsigned unknown_looks; /* so many more looks find out nothing */
    int submission_changes; /* 1: a draft that is submitted gets another ChangeKey */
    bool poison_in_doubt;   /* what a poisoned request did is not known */
    bool searches_fail;     /* as a whole, and no message is the cause */
    bool purges_fail;
    uint32_t retry_after_ms; /* asked for with each fault */
    unsigned requests, writes, refusals, answers, publications;
    unsigned kinds[ASK_PURGE + 1];
    size_t last_count[ASK_PURGE + 1]; /* for how many the last request of a kind was */
    unsigned fault_at;                /* the request, from 1, that has the fault */
    enum fault fault;
    unsigned second_fault_at;
    enum fault second_fault;
    unsigned write_fault_at, refusal_fault_at;
    struct backend_operation *late; /* to be carried out */
    unsigned late_at;
    bool dead; /* the process is: nothing it does has an effect */
    unsigned asked_too_early;
} world;

/* --- the clock and the loop --- */

int64_t clock_wall_ms(void)
{
    return world.now_ms;
}

uint64_t clock_monotonic_ms(void)
{
    return (uint64_t)world.now_ms;
}

void clock_format_utc(int64_t wall_ms, char text[CLOCK_TEXT_SIZE])
{
    snprintf(text, CLOCK_TEXT_SIZE, "%lld", (long long)wall_ms);
}

int clock_parse_utc(const char *text, size_t length, int64_t *wall_ms)
{
    (void)text, (void)length, (void)wall_ms;
    return -1;
}

uint64_t executor_now(const struct executor *executor)
{
    (void)executor;
    return (uint64_t)world.now_ms;
}

void disk_watch_give_up(struct disk_watch *watch)
{
    (void)watch; /* senders are told at once here */
}

void executor_after(struct executor *executor, struct executor_timer *timer, uint64_t delay_ms,
                    void (*callback)(void *argument), void *argument)
{
    (void)executor, (void)timer, (void)delay_ms, (void)callback, (void)argument;
    fail_msg("the outgoing cycle starts no timer");
}

void executor_cancel_timer(struct executor *executor, struct executor_timer *timer)
{
    (void)executor, (void)timer;
}

bool executor_timer_pending(const struct executor_timer *timer)
{
    (void)timer;
    return false;
}

struct call_answer {
    struct answer answer;
    struct executor_call *call;
};

static inline void call_run(void *answer)
{
    struct executor_call *call = ((struct call_answer *)answer)->call;
    memory_free(answer);
    call->pending = false;
    call->callback(call->argument);
}

void executor_defer(struct executor *executor, struct executor_call *call,
                    void (*callback)(void *argument), void *argument)
{
    (void)executor;
    if (call->pending)
        return;
    *call = (struct executor_call){.callback = callback, .argument = argument, .pending = true};
    struct call_answer *answer = memory_allocate(sizeof *answer);
    answer->call = call;
    answer_later(&answer->answer, call_run);
}

void executor_cancel_call(struct executor *executor, struct executor_call *call)
{
    (void)executor;
    for (struct answer *answer = first_answer; answer != NULL && call->pending;
         answer = answer->next) {
        if (answer->run != call_run || ((struct call_answer *)answer)->call != call)
            continue;
        answer_withdraw(answer);
        memory_free(answer);
        break;
    }
    call->pending = false;
}

/* --- failures --- */

static inline struct failure failure_named(enum failure_category category, enum failure_scope scope,
                                           const char *code)
{
    struct failure failure = {
        .category = category, .scope = scope, .sentence = "It went wrong.", .remedy = ""};
    failure_set_code(&failure, code);
    failure_set_step(&failure, "step");
    return failure;
}

static inline struct failure failure_lost(void)
{
    struct failure failure = failure_named(FAILURE_NETWORK, FAILURE_SCOPE_MAILBOX, "Lost");
    failure.in_doubt = true;
    return failure;
}

static inline struct failure failure_refused(bool permanent)
{
    struct failure failure = failure_named(FAILURE_ITEM, FAILURE_SCOPE_ITEM,
                                           permanent ? "ErrorInvalidRecipients" : "ErrorBusyItem");
    failure.permanent = permanent;
    return failure;
}

static inline struct failure failure_gone(void)
{
    struct failure failure = failure_named(FAILURE_ITEM, FAILURE_SCOPE_ITEM, "ErrorItemNotFound");
    failure.permanent = failure.gone = true;
    return failure;
}

/* --- messages and the store --- */

/* Ids sort as their numbers do. */
static inline void id_of(int number, char id[STORE_SUBMISSION_ID_SIZE])
{
    snprintf(id, STORE_SUBMISSION_ID_SIZE, "00000000-0000-7000-8000-%012d", number);
}

static inline int number_of_id(const char *id)
{
    assert_int_equal(strlen(id), 36);
    int number = atoi(id + 24);
    assert_in_range(number, 0, world.count - 1);
    return number;
}

/* Submits `count` messages and forgets the world before. */
static inline void world_create(int count)
{
    assert_true(count <= MESSAGES_MAX);
    assert_null(first_answer);
    memset(&world, 0, sizeof world);
    world.now_ms = INT64_C(1790000000000);
    world.count = count;
    logged_forget();
    for (int i = 0; i < count; i++) {
        struct message *message = &world.messages[i];
        message->queued_file = true;
        message->row = (struct store_submission){
            .state = STORE_SUBMISSION_QUEUED,
            .order = i + 1,
            .queued_ms = world.now_ms,
            .size = 10,
            .message_id = "<m@example.com>",
            .subject = "A subject",
            .recipients = "to bob@example.com Bob\nbcc eve@example.com",
        };
        id_of(i, message->row.id);
    }
}

static inline bool message_is_open(const struct message *message)
{
    return message->row.stray || (message->row.state != STORE_SUBMISSION_SENT &&
                                  message->row.state != STORE_SUBMISSION_FAILED);
}

struct due_answer {
    struct answer answer;
    store_submissions_done *done;
    void *argument;
    int64_t now_ms;
    size_t limit;
};

static inline void due_run(void *answer)
{
    struct due_answer *due = answer;
    struct store_submission rows[MESSAGES_MAX];
    struct store_submissions result = {.submissions = rows, .next_ms = INT64_MAX};
    for (int i = 0; i < world.count; i++) {
        const struct store_submission *row = &world.messages[i].row;
        if (!message_is_open(&world.messages[i]))
            continue;
        if (row->next_try_ms > due->now_ms)
            result.next_ms = row->next_try_ms < result.next_ms ? row->next_try_ms : result.next_ms;
        else if (result.count < due->limit)
            rows[result.count++] = *row;
        else
            result.more = true;
    }
    const struct failure cancelled = failure_cancelled();
    due->done(due->argument, world.dead ? &cancelled : NULL, world.dead ? NULL : &result);
    memory_free(due);
}

void store_submissions_due(struct store *store, struct store_mailbox mailbox, int64_t now_ms,
                           size_t limit, store_submissions_done *done, void *argument)
{
    (void)store, (void)mailbox;
    struct due_answer *due = memory_allocate(sizeof *due);
    *due =
        (struct due_answer){.done = done, .argument = argument, .now_ms = now_ms, .limit = limit};
    answer_later(&due->answer, due_run);
}

/* The changes are the caller's until done. */
struct change_answer {
    struct answer answer;
    const struct store_submission_change *changes;
    size_t count;
    store_done *done;
    void *argument;
    bool written;
    bool fails;
};

static inline void change_write(struct change_answer *change)
{
    for (size_t i = 0; i < change->count && !change->fails && !change->written; i++) {
        const struct store_submission_change *to = &change->changes[i];
        struct message *message = &world.messages[number_of_id(to->id)];
        bool had_ended = message->row.state == STORE_SUBMISSION_SENT ||
                         message->row.state == STORE_SUBMISSION_FAILED;
        if (had_ended) /* final is final */
            assert_int_equal(to->state, message->row.state);
        if (to->state == STORE_SUBMISSION_CREATED || to->state == STORE_SUBMISSION_SENDING)
            assert_non_null(to->reference);
        snprintf(message->reference, sizeof message->reference, "%s",
                 to->reference == NULL ? "" : to->reference);
        message->row.state = to->state;
        message->row.reference = to->reference == NULL ? NULL : message->reference;
        message->row.attempts = to->attempts;
        message->row.next_try_ms = to->next_try_ms;
        message->row.doubt_since_ms = to->doubt_since_ms;
        message->row.stray = to->stray;
    }
    change->written = true;
}

static inline void change_run(void *answer)
{
    struct change_answer *change = answer;
    const struct failure full = failure_named(FAILURE_STORAGE, FAILURE_SCOPE_SERVER, "SQLITE_FULL");
    if (!world.dead)
        change_write(change);
    change->done(change->argument,
                 change->fails || (world.dead && !change->written) ? &full : NULL);
    memory_free(change);
}

void store_submissions_change(struct store *store, struct store_mailbox mailbox,
                              const struct store_submission_change *changes, size_t count,
                              int64_t now_ms, store_done *done, void *argument)
{
    (void)store, (void)mailbox;
    assert_int_equal(now_ms, world.now_ms);
    assert_true(count > 0);
    struct change_answer *change = memory_allocate(sizeof *change);
    *change = (struct change_answer){
        .changes = changes, .count = count, .done = done, .argument = argument};
    change->fails = ++world.writes == world.write_fault_at;
    answer_later(&change->answer, change_run);
}

/* --- what is told --- */

void submission_report_waits(struct cycle *cycle, const struct submission *submission,
                             const struct failure *failure, uint64_t wait_ms)
{
    (void)cycle, (void)wait_ms;
    assert_true(failure_is_set(failure));
    world.messages[number_of_id(submission->row.id)].recorded++;
}

void submission_report_failed(struct cycle *cycle, const struct submission *submission,
                              const struct failure *failure)
{
    submission_report_waits(cycle, submission, failure, 0);
}

void submission_report_stray(struct cycle *cycle, const struct submission *submission,
                             const struct failure *failure, uint64_t wait_ms)
{
    (void)cycle, (void)wait_ms;
    assert_true(failure_is_set(failure));
    world.messages[number_of_id(submission->row.id)].strays_told++;
}

void submission_report_sender_not_told(struct cycle *cycle, const struct submission *submission,
                                       const struct failure *failure)
{
    (void)cycle, (void)submission, (void)failure;
}

struct notice_answer {
    struct answer answer;
    struct nondelivery *nondelivery;
};

static inline void notice_run(void *answer)
{
    struct nondelivery *nondelivery = ((struct notice_answer *)answer)->nondelivery;
    memory_free(answer);
    struct message *message = &world.messages[number_of_id(nondelivery->submission->row.id)];
    message->reason = *nondelivery->failure;
    if (!world.dead)
        message->told++;
    nondelivery->done(nondelivery, NULL);
}

bool nondelivery_wanted(const struct cycle *cycle, const struct submission *submission)
{
    (void)cycle;
    return !submission->row.null_sender;
}

void nondelivery_start(struct nondelivery *nondelivery)
{
    assert_true(failure_is_set(nondelivery->failure));
    struct notice_answer *notice = memory_allocate(sizeof *notice);
    notice->nondelivery = nondelivery;
    answer_later(&notice->answer, notice_run);
}

void nondelivery_release(struct nondelivery *nondelivery)
{
    (void)nondelivery;
}

/* --- the outbox --- */

struct refuse_answer {
    struct answer answer;
    int number;
    bool fails;
    outbox_done *done;
    void *argument;
};

static inline void refuse_run(void *answer)
{
    struct refuse_answer *refuse = answer;
    struct message *message = &world.messages[refuse->number];
    const struct failure full = failure_named(FAILURE_STORAGE, FAILURE_SCOPE_SERVER, "ENOSPC");
    if (!refuse->fails && !world.dead) {
        message->failed_file |= message->queued_file;
        message->queued_file = false;
    }
    struct failure lost = full;
    lost.gone = !message->failed_file;
    refuse->done(refuse->argument, refuse->fails ? &full : lost.gone ? &lost : NULL);
    memory_free(refuse);
}

const char *outbox_directory(const struct outbox *outbox)
{
    (void)outbox;
    return "/outbox";
}

void outbox_refuse(struct outbox *outbox, const char *id, const char *reason, outbox_done *done,
                   void *argument)
{
    (void)outbox;
    assert_true(strlen(reason) > 0);
    struct refuse_answer *refuse = memory_allocate(sizeof *refuse);
    *refuse =
        (struct refuse_answer){.number = number_of_id(id), .done = done, .argument = argument};
    struct message *message = &world.messages[refuse->number];
    snprintf(message->reason_file, sizeof message->reason_file, "%s", reason);
    refuse->fails = ++world.refusals == world.refusal_fault_at;
    answer_later(&refuse->answer, refuse_run);
}

/* Only what the store knows as sent: its file is the last copy. */
void outbox_remove(struct outbox *outbox, const char *id, outbox_done *done, void *argument)
{
    (void)outbox, (void)done, (void)argument;
    struct message *message = &world.messages[number_of_id(id)];
    assert_int_equal(message->row.state, STORE_SUBMISSION_SENT);
    message->queued_file = false;
}

struct outbox_reader {
    struct answer answer;
    void (*on_ready)(void *argument);
    void *argument;
    int number;
    bool filling, filled;
    uint64_t offset;
    struct failure failure;
};

static inline void reader_run(void *answer)
{
    struct outbox_reader *reader = answer;
    reader->filling = false;
    reader->filled = true;
    reader->failure = world.messages[reader->number].read_failure;
    if (!world.messages[reader->number].queued_file) {
        reader->failure = failure_named(FAILURE_STORAGE, FAILURE_SCOPE_SERVER, "ENOENT");
        reader->failure.gone = true;
    }
    reader->on_ready(reader->argument);
}

struct outbox_reader *outbox_reader_create(struct outbox *outbox, const char *id,
                                           void (*on_ready)(void *argument), void *argument)
{
    (void)outbox;
    struct outbox_reader *reader = memory_allocate(sizeof *reader);
    *reader = (struct outbox_reader){
        .on_ready = on_ready, .argument = argument, .number = number_of_id(id)};
    return reader;
}

void outbox_reader_free(struct outbox_reader *reader)
{
    if (reader != NULL && reader->filling)
        answer_withdraw(&reader->answer);
    memory_free(reader);
}

size_t outbox_read(struct outbox_reader *reader, char *room, size_t size)
{
    if (failure_is_set(&reader->failure))
        return SIZE_MAX;
    if (!reader->filled) {
        assert_false(reader->filling);
        reader->filling = true;
        answer_later(&reader->answer, reader_run);
        return 0;
    }
    uint64_t left = world.messages[reader->number].row.size - reader->offset;
    size_t length = left < size ? (size_t)left : size;
    memset(room, 'x', length);
    reader->offset += length;
    return length;
}

void outbox_rewind(struct outbox_reader *reader)
{
    reader->offset = 0;
}

/* As the outbox's own: never NULL. */
const struct failure *outbox_reader_failure(const struct outbox_reader *reader)
{
    return &reader->failure;
}

#endif
