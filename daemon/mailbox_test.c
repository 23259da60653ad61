#include "daemon/mailbox_test.h"

#include "base/memory.h"
#include "base/text.h"
#include "daemon/mailbox_test_private.h"
#include "daemon/service_private.h"

#include <inttypes.h>

enum { READING_ITEMS = 25 };

static uint64_t now_ms(const struct mailbox_test *test)
{
    return executor_now(test->service->context.executor);
}

static struct backend *backend_of(const struct mailbox_test *test)
{
    return test->profile->backend;
}

/* --- steps --- */

void mailbox_test_begin_step(struct mailbox_test *test, enum test_kind kind)
{
    test->step = (struct test_step){.kind = kind};
    test->step_ms = now_ms(test);
}

bool mailbox_test_end_step(struct mailbox_test *test, const struct failure *failure)
{
    test->step.elapsed_ms = (uint32_t)(now_ms(test) - test->step_ms);
    if (failure != NULL)
        test_step_fail(&test->step, failure);
    if (test->step.result == TEST_LEFT_OUT)
        test->step.elapsed_ms = 0;
    test->events.step(test->events.argument, &test->step);
    if (failure == NULL)
        return true;
    mailbox_test_finish(test);
    return false;
}

/* --- the end --- */

static void test_free(struct mailbox_test *test)
{
    struct executor *executor = test->service->context.executor;
    executor_cancel_call(executor, &test->call);
    executor_cancel_timer(executor, &test->timer);
    if (test->claimed) /* what is in trouble is tried at once only when the test has passed */
        claim_end(&test->claim, test->claim.direction->trouble == NULL);
    profile_release(test->profile);
    configuration_release(test->configuration);
    mailbox_test_release_found(test);
    buffer_release(&test->message);
    memory_free(test->folder_id);
    memory_free(test->cookies);
    memory_free(test);
}

static void test_ended(void *argument)
{
    struct mailbox_test *test = argument;
    const struct mailbox_test_events events = test->events;
    test_free(test);
    events.done(events.argument);
}

void mailbox_test_finish(struct mailbox_test *test)
{
    executor_defer(test->service->context.executor, &test->call, test_ended, test);
}

void mailbox_test_cancel(struct mailbox_test *test)
{
    if (test->operation != NULL)
        backend_cancel(test->operation);
    test_free(test);
}

/* --- sending, or not --- */

static void leave_out_sending(struct mailbox_test *test)
{
    mailbox_test_begin_step(test, TEST_SENDING);
    test->step.result = TEST_LEFT_OUT;
    test_step_detail(&test->step, test->sends ? "outgoing = no" : "--no-send");
    if (mailbox_test_end_step(test, NULL))
        mailbox_test_finish(test);
}

/* --- reading --- */

static void listed(void *argument, const struct failure *failure, const struct backend_page *page)
{
    struct mailbox_test *test = argument;
    const struct config_mailbox_settings *settings = test->config->settings;
    test->operation = NULL;
    if (failure == NULL && page->total >= 0)
        test_step_detail(&test->step, "%s: %" PRId64 " %s", settings->folders[0], page->total,
                         text_plural((uint64_t)page->total, "message", "messages"));
    else
        test_step_detail(&test->step, "%s", settings->folders[0]);
    if (!mailbox_test_end_step(test, failure))
        return;
    if (test->sends && settings->outgoing)
        mailbox_test_send(test);
    else
        leave_out_sending(test);
}

static void folder_known(void *argument, const struct failure *failure, const char *folder_id,
                         bool created)
{
    (void)created; /* never: it was not asked for */
    struct mailbox_test *test = argument;
    test->operation = NULL;
    if (failure != NULL) {
        mailbox_test_end_step(test, failure);
        return;
    }
    test->folder_id = memory_copy_string(folder_id);
    test->operation = backend_list_start(backend_of(test), &test->target, test->folder_id, 0,
                                         READING_ITEMS, NULL, listed, test);
}

static void start_reading(struct mailbox_test *test)
{
    mailbox_test_begin_step(test, TEST_READING);
    test->operation =
        backend_folder_start(backend_of(test), &test->target, test->config->settings->folders[0],
                             false, folder_known, test);
}

/* --- impersonation --- */

static void probed(void *argument, const struct failure *failure)
{
    struct mailbox_test *test = argument;
    test->operation = NULL;
    if (failure == NULL)
        test_step_detail(&test->step, "the account may impersonate %s", test->config->address);
    if (mailbox_test_end_step(test, failure))
        start_reading(test);
}

static void impersonate(struct mailbox_test *test)
{
    mailbox_test_begin_step(test, TEST_IMPERSONATION);
    if (!test->profile->config->impersonation) {
        test->step.result = TEST_LEFT_OUT;
        test_step_detail(&test->step, "impersonation = no");
        if (mailbox_test_end_step(test, NULL))
            start_reading(test);
        return;
    }
    test->operation = backend_probe_start(backend_of(test), &test->target, probed, test);
}

/* --- the start --- */

static void test_begin(void *argument)
{
    impersonate(argument);
}

struct mailbox_test *mailbox_test_start(struct service *service, const struct mailbox *mailbox,
                                        bool sends, const struct mailbox_test_events *events)
{
    struct mailbox_test *test = memory_allocate(sizeof *test);
    const struct config_mailbox_rare *rare = mailbox->config->rare;
    test->service = service;
    test->mailbox = mailbox->id.number;
    test->config = mailbox->config;
    test->configuration = mailbox->configuration;
    configuration_use(test->configuration);
    test->profile = mailbox->profile;
    profile_use(test->profile);
    test->events = *events;
    test->sends = sends;
    uuid_generate(test->activity);
    test->target = (struct backend_mailbox){
        .address = mailbox->config->address,
        .identity = rare == NULL ? NULL : rare->identity,
        .cookies = &test->cookies,
        .activity = test->activity,
    };
    executor_defer(service->context.executor, &test->call, test_begin, test);
    return test;
}
