/* How a mailbox is, in a word and as JSON. */
#include "base/clock.h"
#include "base/executor.h"
#include "base/memory.h"
#include "daemon/alert_json.h"
#include "daemon/failure_json.h"
#include "daemon/health.h"
#include "daemon/hindrance.h"
#include "daemon/json_member.h"
#include "daemon/mailbox_json.h"
#include "daemon/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { MINUTE_MS = 60000 };

static const struct failure denied = {
    .category = FAILURE_IMPERSONATION,
    .scope = FAILURE_SCOPE_MAILBOX,
    .permanent = true,
    .http_status = 200,
    .code = "ErrorImpersonateUserDenied",
    .step = "FindItem",
    .text = "denied",
    .sentence = "The account may not impersonate the mailbox.",
    .remedy = "Grant it.",
};

struct world {
    struct context context;
    struct scheduler scheduler;
    struct config_profile config_profile;
    struct profile profile;
    struct config_mailbox_settings settings;
    struct config_mailbox config;
    struct mailbox mailbox;
    struct direction_trouble trouble;
};

static void note_trying(void *argument)
{
    (void)argument;
}

static int setup(void **state)
{
    struct world *world = memory_allocate(sizeof *world);
    world->context.executor = executor_create();
    world->config_profile = (struct config_profile){.name = "p", .url = "https://x/"};
    world->profile.context = &world->context;
    world->profile.config = &world->config_profile;
    gate_init(&world->profile.gate, world->context.executor, note_trying, NULL);
    gate_init(&world->scheduler.storage, world->context.executor, note_trying, NULL);
    world->settings = (struct config_mailbox_settings){
        .profile = &world->config_profile, .incoming = true, .maildir = "/srv/mail/%u"};
    world->config = (struct config_mailbox){.address = "a@x", .settings = &world->settings};
    world->mailbox.config = &world->config;
    world->mailbox.profile = &world->profile;
    world->mailbox.incoming.mailbox = world->mailbox.outgoing.mailbox = &world->mailbox;
    world->mailbox.outgoing.kind = CYCLE_OUTGOING;
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    gate_release(&world->profile.gate);
    gate_release(&world->scheduler.storage);
    executor_free(world->context.executor);
    memory_free(world);
    return 0;
}

static void fail_with(struct world *world, bool permanent)
{
    world->trouble = (struct direction_trouble){
        .failure = denied, .failures = 3, .since_ms = clock_monotonic_ms() - 2 * MINUTE_MS};
    world->trouble.failure.permanent = permanent;
    world->mailbox.incoming.trouble = &world->trouble;
    world->mailbox.incoming.status.result = STATUS_FAILURE;
}

/* --- health --- */

static enum health health(const struct world *world)
{
    return health_of(&world->mailbox, &world->scheduler);
}

static void a_mailbox_is_as_the_worse_of_its_directions(void **state)
{
    struct world *world = *state;
    assert_int_equal(health(world), HEALTH_NOT_RUN);
    world->mailbox.incoming.status.result = STATUS_SUCCESS;
    assert_int_equal(health(world), HEALTH_OK);
    world->settings.outgoing = true; /* nothing to send tells nothing */
    assert_int_equal(health(world), HEALTH_OK);
    fail_with(world, false);
    assert_int_equal(health(world), HEALTH_FAILING);
    struct direction_trouble stays = {.failure = denied};
    world->mailbox.outgoing.trouble = &stays;
    assert_int_equal(health(world), HEALTH_STOPPED);
    assert_true(health_is_trouble(HEALTH_STOPPED));
    assert_false(health_is_trouble(HEALTH_HELD));
}

static void a_mailbox_that_waits_for_its_server_or_for_storage_is_held(void **state)
{
    struct world *world = *state;
    world->mailbox.incoming.status.result = STATUS_SUCCESS;
    gate_close(&world->profile.gate, gate_enter(&world->profile.gate), &denied, MINUTE_MS);
    assert_int_equal(health(world), HEALTH_HELD);
    gate_release(&world->profile.gate);
    gate_init(&world->profile.gate, world->context.executor, note_trying, NULL);
    assert_int_equal(health(world), HEALTH_OK);
    gate_close(&world->scheduler.storage, gate_enter(&world->scheduler.storage), &denied,
               MINUTE_MS);
    assert_int_equal(health(world), HEALTH_HELD);
}

static void what_an_administrator_has_switched_off_is_told_apart(void **state)
{
    struct world *world = *state;
    world->profile.paused = true;
    assert_int_equal(health(world), HEALTH_PAUSED);
    world->mailbox.incoming.switched_off = true;
    assert_int_equal(health(world), HEALTH_DISABLED);
    assert_string_equal(health_name(HEALTH_DISABLED), "disabled");
    world->settings.outgoing = true; /* one of two */
    assert_int_equal(health(world), HEALTH_PAUSED);
    world->profile.paused = false;
    assert_int_equal(health(world), HEALTH_PARTLY_DISABLED);
    assert_string_equal(health_name(HEALTH_PARTLY_DISABLED), "partly disabled");
    fail_with(world, false);
    assert_int_equal(health(world), HEALTH_FAILING);
    world->mailbox.incoming.trouble = NULL;
    world->settings.outgoing = false;
    assert_int_equal(health(world), HEALTH_DISABLED);
    world->settings.incoming = false;
    assert_int_equal(health(world), HEALTH_OFF);
}

static void a_mailbox_that_nobody_wants_is_off(void **state)
{
    struct world *world = *state;
    world->settings.incoming = false;
    assert_int_equal(health(world), HEALTH_OFF);
    assert_string_equal(health_name(HEALTH_OFF), "off");
    assert_string_equal(health_name(HEALTH_NOT_RUN), "not run");
}

/* --- JSON --- */

static const char *text(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));
    return value == NULL ? "(none)" : value;
}

static void a_mailbox_is_told_with_both_directions(void **state)
{
    struct world *world = *state;
    struct status *status = &world->mailbox.incoming.status;
    status->started_ms = 1700000000000;
    status->succeeded_ms = 1700000001500;
    status->processed = 7;
    status->result = STATUS_SUCCESS;
    world->settings.outgoing = true;
    world->mailbox.incoming.state = DIRECTION_RUNNING;
    json_t *object = mailbox_json(&world->mailbox, &world->scheduler);
    const json_t *incoming = json_object_get(object, "incoming");
    const json_t *outgoing = json_object_get(object, "outgoing");
    assert_string_equal(text(object, "kind"), "mailbox");
    assert_string_equal(text(object, "address"), "a@x");
    assert_string_equal(text(object, "profile"), "p");
    assert_string_equal(text(object, "state"), "ok");
    assert_true(json_is_true(json_object_get(incoming, "on")));
    assert_string_equal(text(incoming, "state"), "running");
    assert_string_equal(text(incoming, "result"), "success");
    assert_string_equal(text(incoming, "last_started"), "2023-11-14T22:13:20Z");
    assert_string_equal(text(incoming, "last_succeeded"), "2023-11-14T22:13:21.500Z");
    assert_int_equal(json_integer_value(json_object_get(incoming, "processed")), 7);
    assert_true(json_is_null(json_object_get(incoming, "trouble")));
    assert_string_equal(text(outgoing, "state"), "idle");
    assert_true(json_is_null(json_object_get(outgoing, "next_due")));
    assert_true(json_is_null(json_object_get(outgoing, "last_started")));
    json_decref(object);
}

static void what_stands_in_the_way_is_told_with_cause_remedy_and_since_when(void **state)
{
    struct world *world = *state;
    fail_with(world, true);
    json_t *object = mailbox_json(&world->mailbox, &world->scheduler);
    const json_t *trouble = json_object_get(json_object_get(object, "incoming"), "trouble");
    int64_t since_ms = 0;
    assert_string_equal(text(object, "state"), "stopped");
    assert_string_equal(text(trouble, "category"), "impersonation");
    assert_string_equal(text(trouble, "code"), "ErrorImpersonateUserDenied");
    assert_string_equal(text(trouble, "step"), "FindItem");
    assert_string_equal(text(trouble, "sentence"), denied.sentence);
    assert_string_equal(text(trouble, "remedy"), "Grant it.");
    assert_string_equal(text(trouble, "error"), "denied");
    assert_true(json_is_true(json_object_get(trouble, "permanent")));
    assert_int_equal(json_integer_value(json_object_get(trouble, "failures")), 3);
    const char *since = text(trouble, "since");
    assert_int_equal(clock_parse_utc(since, strlen(since), &since_ms), 0);
    assert_in_range(clock_wall_ms() - since_ms, 2 * MINUTE_MS - 1000, 2 * MINUTE_MS + 5000);
    json_decref(object);
}

static void check_hindrance(const struct world *world, const char *cause, const char *words)
{
    json_t *object = hindrance_json(&world->mailbox, CYCLE_INCOMING, &world->scheduler);
    assert_string_equal(text(object, "cause"), cause);
    if (strstr(text(object, "text"), words) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", words, text(object, "text"));
    json_decref(object);
}

static void why_a_direction_does_not_go_on_is_told_with_what_to_do(void **state)
{
    struct world *world = *state;
    json_t *none = hindrance_json(&world->mailbox, CYCLE_INCOMING, &world->scheduler);
    assert_true(json_is_null(none));
    json_decref(none);
    fail_with(world, true);
    world->mailbox.incoming.state = DIRECTION_WAITING;
    check_hindrance(world, "stopped",
                    "may not impersonate the mailbox. (ErrorImpersonateUserDenied)");
    gate_close(&world->profile.gate, gate_enter(&world->profile.gate), &denied, MINUTE_MS);
    check_hindrance(world, "profile", "exsyncctl profile show p");
    gate_close(&world->scheduler.storage, gate_enter(&world->scheduler.storage), &denied,
               MINUTE_MS);
    check_hindrance(world, "storage", "disk or database");
    world->config_profile.name = "Contoso Ltd";
    world->profile.paused = true;
    world->profile.paused_since_ms = 1700000000000;
    check_hindrance(world, "paused", "the profile Contoso Ltd is paused since 2023-11-1");
    check_hindrance(world, "paused", "; exsyncctl resume \"Contoso Ltd\"");
    world->mailbox.incoming.switched_off = true;
    world->mailbox.incoming.switched =
        (struct store_switch){.since_ms = 1700000000000, .user = 1234};
    check_hindrance(world, "disabled",
                    "a@x is disabled by an administrator (uid 1234) since 2023-11-1");
    check_hindrance(world, "disabled", "; exsyncctl enable a@x");
    world->settings.outgoing = true;
    check_hindrance(world, "disabled", "incoming of a@x is disabled by");
    world->settings.outgoing = false;
    world->settings.incoming = false;
    check_hindrance(world, "off", "incoming = no");
    world->mailbox.removed = true;
    check_hindrance(world, "not configured", "not configured any more");
    assert_int_equal(hindrance_of(NULL, CYCLE_OUTGOING, &world->scheduler),
                     HINDRANCE_NOT_CONFIGURED);
    world->mailbox.incoming.trouble = NULL;
}

static void one_mailbox_is_told_with_its_account_folders_and_maildir(void **state)
{
    struct world *world = *state;
    const char *const folders[] = {"Inbox", "Inbox/Orders", NULL};
    struct mailbox_folder seen[2] = {
        {.state = {.total = 12, .watermark_ms = 1700000000000}, .backlog_offset = 5},
        {.state = {.total = -1}}};
    world->settings.folders = folders;
    world->mailbox.folders = seen;
    world->mailbox.folder_count = 2;
    json_t *object = mailbox_json(&world->mailbox, &world->scheduler);
    mailbox_json_whole(object, &world->mailbox);
    const json_t *told = json_object_get(object, "folders");
    assert_true(json_is_null(json_object_get(object, "account")));
    assert_string_equal(text(object, "url"), "https://x/");
    assert_string_equal(text(object, "maildir"), "/srv/mail/a@x");
    assert_string_equal(text(object, "after_processing"), "leave");
    assert_int_equal(json_array_size(told), 2);
    assert_string_equal(text(json_array_get(told, 0), "name"), "Inbox");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(told, 0), "items")), 12);
    assert_true(json_is_true(json_object_get(json_array_get(told, 0), "backlog")));
    assert_true(json_is_null(json_object_get(json_array_get(told, 1), "items")));
    assert_true(json_is_true(json_object_get(json_object_get(object, "incoming"), "backlog")));
    json_decref(object);
}

static void words_that_are_no_text_are_made_text(void **state)
{
    (void)state;
    json_t *object = json_object();
    json_set_text(object, "bad",
                  "a\xff"
                  "b");
    json_set_text(object, "none", NULL);
    json_set_text(object, "empty", "");
    json_set_lines(object, "lines", "one\ntwo\n");
    json_set_time(object, "never", INT64_MAX);
    assert_string_equal(text(object, "bad"), "a?b");
    assert_true(json_is_null(json_object_get(object, "none")));
    assert_true(json_is_null(json_object_get(object, "empty")));
    assert_true(json_is_null(json_object_get(object, "never")));
    assert_int_equal(json_array_size(json_object_get(object, "lines")), 2);
    json_decref(object);
}

/* --- alerts and failures --- */

static const struct store_alert_row alert = {
    .id = 12,
    .level = STORE_ALERT_ERROR,
    .told = STORE_TOLD_NOT,
    .told_reason = "the profile has no owner (key owner)",
    .scope = "mailbox",
    .profile = "p",
    .submission = "",
    .mailbox = "a@x",
    .direction = "incoming",
    .category = "impersonation",
    .code = "ErrorImpersonateUserDenied",
    .step = "FindItem",
    .opening = "An impersonation error occurred.",
    .sentence = "The account may not impersonate the mailbox.",
    .remedy = "Grant it.",
    .text = "denied",
    .activity = "8f5c",
    .trace = "line 1\nline 2\n",
    .opened_ms = 1700000000000,
    .last_seen_ms = 1700000000000,
    .count = 2,
};

static void an_alert_is_told_with_the_commands_for_its_account(void **state)
{
    (void)state;
    const struct config_profile profile = {.name = "p", .username = "CONTOSO\\svc", .url = "u"};
    const struct config config = {.profiles = &profile, .profile_count = 1};
    json_t *object = alert_json_answer(&alert, &config, alert.mailbox);
    assert_string_equal(text(object, "kind"), "alert");
    assert_int_equal(json_integer_value(json_object_get(object, "alert")), 12);
    assert_null(json_object_get(object, "id")); /* answers have one of their own */
    assert_string_equal(text(object, "told"), "not");
    assert_non_null(strstr(text(object, "sentence"), "could not be notified"));
    assert_non_null(strstr(text(object, "remedy"), "New-ManagementRoleAssignment"));
    assert_non_null(strstr(text(object, "remedy"), "CONTOSO\\svc"));
    assert_non_null(strstr(text(object, "details"), "ActivityId: 8f5c"));
    assert_true(json_is_null(json_object_get(object, "resolved")));
    json_decref(object);
}

static void an_alert_of_a_profile_that_is_gone_has_words_but_no_commands(void **state)
{
    (void)state;
    json_t *object = alert_json_answer(&alert, NULL, alert.mailbox);
    assert_null(strstr(text(object, "remedy"), "New-ManagementRoleAssignment"));
    assert_non_null(strstr(text(object, "remedy"), "Grant it."));
    json_decref(object);
}

static void a_failure_that_is_not_tried_again_has_no_time_for_it(void **state)
{
    (void)state;
    const struct store_failure_row row = {.scope = "item",
                                          .profile = "p",
                                          .mailbox = "a@x",
                                          .direction = "incoming",
                                          .step = "GetItem",
                                          .category = "item",
                                          .code = "X",
                                          .submission = "",
                                          .sentence = "s",
                                          .remedy = "",
                                          .text = "",
                                          .activity = "",
                                          .count = 1,
                                          .first_seen_ms = 1,
                                          .last_seen_ms = 2,
                                          .next_retry_ms = INT64_MAX};
    json_t *object = failure_json(&row);
    assert_string_equal(text(object, "kind"), "failure");
    assert_true(json_is_null(json_object_get(object, "next_retry")));
    assert_true(json_is_null(json_object_get(object, "resolved")));
    json_decref(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_mailbox_is_as_the_worse_of_its_directions),
        TEST(a_mailbox_that_waits_for_its_server_or_for_storage_is_held),
        TEST(a_mailbox_that_nobody_wants_is_off),
        TEST(what_an_administrator_has_switched_off_is_told_apart),
        TEST(a_mailbox_is_told_with_both_directions),
        TEST(what_stands_in_the_way_is_told_with_cause_remedy_and_since_when),
        TEST(why_a_direction_does_not_go_on_is_told_with_what_to_do),
        TEST(one_mailbox_is_told_with_its_account_folders_and_maildir),
        TEST(words_that_are_no_text_are_made_text),
        TEST(an_alert_is_told_with_the_commands_for_its_account),
        TEST(an_alert_of_a_profile_that_is_gone_has_words_but_no_commands),
        TEST(a_failure_that_is_not_tried_again_has_no_time_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
