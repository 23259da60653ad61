#include "http/http_kerberos.h"

#include "base/clock.h"
#include "base/memory.h"
#include "http/http_ticket.h"

#include <gssapi/gssapi_krb5.h>
#include <string.h>

/* One sign-in on a thread. Owns what it needs: it may come back when the pool is gone. */
struct http_kerberos_signing {
    struct executor_job job;
    struct http_kerberos *kerberos; /* NULL: nobody waits any more; the loop's thread only */
    char *host;
    char *username;
    struct secret *password;
    struct http_ticket ticket;
    struct failure failure;
    bool granted;
};

struct http_kerberos {
    struct executor *executor;
    struct executor_pool *threads;
    unsigned references;
    char *host;
    char *username;
    struct secret *password;
    struct http_kerberos_signing *signing; /* under way */
    struct http_ticket ticket;
    uint64_t renew_ms;   /* when the ticket is to be renewed in advance */
    uint64_t end_ms;     /* from when on it is not used for new requests; 0: there is none */
    int64_t end_wall_ms; /* the same by the clock that it ends by: the machine may have slept */
    void (*done)(void *argument, const struct failure *failure);
    void *argument;
};

uint64_t http_kerberos_renew_after_ms(int64_t remaining_s)
{
    enum { BEFORE_END_S = 5 * 60 };
    int64_t late = remaining_s * 4 / 5;
    int64_t early = remaining_s - BEFORE_END_S;
    if (early < remaining_s / 2)
        early = remaining_s / 2;
    return (uint64_t)(early < late ? early : late) * 1000;
}

static struct secret *copy_secret(const struct secret *secret)
{
    if (secret == NULL)
        return NULL;
    const char *bytes = secret_reveal(secret);
    return secret_create(bytes, strlen(bytes));
}

static bool is_good(const struct http_kerberos *kerberos)
{
    return executor_now(kerberos->executor) < kerberos->end_ms &&
           clock_wall_ms() < kerberos->end_wall_ms;
}

/* --- signing in --- */

static void free_signing(struct http_kerberos_signing *signing)
{
    http_ticket_release(&signing->ticket);
    memory_free(signing->host);
    memory_free(signing->username);
    secret_free(signing->password);
    memory_free(signing);
}

static void sign_in(void *argument)
{
    struct http_kerberos_signing *signing = argument;
    signing->granted = http_ticket_get(signing->host, signing->username, signing->password,
                                       &signing->ticket, &signing->failure);
}

static void take_ticket(struct http_kerberos *kerberos, struct http_kerberos_signing *signing)
{
    uint64_t now = executor_now(kerberos->executor);
    int64_t remaining_s = signing->ticket.remaining_s;
    http_ticket_release(&kerberos->ticket);
    kerberos->ticket = signing->ticket;
    signing->ticket = (struct http_ticket){0};
    kerberos->renew_ms = now + http_kerberos_renew_after_ms(remaining_s);
    int64_t used_ms =
        remaining_s > HTTP_KERBEROS_LAST_S ? (remaining_s - HTTP_KERBEROS_LAST_S) * 1000 : 0;
    kerberos->end_ms = now + (uint64_t)used_ms;
    kerberos->end_wall_ms = clock_wall_ms() + used_ms;
    kerberos->done(kerberos->argument, NULL);
}

/* A KDC that cannot be reached, or a ticket cache that nobody has renewed yet, is no matter while
 * the ticket is good; a password that is wrong must not be tried again every minute until the
 * account is locked. */
static void take_failure(struct http_kerberos *kerberos, const struct failure *failure)
{
    uint64_t now = executor_now(kerberos->executor);
    bool again = !failure->permanent || kerberos->password == NULL;
    if (is_good(kerberos) && again) {
        kerberos->renew_ms = now + HTTP_KERBEROS_AGAIN_MS;
        return;
    }
    kerberos->end_ms = 0;
    kerberos->done(kerberos->argument, failure);
}

static void signed_in(void *argument)
{
    struct http_kerberos_signing *signing = argument;
    struct http_kerberos *kerberos = signing->kerberos;
    if (kerberos != NULL) {
        kerberos->signing = NULL;
        if (signing->granted)
            take_ticket(kerberos, signing);
        else
            take_failure(kerberos, &signing->failure);
    }
    free_signing(signing);
}

static void start_signing(struct http_kerberos *kerberos)
{
    struct http_kerberos_signing *signing = memory_allocate(sizeof *signing);
    signing->kerberos = kerberos;
    signing->host = memory_copy_string(kerberos->host);
    signing->username = memory_copy_string(kerberos->username);
    signing->password = copy_secret(kerberos->password);
    kerberos->signing = signing;
    executor_pool_submit(kerberos->threads, NULL, &signing->job, sign_in, signed_in, signing);
}

bool http_kerberos_ready(struct http_kerberos *kerberos)
{
    uint64_t now = executor_now(kerberos->executor);
    bool good = is_good(kerberos);
    if (kerberos->signing == NULL && (!good || now >= kerberos->renew_ms))
        start_signing(kerberos);
    return good;
}

void http_kerberos_reset(struct http_kerberos *kerberos)
{
    kerberos->end_ms = 0;
}

/* --- on the loop, for GSSAPI --- */

void http_kerberos_select(const struct http_kerberos *kerberos)
{
    OM_uint32 minor;
    if (kerberos->ticket.cache_name != NULL)
        gss_krb5_ccache_name(&minor, kerberos->ticket.cache_name, NULL);
}

/* --- life --- */

struct http_kerberos *
http_kerberos_create(struct executor *executor, struct executor_pool *threads, const char *host,
                     const char *username, const struct secret *password,
                     void (*done)(void *argument, const struct failure *failure), void *argument)
{
    struct http_kerberos *kerberos = memory_allocate(sizeof *kerberos);
    kerberos->executor = executor;
    kerberos->threads = threads;
    kerberos->references = 1;
    kerberos->host = memory_copy_string(host);
    kerberos->username = memory_copy_string(username);
    kerberos->password = copy_secret(password);
    kerberos->done = done;
    kerberos->argument = argument;
    return kerberos;
}

void http_kerberos_hold(struct http_kerberos *kerberos)
{
    kerberos->references++;
}

void http_kerberos_release(struct http_kerberos *kerberos)
{
    if (--kerberos->references > 0)
        return;
    http_ticket_release(&kerberos->ticket);
    memory_free(kerberos->host);
    memory_free(kerberos->username);
    secret_free(kerberos->password);
    memory_free(kerberos);
}

void http_kerberos_close(struct http_kerberos *kerberos)
{
    if (kerberos->signing != NULL)
        kerberos->signing->kerberos = NULL;
    http_kerberos_release(kerberos);
}
