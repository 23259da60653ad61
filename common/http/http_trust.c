#include "http/http_trust.h"

#include "base/executor_uv.h"
#include "base/memory.h"
#include "http/http_failure.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>

/* Debian's, and the default of the libcurl that Debian builds. */
static const char system_file[] = "/etc/ssl/certs/ca-certificates.crt";

/* The reading, on a thread of libuv's pool. Owned by itself until it comes back. */
struct http_trust_reading {
    uv_work_t request;
    struct http_trust *trust; /* NULL: nobody waits any more */
    char *file;
    X509_STORE *store;
    char error[256];
};

TAILQ_HEAD(http_trust_waiters, http_trust_waiter);

struct http_trust {
    struct http_trusts *trusts;
    char *file;
    struct executor *executor;
    unsigned references;
    struct http_trust_reading *reading; /* under way */
    X509_STORE *store;
    uint64_t read_ms;
    struct failure failure;
    struct http_trust_waiters waiters;
    TAILQ_ENTRY(http_trust) entries;
};

/* --- off the loop --- */

static void describe_error(char *text, size_t size)
{
    unsigned long error = ERR_peek_last_error();
    if (error != 0)
        ERR_error_string_n(error, text, size);
    else
        snprintf(text, size, "it holds no certificate");
    ERR_clear_error();
}

void *http_trust_read(const char *file, char *error, size_t size)
{
    ERR_clear_error();
    X509_STORE *store = X509_STORE_new();
    /* What libcurl sets on stores of its own: roots come first, and an intermediate certificate
     * that the administrator trusts needs no root. */
    if (store != NULL && X509_STORE_load_file(store, file == NULL ? system_file : file) == 1 &&
        X509_STORE_set_flags(store, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN) == 1)
        return store;
    describe_error(error, size);
    X509_STORE_free(store);
    return NULL;
}

static void read_certificates(uv_work_t *request)
{
    struct http_trust_reading *reading = request->data;
    reading->store = http_trust_read(reading->file, reading->error, sizeof reading->error);
    OPENSSL_thread_stop(); /* libuv's threads do not free what OpenSSL keeps for each */
}

/* --- on the loop --- */

static void tell_waiters(struct http_trust *trust)
{
    struct http_trust_waiter *waiter;
    while ((waiter = TAILQ_FIRST(&trust->waiters)) != NULL) {
        http_trust_forget(trust, waiter);
        waiter->ready(waiter->argument);
    }
}

static void take_certificates(struct http_trust *trust, struct http_trust_reading *reading)
{
    trust->reading = NULL;
    trust->store = reading->store;
    reading->store = NULL;
    trust->read_ms = executor_now(trust->executor);
    if (trust->store == NULL)
        trust->failure = http_failure_trust(trust->file, reading->error);
    /* A waiter may close the trust. */
    trust->references++;
    tell_waiters(trust);
    http_trust_close(trust);
}

static void was_read(uv_work_t *request, int status)
{
    (void)status; /* cancelled: then nobody waits either */
    struct executor_measure measure;
    executor_measure_begin(&measure);
    struct http_trust_reading *reading = request->data;
    if (reading->trust != NULL)
        take_certificates(reading->trust, reading);
    X509_STORE_free(reading->store);
    memory_free(reading->file);
    memory_free(reading);
    executor_measure_end(&measure, "certificates read");
}

static void start_reading(struct http_trust *trust)
{
    struct http_trust_reading *reading = memory_allocate(sizeof *reading);
    reading->request.data = reading;
    reading->trust = trust;
    reading->file = memory_copy_string(trust->file);
    trust->reading = reading;
    /* Fails only without a work function. */
    uv_queue_work(executor_uv_loop(trust->executor), &reading->request, read_certificates,
                  was_read);
}

/* Profiles that start together share; one that is reset later reads what is in the file then. */
static bool is_current(const struct http_trust *trust, struct executor *executor)
{
    if (trust->reading != NULL)
        return true;
    return trust->store != NULL && executor_now(executor) - trust->read_ms < HTTP_TRUST_FRESH_MS;
}

struct http_trust *http_trust_open(struct http_trusts *trusts, struct executor *executor,
                                   const char *file)
{
    if (file == NULL)
        file = system_file;
    struct http_trust *trust;
    TAILQ_FOREACH(trust, trusts, entries)
    {
        if (strcmp(trust->file, file) == 0 && is_current(trust, executor)) {
            trust->references++;
            return trust;
        }
    }
    trust = memory_allocate(sizeof *trust);
    trust->trusts = trusts;
    trust->file = memory_copy_string(file);
    trust->executor = executor;
    trust->references = 1;
    TAILQ_INIT(&trust->waiters);
    TAILQ_INSERT_HEAD(trusts, trust, entries);
    start_reading(trust);
    return trust;
}

void http_trust_close(struct http_trust *trust)
{
    if (trust == NULL || --trust->references > 0)
        return;
    if (trust->reading != NULL) {
        trust->reading->trust = NULL;
        uv_cancel((uv_req_t *)&trust->reading->request);
    }
    TAILQ_REMOVE(trust->trusts, trust, entries);
    X509_STORE_free(trust->store);
    memory_free(trust->file);
    memory_free(trust);
}

bool http_trust_ready(struct http_trust *trust, struct http_trust_waiter *waiter)
{
    if (trust->reading == NULL)
        return true;
    if (!waiter->waiting) {
        waiter->waiting = true;
        TAILQ_INSERT_TAIL(&trust->waiters, waiter, entries);
    }
    return false;
}

void http_trust_forget(struct http_trust *trust, struct http_trust_waiter *waiter)
{
    if (!waiter->waiting)
        return;
    waiter->waiting = false;
    TAILQ_REMOVE(&trust->waiters, waiter, entries);
}

const struct failure *http_trust_failure(const struct http_trust *trust)
{
    return failure_is_set(&trust->failure) ? &trust->failure : NULL;
}

bool http_trust_apply(const struct http_trust *trust, void *ssl_context)
{
    if (trust->store == NULL)
        return false;
    SSL_CTX_set1_cert_store(ssl_context, trust->store);
    return true;
}
