/* The test of sending: the "Test Message" goes out, arrives, and is removed. */
#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "daemon/mail_text.h"
#include "daemon/mailbox_test_private.h"
#include "daemon/service_private.h"

#include <inttypes.h>
#include <string.h>

enum { FIRST_PAUSE_MS = 50, LONGEST_PAUSE_MS = 2000, LOOK_AT_ITEMS = 50 };

static const char *const places[MAILBOX_TEST_PLACES] = {"Inbox", "Sent Items"};

static void look(struct mailbox_test *test);

static struct executor *executor_of(const struct mailbox_test *test)
{
    return test->service->context.executor;
}

static struct backend *backend_of(const struct mailbox_test *test)
{
    return test->profile->backend;
}

void mailbox_test_release_found(struct mailbox_test *test)
{
    for (size_t i = 0; i < test->found_count; i++)
        memory_free(test->found[i]);
    memory_free(test->found);
    test->found = NULL;
    test->found_count = 0;
}

/* --- removing --- */

static struct failure failure_of_silence(void)
{
    struct failure failure = {
        .category = FAILURE_MAILBOX,
        .scope = FAILURE_SCOPE_MAILBOX,
        .sentence = "The test message was sent, and has not arrived.",
        .remedy = "Look for it with Get-MessageTrackingLog and Get-Queue in Exchange; check the "
                  "quota of the mailbox and its rules, one of which may have moved it.",
    };
    failure_set_code(&failure, "NotArrived");
    failure_format_text(&failure, "not in the Inbox within %d s", MAILBOX_TEST_ARRIVAL_MS / 1000);
    return failure;
}

static void conclude(struct mailbox_test *test)
{
    if (test->arrived_ms == 0) {
        const struct failure silence = failure_of_silence();
        mailbox_test_end_step(test, failure_is_set(&test->doubt) ? &test->doubt : &silence);
        return;
    }
    uint64_t took = test->arrived_ms - test->sent_ms;
    test_step_detail(&test->step, "the test message arrived after %" PRIu64 ".%02" PRIu64 " s%s",
                     took / 1000, took % 1000 / 10,
                     test->has_copy ? "" : "; there was no copy of it in Sent Items");
    if (mailbox_test_end_step(test, NULL))
        mailbox_test_finish(test);
}

static void removed(void *argument, const struct failure *failure, const struct failure *failures,
                    size_t count)
{
    struct mailbox_test *test = argument;
    test->operation = NULL;
    for (size_t i = 0; failure == NULL && i < count; i++) {
        if (failure_is_set(&failures[i]))
            failure = &failures[i];
    }
    if (failure == NULL) {
        conclude(test);
        return;
    }
    test_step_detail(&test->step, "the test message was not removed");
    mailbox_test_end_step(test, failure);
}

static void remove_found(struct mailbox_test *test)
{
    if (test->found_count == 0) {
        conclude(test);
        return;
    }
    test->operation = backend_acknowledge_start(backend_of(test), &test->target, BACKEND_PURGE,
                                                NULL, (const char *const *)test->found,
                                                test->found_count, removed, test);
}

/* --- looking --- */

/* By a test that was killed, or given up before its message arrived. */
static bool is_left(const struct backend_item *item)
{
    return item->test != 0 && item->received_ms != INT64_MIN &&
           clock_wall_ms() - item->received_ms > MAILBOX_TEST_LEFT_MS;
}

static void take_tests(struct mailbox_test *test, const struct backend_page *page)
{
    test->found =
        memory_resize(test->found, (test->found_count + page->count + 1) * sizeof *test->found);
    for (size_t i = 0; i < page->count; i++) {
        const struct backend_item *item = &page->items[i];
        if (item->test != test->number && !is_left(item))
            continue;
        test->found[test->found_count++] = memory_copy_string(item->reference);
        if (item->test != test->number)
            continue;
        if (test->place == 1)
            test->has_copy = true;
        else if (test->arrived_ms == 0)
            test->arrived_ms = executor_now(executor_of(test));
    }
}

static bool is_over(const struct mailbox_test *test)
{
    uint64_t now = executor_now(executor_of(test));
    if (test->arrived_ms == 0)
        return now - test->sent_ms >= MAILBOX_TEST_ARRIVAL_MS;
    return test->has_copy || now - test->arrived_ms >= MAILBOX_TEST_COPY_MS;
}

static void look_again(void *argument)
{
    struct mailbox_test *test = argument;
    mailbox_test_release_found(test);
    test->place = 0;
    look(test);
}

static void looked(void *argument, const struct failure *failure, const struct backend_page *page)
{
    struct mailbox_test *test = argument;
    test->operation = NULL;
    if (failure != NULL) {
        mailbox_test_end_step(test, failure);
        return;
    }
    take_tests(test, page);
    if (++test->place < MAILBOX_TEST_PLACES) {
        look(test);
    } else if (is_over(test)) {
        remove_found(test);
    } else {
        executor_after(executor_of(test), &test->timer, test->pause_ms, look_again, test);
        test->pause_ms =
            2 * test->pause_ms < LONGEST_PAUSE_MS ? 2 * test->pause_ms : LONGEST_PAUSE_MS;
    }
}

static void place_known(void *argument, const struct failure *failure, const char *folder_id,
                        bool created)
{
    (void)created; /* never: it was not asked for */
    struct mailbox_test *test = argument;
    test->operation = NULL;
    if (failure != NULL) {
        mailbox_test_end_step(test, failure);
        return;
    }
    memory_free(test->folder_id);
    test->folder_id = memory_copy_string(folder_id);
    test->operation = backend_list_start(backend_of(test), &test->target, test->folder_id, 0,
                                         LOOK_AT_ITEMS, NULL, looked, test);
}

/* The way that new mail is found, so that what is found here is known there, too. */
static void look(struct mailbox_test *test)
{
    test->operation = backend_folder_start(backend_of(test), &test->target, places[test->place],
                                           false, place_known, test);
}

/* --- sending --- */

static size_t content_read(void *argument, char *room, size_t size)
{
    struct mailbox_test *test = argument;
    size_t left = test->message.length - test->read;
    size_t length = left < size ? left : size;
    memcpy(room, test->message.data + test->read, length);
    test->read += length;
    return length;
}

static void content_rewind(void *argument)
{
    struct mailbox_test *test = argument;
    test->read = 0;
}

static void content_failure(void *argument, struct failure *failure)
{
    (void)argument;
    *failure = failure_cancelled(); /* it is in memory: reading it never fails */
}

static void write_message(struct mailbox_test *test)
{
    const char *address = test->config->address;
    const char *domain = strrchr(address, '@');
    struct buffer *mail = &test->message;
    buffer_append_format(mail, "From: <%s>\r\nTo: <%s>\r\nSubject: Test Message\r\n", address,
                         address);
    buffer_append_string(mail, "Date: ");
    mail_write_date(mail, clock_wall_ms());
    buffer_append_format(mail, "\r\nMessage-ID: <%s%s>\r\n", test->id,
                         domain == NULL ? "@exsyncd" : domain);
    buffer_append_string(mail, "Auto-Submitted: auto-generated\r\n"
                               "X-Auto-Response-Suppress: All\r\n"
                               "MIME-Version: 1.0\r\n"
                               "Content-Type: text/plain; charset=us-ascii\r\n\r\n"
                               "exsyncd tests whether this mailbox can send and receive. It "
                               "removes this message\r\nby itself.\r\n");
}

static void sent(void *argument, const struct failure *failure,
                 const struct backend_created *created, size_t count)
{
    struct mailbox_test *test = argument;
    test->operation = NULL;
    if (failure == NULL && count > 0 && failure_is_set(&created[0].failure))
        failure = &created[0].failure;
    /* What may have gone out is looked for: it must not stay. */
    if (failure != NULL && !failure->in_doubt) {
        mailbox_test_end_step(test, failure);
        return;
    }
    if (failure != NULL)
        test->doubt = *failure;
    test->sent_ms = executor_now(executor_of(test));
    test->pause_ms = FIRST_PAUSE_MS;
    look(test);
}

static void send_now(struct mailbox_test *test)
{
    do
        random_bytes(&test->number, sizeof test->number);
    while (test->number == 0);
    backend_test_id(backend_of(test), test->number, test->id);
    write_message(test);
    test->recipient = (struct backend_recipient){
        .kind = BACKEND_TO,
        .address = test->config->address,
    };
    const struct backend_submission submission = {
        .id = test->id,
        .recipients = &test->recipient,
        .recipient_count = 1,
        .content =
            {
                .size = test->message.length,
                .read = content_read,
                .rewind = content_rewind,
                .failure = content_failure,
                .argument = test,
            },
    };
    mailbox_test_begin_step(test, TEST_SENDING); /* the wait for a cycle does not count */
    test->operation = backend_create_start(backend_of(test), &test->target, BACKEND_CREATE_AND_SEND,
                                           &submission, 1, sent, test);
}

static struct failure failure_of_claim(void)
{
    struct failure failure = {
        .category = FAILURE_MAILBOX,
        .scope = FAILURE_SCOPE_MAILBOX,
        .sentence = "An incoming cycle of the mailbox runs and does not end.",
        .remedy = "Look for what it waits for (exsyncctl status); test again, or with --no-send.",
    };
    failure_set_code(&failure, "CycleRuns");
    return failure;
}

static void claimed(struct claim *claim, bool still)
{
    struct mailbox_test *test = claim->argument;
    if (still) {
        send_now(test);
        return;
    }
    const struct failure failure = failure_of_claim();
    mailbox_test_end_step(test, &failure);
}

static struct failure failure_of_removal(void)
{
    struct failure failure = {
        .category = FAILURE_CONFIGURATION,
        .scope = FAILURE_SCOPE_MAILBOX,
        .sentence = "The mailbox is no longer configured.",
        .remedy = "",
    };
    failure_set_code(&failure, "NoSuchMailbox");
    return failure;
}

void mailbox_test_send(struct mailbox_test *test)
{
    struct mailbox *mailbox = service_mailbox_by_number(test->service, test->mailbox);
    mailbox_test_begin_step(test, TEST_SENDING);
    if (mailbox == NULL || mailbox->removed) {
        const struct failure failure = failure_of_removal();
        mailbox_test_end_step(test, &failure);
        return;
    }
    test->claimed = true;
    test->claim = (struct claim){
        .service = test->service,
        .direction = &mailbox->incoming,
        .ready = claimed,
        .argument = test,
    };
    claim_start(&test->claim);
}
