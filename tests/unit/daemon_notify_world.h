/* For the tests of notifications: a profile with an owner, deliveries that end as the test says, a
 * store in memory, and time that passes when the test says so. To be included by one file of a
 * test. */
#ifndef EXSYNC_TESTS_DAEMON_NOTIFY_WORLD_H
#define EXSYNC_TESTS_DAEMON_NOTIFY_WORLD_H

#include "daemon_logged.h"
#include "daemon_notify_store.h"

#include "daemon/delivery.h"
#include "daemon/mailbox.h"
#include "daemon/messages.h"
#include "daemon/notify.h"
#include "daemon/profile.h"

/* As in profile.c, which has connections besides. */
bool profile_is_well(const struct profile *profile)
{
    return profile->stopped == 0 && profile->untried == 0;
}

static const char OPENING[] =
    "An impersonation error occurred in accessing the mailbox while receiving email. "
    "carla@contoso.com didn't synchronize.";
#define OWNER " The owner of the associated email server profile contoso "

/* --- deliveries --- */

struct delivery {
    delivery_done *done;
    void *argument;
};

static struct {
    struct delivery *under_way[STORE_CHANNELS];
    unsigned started[STORE_CHANNELS];
    unsigned cancelled;
    char id[STORE_NOTIFICATION_ID_SIZE]; /* of the last notice */
    char owner[64];
    char message[16384];
} delivered;

const char *delivery_channel_name(unsigned channel)
{
    static const char *const names[] = {"exchange", "smtp", "command"};
    return names[channel];
}

struct delivery *delivery_start(const struct context *context, struct profile *profile,
                                struct executor_pool *pool, const struct store_notice *notice,
                                delivery_done *done, void *argument)
{
    (void)context, (void)profile, (void)pool;
    assert_null(delivered.under_way[notice->channel]); /* one at a time */
    struct delivery *delivery = memory_allocate(sizeof *delivery);
    delivery->done = done;
    delivery->argument = argument;
    delivered.under_way[notice->channel] = delivery;
    delivered.started[notice->channel]++;
    memcpy(delivered.id, notice->id, sizeof delivered.id);
    snprintf(delivered.owner, sizeof delivered.owner, "%s", notice->owner);
    snprintf(delivered.message, sizeof delivered.message, "%s", notice->message);
    return delivery;
}

void delivery_cancel(struct delivery *delivery)
{
    for (size_t i = 0; i < STORE_CHANNELS; i++) {
        if (delivered.under_way[i] == delivery)
            delivered.under_way[i] = NULL;
    }
    delivered.cancelled++;
    memory_free(delivery);
}

/* The delivery ends; NULL: the message was handed over. */
static inline void delivery_ends(enum delivery_channel channel, const struct failure *failure)
{
    struct delivery delivery = *delivered.under_way[channel];
    memory_free(delivered.under_way[channel]);
    delivered.under_way[channel] = NULL;
    delivery.done(delivery.argument, failure);
}

static inline bool is_delivering(enum delivery_channel channel)
{
    return delivered.under_way[channel] != NULL;
}

/* --- what is not looked at --- */

struct executor_pool *executor_pool_create(struct executor *executor, const char *name,
                                           size_t threads)
{
    (void)executor, (void)name, (void)threads;
    return NULL;
}

bool executor_pool_free(struct executor_pool *pool, uint64_t patience_ms)
{
    (void)pool, (void)patience_ms;
    return true;
}

size_t executor_pool_pending(const struct executor_pool *pool)
{
    (void)pool;
    return 0;
}

const char *mailbox_address(const struct mailbox *mailbox)
{
    return mailbox->config->address;
}

const char *cycle_direction_name(enum cycle_direction direction)
{
    return direction == CYCLE_INCOMING ? "incoming" : "outgoing";
}

/* --- a profile with an owner --- */

struct fixture {
    struct context context;
    struct config_smtp smtp;
    struct config config;
    struct configuration configuration;
    struct config_profile profile_config;
    struct profile profile;
    struct profile_list profiles;
    struct notifier *notifier;
};

static inline size_t list_stopped(void *argument, const struct profile *profile,
                                  const char **addresses, size_t room)
{
    const struct fixture *fixture = argument;
    assert_ptr_equal(profile, &fixture->profile);
    assert_true(room >= 2);
    addresses[0] = "ann@contoso.com";
    addresses[1] = "ben@contoso.com";
    return 2;
}

static inline int set_up(void **state)
{
    struct fixture *fixture = memory_allocate(sizeof *fixture);
    memset(&delivered, 0, sizeof delivered);
    wall_ms = NOON_MS;
    kept.alert = (struct store_alert_row){
        .id = 11,
        .level = STORE_ALERT_ERROR,
        .told = STORE_TOLD_BEING,
        .told_reason = "",
        .scope = "mailbox",
        .profile = "contoso",
        .mailbox = "carla@contoso.com",
        .direction = "incoming",
        .category = "impersonation",
        .code = "ErrorImpersonateUserDenied",
        .step = "FindItem",
        .opening = OPENING,
        .sentence = "The account may not impersonate the mailbox.",
        .remedy = "Give it the role.",
        .text = "denied",
        .activity = "6f0c2c1e-0000-4000-8000-000000000000",
        .trace = "at FindItem\n",
        .opened_ms = NOON_MS,
        .last_seen_ms = NOON_MS,
        .count = 1,
    };
    fixture->smtp.from = "exsyncd@contoso.com";
    fixture->config.smtp = &fixture->smtp;
    fixture->configuration.config = &fixture->config;
    fixture->profile_config = (struct config_profile){
        .name = "contoso",
        .url = "https://mail.contoso.com/EWS/Exchange.asmx",
        .username = "CONTOSO\\svc-sync",
        .owner = "admins@contoso.com",
        .notify_channels = CONFIG_NOTIFY_SMTP,
        .notify_delay_ms = MINUTE_MS,
        .notify_limit = 6,
        .retry_min_ms = 30 * SECOND_MS,
        .retry_max_ms = HOUR_MS,
    };
    fixture->profile.config = &fixture->profile_config;
    fixture->profile.configuration = &fixture->configuration;
    fixture->profile.current = true;
    TAILQ_INIT(&fixture->profiles);
    TAILQ_INSERT_TAIL(&fixture->profiles, &fixture->profile, entries);
    fixture->notifier =
        notifier_create(&fixture->context, &fixture->profiles, list_stopped, fixture);
    *state = fixture;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *fixture = *state;
    notifier_stop(fixture->notifier);
    notifier_cancel(fixture->notifier);
    answer_all();
    assert_true(notifier_free(fixture->notifier, 0));
    assert_int_equal(timers_running(), 0);
    logged_forget();
    kept_forget();
    memory_free(fixture);
    return 0;
}

/* Time goes on, and the store answers. */
static inline void pass(int64_t ms)
{
    int64_t until = wall_ms + ms;
    answer_all();
    while (clock_pass_to_timer(until))
        answer_all();
}

/* The configuration is taken into use, and what is left from before was looked for. */
static inline void begin(struct fixture *fixture)
{
    notifier_configure(fixture->notifier);
    pass(2 * MINUTE_MS);
}

/* Something has opened. */
static inline void opens(struct fixture *fixture, uint64_t alerts)
{
    kept.untold += alerts;
    notifier_wake(fixture->notifier, "contoso");
}

/* One alert of which the owner was told. */
static inline void told_of_one(struct fixture *fixture)
{
    begin(fixture);
    opens(fixture, 1);
    pass(MINUTE_MS);
    delivery_ends(DELIVERY_SMTP, NULL);
    answer_all();
}

/* All that was told is over. */
static inline void all_ends(struct fixture *fixture)
{
    kept.over += kept.told;
    kept.told = 0;
    notifier_wake(fixture->notifier, "contoso");
}

static const struct failure down = {
    .category = FAILURE_NETWORK,
    .scope = FAILURE_SCOPE_PROFILE,
    .code = "CURLE_COULDNT_CONNECT",
    .step = "connect",
    .sentence = "The SMTP server cannot be reached.",
    .remedy = "",
};

static const struct failure unknown_owner = {
    .category = FAILURE_CONFIGURATION,
    .scope = FAILURE_SCOPE_PROFILE,
    .permanent = true,
    .code = "SMTP 550",
    .step = "RCPT",
    .text = "550 no such user here",
    .sentence = "The SMTP server does not take mail for the recipient.",
    .remedy = "Look at the owner.",
};

#define with_owner(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
