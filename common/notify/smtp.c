#include "notify/smtp.h"

#include "base/memory.h"
#include "notify/smtp_exchange.h"
#include "notify/smtp_failure.h"

#include <stdatomic.h>
#include <string.h>

/* Up to the end of the sign-in. Some servers make clients wait for the greeting. */
enum { CONNECT_TIME_LIMIT_MS = 2 * 60 * 1000 };

struct smtp_delivery {
    struct executor_job job;
    struct smtp_settings settings; /* its pointers lead to copies of our own */
    struct secret *password;
    char *url, *username, *tls_ca_file, *from, *to, *message;
    struct smtp_exchange exchange;
    struct failure failure;
    char error[CURL_ERROR_SIZE];
    smtp_done *done;
    void *argument;
};

/* --- in the job --- */

/* What could end the command, or begin another. */
static bool is_safe(const char *address)
{
    for (const char *at = address; *at != '\0'; at++) {
        if ((unsigned char)*at <= ' ' || *at == 0x7f || *at == '<' || *at == '>')
            return false;
    }
    return address[0] != '\0';
}

static void set_server(CURL *easy, const struct smtp_settings *settings)
{
    uint64_t limit = settings->time_limit_ms;
    uint64_t connect = limit < CONNECT_TIME_LIMIT_MS ? limit : CONNECT_TIME_LIMIT_MS;
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(easy, CURLOPT_URL, settings->url);
    /* Nothing from the environment decides where mail goes. */
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)limit);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect);
    /* By default libcurl waits two minutes for an answer. */
    curl_easy_setopt(easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)(limit / 1000 + 1));
    /* The connection is closed within the delivery, where its time is ours to limit. */
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    if (settings->username != NULL) {
        curl_easy_setopt(easy, CURLOPT_USERNAME, settings->username);
        curl_easy_setopt(easy, CURLOPT_PASSWORD,
                         settings->password == NULL ? "" : secret_reveal(settings->password));
    }
}

static void set_tls(CURL *easy, const struct smtp_settings *settings)
{
    static const long ways[] = {
        [SMTP_STARTTLS_REQUIRED] = CURLUSESSL_ALL,
        [SMTP_STARTTLS_OFFERED] = CURLUSESSL_TRY,
        [SMTP_STARTTLS_NEVER] = CURLUSESSL_NONE,
    };
    curl_easy_setopt(easy, CURLOPT_USE_SSL, ways[settings->starttls]);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, settings->tls_verify ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, settings->tls_verify ? 2L : 0L);
    if (settings->tls_ca_file != NULL) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, settings->tls_ca_file);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
}

/* The size is not told: libcurl would compare it with what went out, in which the dots that it puts
 * before dots count, and could stop too early. */
static CURLcode perform(struct smtp_delivery *delivery, CURL *easy)
{
    struct curl_slist *recipients = curl_slist_append(NULL, delivery->to);
    if (recipients == NULL)
        return CURLE_OUT_OF_MEMORY;
    set_server(easy, &delivery->settings);
    set_tls(easy, &delivery->settings);
    smtp_exchange_attach(&delivery->exchange, easy);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, delivery->error);
    curl_easy_setopt(easy, CURLOPT_MAIL_FROM, delivery->from);
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, recipients);
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    CURLcode result = curl_easy_perform(easy);
    curl_slist_free_all(recipients);
    return result;
}

static void deliver(void *argument)
{
    struct smtp_delivery *delivery = argument;
    if (delivery->exchange.cancelled)
        return;
    if (!is_safe(delivery->from) || !is_safe(delivery->to)) {
        delivery->failure = smtp_failure_of_address(is_safe(delivery->from) ? "RCPT" : "MAIL");
        return;
    }
    CURL *easy = curl_easy_init();
    CURLcode result = easy == NULL ? CURLE_FAILED_INIT : perform(delivery, easy);
    if (result != CURLE_OK)
        delivery->failure = smtp_failure_of(result, &delivery->exchange, delivery->error);
    curl_easy_cleanup(easy);
}

/* --- on the loop --- */

static void release(struct smtp_delivery *delivery)
{
    secret_free(delivery->password);
    memory_free(delivery->url);
    memory_free(delivery->username);
    memory_free(delivery->tls_ca_file);
    memory_free(delivery->from);
    memory_free(delivery->to);
    memory_free(delivery->message);
    memory_free(delivery);
    curl_global_cleanup();
}

static void finish(void *argument)
{
    struct smtp_delivery *delivery = argument;
    if (!delivery->exchange.cancelled)
        delivery->done(delivery->argument,
                       failure_is_set(&delivery->failure) ? &delivery->failure : NULL);
    release(delivery);
}

static void copy_settings(struct smtp_delivery *delivery, const struct smtp_settings *settings)
{
    delivery->url = memory_copy_string(settings->url);
    delivery->username = memory_copy_string(settings->username);
    delivery->tls_ca_file = memory_copy_string(settings->tls_ca_file);
    if (settings->password != NULL) {
        const char *password = secret_reveal(settings->password);
        delivery->password = secret_create(password, strlen(password));
    }
    delivery->settings = *settings;
    delivery->settings.url = delivery->url;
    delivery->settings.username = delivery->username;
    delivery->settings.tls_ca_file = delivery->tls_ca_file;
    delivery->settings.password = delivery->password;
}

struct smtp_delivery *smtp_send(struct executor *executor, struct executor_pool *pool,
                                const struct smtp_settings *settings, const char *from,
                                const char *to, const char *message, smtp_done *done,
                                void *argument)
{
    struct smtp_delivery *delivery = memory_allocate(sizeof *delivery);
    (void)executor; /* the pool's */
    curl_global_init(CURL_GLOBAL_DEFAULT);
    copy_settings(delivery, settings);
    delivery->from = memory_copy_string(from);
    delivery->to = memory_copy_string(to);
    delivery->message = memory_copy_string(message);
    delivery->exchange.message = delivery->message;
    delivery->exchange.length = strlen(message);
    atomic_init(&delivery->exchange.cancelled, false);
    delivery->done = done;
    delivery->argument = argument;
    executor_pool_submit(pool, NULL, &delivery->job, deliver, finish, delivery);
    return delivery;
}

void smtp_cancel(struct smtp_delivery *delivery)
{
    delivery->exchange.cancelled = true;
}
