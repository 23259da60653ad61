#include "daemon/account_test.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/uuid.h"

struct account_test {
    struct profile *profile; /* used */
    struct executor_call end;
    struct backend_operation *operation; /* while the server is asked */
    struct backend_mailbox target;       /* the account's own */
    char *cookies;
    char activity[UUID_TEXT_SIZE];
    uint64_t started_ms;
    struct test_step steps[ACCOUNT_TEST_STEPS];
    size_t count;
    enum account_mailbox own;
    account_tested *done;
    void *argument;
};

static void test_free(struct account_test *test)
{
    executor_cancel_call(test->profile->context->executor, &test->end);
    profile_release(test->profile);
    memory_free(test->cookies);
    memory_free(test);
}

static void test_ended(void *argument)
{
    struct account_test *test = argument;
    test->done(test->argument, test->steps, test->count, test->own);
    test_free(test);
}

static void finish(struct account_test *test)
{
    executor_defer(test->profile->context->executor, &test->end, test_ended, test);
}

static struct test_step *add_step(struct account_test *test, enum test_kind kind)
{
    struct test_step *step = &test->steps[test->count++];
    *step = (struct test_step){.kind = kind};
    return step;
}

/* --- which version --- */

static const char *product_of(const struct backend_version *version)
{
    enum { SUBSCRIPTION_EDITION = 2562 };
    if (version->major == 15 && version->minor == 2)
        return version->build >= SUBSCRIPTION_EDITION ? " (Exchange Server SE)"
                                                      : " (Exchange Server 2019)";
    if (version->major == 15 && version->minor == 1)
        return " (Exchange Server 2016)";
    if (version->major == 15 && version->minor == 0)
        return " (Exchange Server 2013)";
    return version->major == 14 ? " (Exchange Server 2010)" : "";
}

static void tell_version(struct account_test *test, const struct failure *failure)
{
    struct backend_version version;
    struct test_step *step = add_step(test, TEST_VERSION);
    bool told = backend_version(test->profile->backend, &version);
    bool strange = failure != NULL &&
                   (failure->category == FAILURE_PROTOCOL || failure->category == FAILURE_SERVER ||
                    failure->category == FAILURE_CONFIGURATION);
    if (strange)
        test_step_fail(step, failure);
    else if (told)
        test_step_detail(step, "%u.%u.%u.%u%s", version.major, version.minor, version.build,
                         version.revision, product_of(&version));
    else
        test_step_detail(step, "the server does not tell its version");
}

/* --- the sign-in --- */

static const char *account_of(const struct config_profile *config)
{
    return config->username == NULL ? "the owner of the Kerberos ticket" : config->username;
}

/* An answer from behind the server's front door: the sign-in was accepted. */
static bool is_signed_in(const struct failure *failure)
{
    return failure == NULL || failure->http_status == 200 || failure->http_status == 500;
}

static void answered(void *argument, const struct failure *failure)
{
    struct account_test *test = argument;
    struct profile *profile = test->profile;
    struct test_step *step = add_step(test, TEST_SIGN_IN);
    test->operation = NULL;
    step->elapsed_ms = (uint32_t)(executor_now(profile->context->executor) - test->started_ms);
    if (!is_signed_in(failure)) {
        test_step_fail(step, failure);
        finish(test);
        return;
    }
    test_step_detail(step, "signed in as %s", account_of(profile->config));
    if (failure == NULL)
        test->own = ACCOUNT_MAILBOX_THERE;
    else if (failure->category == FAILURE_MAILBOX)
        test->own = ACCOUNT_MAILBOX_NONE;
    tell_version(test, failure);
    /* The server answers: what waits for that goes on. */
    if (profile->current)
        gate_try_now(&profile->gate);
    finish(test);
}

static void ask(struct account_test *test)
{
    struct profile *profile = test->profile;
    uuid_generate(test->activity);
    test->target.cookies = &test->cookies;
    test->target.activity = test->activity;
    test->started_ms = executor_now(profile->context->executor);
    test->operation = backend_probe_start(profile->backend, &test->target, answered, test);
}

/* --- one that was refused --- */

static bool must_wait(const struct profile *profile)
{
    return profile->gate.state == GATE_CLOSED &&
           profile->gate.failure.category == FAILURE_AUTHENTICATION;
}

static void tell_wait(struct account_test *test)
{
    const struct gate *gate = &test->profile->gate;
    struct test_step *step = add_step(test, TEST_SIGN_IN);
    char when[CLOCK_LOCAL_SIZE];
    uint64_t now = executor_now(gate->executor);
    uint64_t due = gate->timer.entry.key > now ? gate->timer.entry.key - now : 0;
    clock_format_local(clock_wall_ms() + (int64_t)due, when);
    test_step_fail(step, &gate->failure);
    test_step_detail(step,
                     "not tried now, since %s has just failed to sign in and more tries might lock "
                     "it: tried again at %s; --sign-in tries it at once",
                     account_of(test->profile->config), when);
    finish(test);
}

/* With no cycle to run, nothing but a test meets a refusal: the gate is open then, and the pool has
 * closed all the same. */
static void open_for_try(struct profile *profile)
{
    const struct gate *gate = &profile->gate;
    if (gate->state == GATE_CLOSED)
        gate_try_now(&profile->gate);
    else if (!gate->trial)
        http_pool_reset(profile->pool);
}

struct account_test *account_test_start(struct profile *profile, bool forced, account_tested *done,
                                        void *argument)
{
    struct account_test *test = memory_allocate(sizeof *test);
    test->profile = profile;
    profile_use(profile);
    test->done = done;
    test->argument = argument;
    if (forced)
        open_for_try(profile);
    if (must_wait(profile))
        tell_wait(test);
    else
        ask(test);
    return test;
}

void account_test_cancel(struct account_test *test)
{
    if (test->operation != NULL)
        backend_cancel(test->operation);
    test_free(test);
}
