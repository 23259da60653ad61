#include "daemon/delivery.h"

#include "base/memory.h"
#include "base/uuid.h"
#include "ews/backend.h"
#include "notify/command.h"
#include "notify/smtp.h"

#include <stdio.h>
#include <string.h>

enum {
    /* RFC 5321, 4.5.3.2.6: so long a server may take to answer the end of a message. */
    SMTP_LIMIT_MS = 11 * 60 * 1000,
    COMMAND_LIMIT_MS = 30 * 1000,
};

struct delivery {
    const struct context *context;
    struct profile *profile;             /* used */
    struct configuration *configuration; /* used: the channels' settings are its */
    unsigned channel;
    delivery_done *done;
    void *argument;
    struct executor_call end;
    struct failure failure;

    struct smtp_delivery *smtp;
    struct command_run *command;

    /* exchange */
    struct backend_operation *operation;
    struct backend_mailbox target; /* the account's own */
    char *cookies;
    char activity[UUID_TEXT_SIZE];
    char id[STORE_NOTIFICATION_ID_SIZE];
    char *owner;
    char *message;
    const char *content; /* in `message`: what stands behind its first line */
    size_t sent;         /* of the content */
};

const char *delivery_channel_name(unsigned channel)
{
    static const char *const names[] = {
        [DELIVERY_EXCHANGE] = "exchange",
        [DELIVERY_SMTP] = "smtp",
        [DELIVERY_COMMAND] = "command",
    };
    return channel < sizeof names / sizeof *names ? names[channel] : "unknown";
}

static void delivery_free(struct delivery *delivery)
{
    executor_cancel_call(delivery->context->executor, &delivery->end);
    profile_release(delivery->profile);
    configuration_release(delivery->configuration);
    memory_free(delivery->cookies);
    memory_free(delivery->owner);
    memory_free(delivery->message);
    memory_free(delivery);
}

static void delivery_ended(void *argument)
{
    struct delivery *delivery = argument;
    const struct failure failure = delivery->failure;
    delivery_done *done = delivery->done;
    void *whom = delivery->argument;
    delivery_free(delivery);
    done(whom, failure_is_set(&failure) ? &failure : NULL);
}

/* The one way out, at the next turn: nothing of a channel is under way when it is told. */
static void delivery_finish(struct delivery *delivery, const struct failure *failure)
{
    delivery->smtp = NULL;
    delivery->command = NULL;
    delivery->operation = NULL;
    if (failure != NULL)
        delivery->failure = *failure;
    executor_defer(delivery->context->executor, &delivery->end, delivery_ended, delivery);
}

static void delivery_over(void *argument, const struct failure *failure)
{
    delivery_finish(argument, failure);
}

/* --- exchange --- */

static size_t content_read(void *argument, char *room, size_t size)
{
    struct delivery *delivery = argument;
    size_t left = strlen(delivery->content) - delivery->sent;
    size_t length = left < size ? left : size;
    memcpy(room, delivery->content + delivery->sent, length);
    delivery->sent += length;
    return length;
}

static void content_rewind(void *argument)
{
    struct delivery *delivery = argument;
    delivery->sent = 0;
}

static void content_failure(void *argument, struct failure *failure)
{
    (void)argument;
    *failure = failure_cancelled(); /* it is in memory: reading it never fails */
}

static void exchange_created(void *argument, const struct failure *failure,
                             const struct backend_created *created, size_t count)
{
    if (failure == NULL && count > 0 && failure_is_set(&created[0].failure))
        failure = &created[0].failure;
    delivery_finish(argument, failure);
}

static void exchange_send(struct delivery *delivery)
{
    const struct backend_recipient owner = {.kind = BACKEND_TO, .address = delivery->owner};
    const struct backend_submission submission = {
        .id = delivery->id,
        .recipients = &owner,
        .recipient_count = 1,
        .content =
            {
                .size = strlen(delivery->content),
                .read = content_read,
                .rewind = content_rewind,
                .failure = content_failure,
                .argument = delivery,
            },
    };
    delivery->operation =
        backend_create_start(delivery->profile->backend, &delivery->target, BACKEND_CREATE_AND_SEND,
                             &submission, 1, exchange_created, delivery);
}

/* The mailbox that is missing is the account's own, not one of the configuration. */
static struct failure without_mailbox(const struct failure *failure)
{
    struct failure own = *failure;
    own.sentence = "The account of the profile has no mailbox of its own to send from.";
    own.remedy = "Give the account a mailbox, or tell the owner in another way (notify = smtp or "
                 "command in the profile). exsyncd tries again by itself.";
    return own;
}

static void exchange_searched(void *argument, const struct failure *failure,
                              const struct backend_match *matches, size_t count)
{
    struct delivery *delivery = argument;
    if (failure != NULL) {
        bool missing = failure->category == FAILURE_MAILBOX && failure->permanent;
        const struct failure own = missing ? without_mailbox(failure) : *failure;
        delivery_finish(delivery, &own);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (matches[i].place != BACKEND_IN_DRAFTS || matches[i].submitted) {
            delivery_finish(delivery, NULL); /* an earlier try has sent it */
            return;
        }
    }
    exchange_send(delivery);
}

/* Exchange says itself who the sender is: the account's own mailbox, whose address only it knows.
 */
static const char *behind_sender(const char *message)
{
    const char *end = strstr(message, "\r\n");
    return strncmp(message, "From:", 5) == 0 && end != NULL ? end + 2 : message;
}

/* A profile whose gate is closed would fail in the same way, and may cost a sign-in too many. */
static void exchange_start(struct delivery *delivery, const struct store_notice *notice)
{
    const char *ids[] = {delivery->id};
    if (delivery->profile->gate.state != GATE_OPEN) {
        delivery_finish(delivery, &delivery->profile->gate.failure);
        return;
    }
    delivery->owner = memory_copy_string(notice->owner);
    delivery->message = memory_copy_string(notice->message);
    delivery->content = behind_sender(delivery->message);
    uuid_generate(delivery->activity);
    delivery->target.cookies = &delivery->cookies;
    delivery->target.activity = delivery->activity;
    delivery->operation = backend_search_start(delivery->profile->backend, &delivery->target, ids,
                                               1, exchange_searched, delivery);
}

/* --- smtp and command --- */

static void smtp_start(struct delivery *delivery, struct executor_pool *pool,
                       const struct store_notice *notice)
{
    static const enum smtp_starttls starttls[] = {
        [CONFIG_STARTTLS_REQUIRED] = SMTP_STARTTLS_REQUIRED,
        [CONFIG_STARTTLS_OFFERED] = SMTP_STARTTLS_OFFERED,
        [CONFIG_STARTTLS_NEVER] = SMTP_STARTTLS_NEVER,
    };
    const struct config_smtp *config = delivery->configuration->config->smtp;
    const struct smtp_settings settings = {
        .url = config->url,
        .starttls = starttls[config->starttls],
        .username = config->username,
        .password = config->password,
        .tls_ca_file = config->tls_ca_file,
        .tls_verify = config->tls_verify,
        .time_limit_ms = SMTP_LIMIT_MS,
    };
    delivery->smtp = smtp_send(delivery->context->executor, pool, &settings, config->from,
                               notice->owner, notice->message, delivery_over, delivery);
}

struct delivery *delivery_start(const struct context *context, struct profile *profile,
                                struct executor_pool *pool, const struct store_notice *notice,
                                delivery_done *done, void *argument)
{
    struct delivery *delivery = memory_allocate(sizeof *delivery);
    delivery->context = context;
    delivery->profile = profile;
    profile_use(profile);
    delivery->configuration = profile->configuration;
    configuration_use(delivery->configuration);
    delivery->channel = notice->channel;
    delivery->done = done;
    delivery->argument = argument;
    snprintf(delivery->id, sizeof delivery->id, "%s", notice->id);
    if (notice->channel == DELIVERY_EXCHANGE)
        exchange_start(delivery, notice);
    else if (notice->channel == DELIVERY_SMTP)
        smtp_start(delivery, pool, notice);
    else
        delivery->command = command_start(context->executor, pool, profile->config->notify_command,
                                          notice->json, COMMAND_LIMIT_MS, delivery_over, delivery);
    return delivery;
}

void delivery_cancel(struct delivery *delivery)
{
    if (delivery->operation != NULL)
        backend_cancel(delivery->operation);
    if (delivery->smtp != NULL)
        smtp_cancel(delivery->smtp);
    if (delivery->command != NULL)
        command_cancel(delivery->command);
    delivery_free(delivery);
}
