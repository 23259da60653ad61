#include "daemon/server_test.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "ews/response_codes.h"
#include "http/http_failure.h"

#include <inttypes.h>
#include <string.h>

enum { DAY_MS = 24 * 60 * 60 * 1000, ANSWER_PATIENCE_MS = 30 * 1000 };

struct server_test {
    struct profile *profile; /* used */
    struct http_examiner *examiner;
    server_tested *done;
    void *argument;
};

/* --- TLS --- */

static void append_day(struct buffer *text, int64_t wall_ms)
{
    char time[CLOCK_LOCAL_SIZE];
    clock_format_local(wall_ms, time);
    buffer_append_format(text, "%.*s", (int)strcspn(time, " "), time);
}

static void note_expiry(struct test_step *step, const struct http_certificate *certificate,
                        int64_t now_ms, struct buffer *text)
{
    if (certificate->not_after_ms == INT64_MIN)
        return;
    int64_t left = certificate->not_after_ms - now_ms;
    step->has_expiry = true;
    step->expires_ms = certificate->not_after_ms;
    step->days_left = left < 0 ? -((DAY_MS - 1 - left) / DAY_MS) : left / DAY_MS;
    buffer_append_string(text, left < 0 ? ", expired on " : ", expires on ");
    append_day(text, certificate->not_after_ms);
    int64_t days = left < 0 ? -left / DAY_MS : step->days_left;
    buffer_append_format(text, left < 0 ? " (%" PRId64 " %s ago)" : " (%" PRId64 " %s left)", days,
                         text_plural((uint64_t)days, "day", "days"));
}

/* "TLSv1.3, CN=mail.example.com (mail.example.com), signed by CN=Example CA <- CN=Example Root,
 * expires on 2026-12-31 (47 days left)" */
static void describe_certificates(struct test_step *step,
                                  const struct http_examination *examination, int64_t now_ms)
{
    struct buffer text = {0};
    const struct http_certificate *own = &examination->certificates[0];
    unsigned count = examination->certificate_count;
    if (count == 0)
        return;
    buffer_append_format(&text, "%s, %s", examination->tls, own->subject);
    if (examination->names[0] != '\0')
        buffer_append_format(&text, " (%s)", examination->names);
    buffer_append_format(&text, ", signed by %s",
                         strcmp(own->issuer, own->subject) == 0 ? "itself" : own->issuer);
    for (unsigned i = 1; i < count; i++) {
        const struct http_certificate *next = &examination->certificates[i];
        if (strcmp(next->issuer, next->subject) != 0)
            buffer_append_format(&text, " <- %s", next->issuer);
    }
    note_expiry(step, own, now_ms, &text);
    test_step_detail(step, "%s", buffer_string(&text));
    buffer_release(&text);
}

/* `address`: the one that answered, with the port. */
static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strncmp(address, "[::1]", 5) == 0;
}

static void judge_tls(struct test_step *step, const struct http_examination *examination,
                      const struct config_profile *config, int64_t now_ms)
{
    if (!examination->encrypted) {
        step->result = TEST_LEFT_OUT;
        test_step_detail(step, "the url is http: %s",
                         is_loopback(examination->address)
                             ? "nothing leaves this machine"
                             : "anyone on the network path can read the password");
        return;
    }
    describe_certificates(step, examination, now_ms);
    if (!config->tls_verify) {
        struct buffer before = {0};
        buffer_append_string(&before, step->detail);
        test_step_detail(step, "NOT CHECKED (tls_verification = dangerously-disabled): %s",
                         buffer_string(&before));
        buffer_release(&before);
    }
}

/* --- HTTP --- */

static const enum http_auth auth_of[] = {
    [CONFIG_AUTH_NEGOTIATE] = HTTP_AUTH_NEGOTIATE,
    [CONFIG_AUTH_NTLM] = HTTP_AUTH_NTLM,
    [CONFIG_AUTH_BASIC] = HTTP_AUTH_BASIC,
};

static long offered_bits(const struct http_examination *examination)
{
    unsigned long bits = 0;
    if (examination->offers[HTTP_AUTH_BASIC])
        bits |= CURLAUTH_BASIC;
    if (examination->offers[HTTP_AUTH_NTLM])
        bits |= CURLAUTH_NTLM;
    if (examination->offers[HTTP_AUTH_NEGOTIATE])
        bits |= CURLAUTH_NEGOTIATE;
    return (long)bits;
}

static void fail_status(struct test_step *step, const struct http_examination *examination)
{
    struct failure failure = response_status_failure(test_kind_name(TEST_HTTP), examination->status,
                                                     0, 0, RESPONSE_OF_MAILBOX);
    if (examination->location[0] != '\0')
        failure_format_text(&failure, "it leads to %s", examination->location);
    test_step_fail(step, &failure);
}

static void judge_answer(struct test_step *step, const struct http_examination *examination,
                         const struct config_profile *config)
{
    enum http_auth auth = auth_of[config->auth];
    if (examination->status == 401 && !examination->offers[auth]) {
        const struct http_failure_detail nothing_said = {.error = ""};
        struct failure failure =
            http_failure_refused(auth, offered_bits(examination), &nothing_said);
        if (examination->ways[0] == '\0')
            failure.sentence = "The server offers no way of signing in.";
        failure.account_unasked = true;
        test_step_fail(step, &failure);
    } else if (examination->status != 401 &&
               (examination->status < 200 || examination->status >= 300)) {
        fail_status(step, examination);
    }
    if (examination->ways[0] != '\0')
        test_step_detail(step, "offers %s", examination->ways);
    else
        test_step_detail(step, "HTTP %u", (unsigned)examination->status);
}

/* --- all of them --- */

static void judge_stage(struct test_step *step, const struct http_examination *examination,
                        const struct config_profile *config, int64_t now_ms)
{
    switch (step->kind) {
    case TEST_NAME:
        test_step_detail(step, "%s: %s", examination->host, examination->addresses);
        break;
    case TEST_CONNECTION:
        test_step_detail(step, "%s", examination->address);
        break;
    case TEST_TLS:
        judge_tls(step, examination, config, now_ms);
        break;
    default:
        judge_answer(step, examination, config);
        break;
    }
}

size_t server_test_judge(const struct http_examination *examination,
                         const struct config_profile *config, int64_t now_ms,
                         struct test_step steps[SERVER_TEST_STEPS])
{
    static const enum test_kind kinds[HTTP_STAGE_COUNT] = {
        [HTTP_STAGE_NAME] = TEST_NAME,
        [HTTP_STAGE_CONNECTION] = TEST_CONNECTION,
        [HTTP_STAGE_TLS] = TEST_TLS,
        [HTTP_STAGE_ANSWER] = TEST_HTTP,
    };
    size_t count = 0;
    for (enum http_stage stage = HTTP_STAGE_NAME; stage < HTTP_STAGE_COUNT; stage++) {
        struct test_step *step = &steps[count++];
        *step = (struct test_step){
            .kind = kinds[stage],
            .elapsed_ms = examination->elapsed_ms[stage],
        };
        if (stage != examination->ended) {
            judge_stage(step, examination, config, now_ms);
            continue;
        }
        test_step_fail(step, &examination->failure);
        failure_set_step(&step->failure, test_kind_name(step->kind));
        if (stage == HTTP_STAGE_TLS)
            describe_certificates(step, examination, now_ms);
        break;
    }
    return count;
}

/* --- the test --- */

static void test_free(struct server_test *test)
{
    profile_release(test->profile);
    memory_free(test);
}

static void examined(void *argument, const struct http_examination *examination)
{
    struct server_test *test = argument;
    struct test_step steps[SERVER_TEST_STEPS];
    size_t count = server_test_judge(examination, test->profile->config, clock_wall_ms(), steps);
    server_tested *done = test->done;
    void *whom = test->argument;
    test_free(test);
    done(whom, steps, count);
}

struct server_test *server_test_start(struct profile *profile, server_tested *done, void *argument)
{
    const struct config_profile *config = profile->config;
    struct server_test *test = memory_allocate(sizeof *test);
    const struct http_examine_settings settings = {
        .url = config->url,
        .tls_ca_file = config->tls_ca_file,
        .tls_verify = config->tls_verify,
        .user_agent = profile_user_agent(config),
        .connect_timeout_ms = config->connect_timeout_ms,
        .answer_timeout_ms = config->request_timeout_ms < ANSWER_PATIENCE_MS
                                 ? config->request_timeout_ms
                                 : ANSWER_PATIENCE_MS,
    };
    test->profile = profile;
    profile_use(profile);
    test->done = done;
    test->argument = argument;
    test->examiner = http_examine_start(profile->context->http, &settings, examined, test);
    return test;
}

void server_test_cancel(struct server_test *test)
{
    http_examine_cancel(test->examiner);
    test_free(test);
}
