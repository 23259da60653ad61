#define _GNU_SOURCE /* memfd_create */
#include "http/http_private.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "http/http_examine.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A sign-in or an examination that hangs is left to itself; its memory goes with the process. */
enum { STOP_PATIENCE_MS = 500 };

/* libkrb5 takes its settings from files alone; the first that sets something counts. This one
 * lives in memory, as long as the process. */
void http_prepare_process(void)
{
    static const char settings[] = "[libdefaults]\n"
                                   "    dns_canonicalize_hostname = false\n"
                                   "    rdns = false\n"
                                   "    dns_lookup_realm = false\n";
    const char *files = getenv("KRB5_CONFIG");
    struct buffer list = {0};
    int file = memfd_create("exsyncd-krb5.conf", MFD_CLOEXEC);
    if (file < 0)
        return;
    if (write(file, settings, strlen(settings)) != (ssize_t)strlen(settings)) {
        close(file);
        return;
    }
    buffer_append_format(&list, "/proc/self/fd/%d:%s", file,
                         files != NULL ? files : "/etc/krb5.conf");
    setenv("KRB5_CONFIG", buffer_string(&list), 1);
    buffer_release(&list);
}

struct http_client *http_client_create(struct executor *executor, struct log *log)
{
    struct http_client *client = memory_allocate(sizeof *client);
    client->executor = executor;
    client->log = log;
    TAILQ_INIT(&client->connections);
    TAILQ_INIT(&client->trusts);
    client->sign_ins = executor_pool_create(executor, "kerberos", HTTP_KERBEROS_THREADS);
    client->examinations = executor_pool_create(executor, "examinations", HTTP_EXAMINE_THREADS);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    return client;
}

void http_client_free(struct http_client *client)
{
    /* The pools are gone; what they left for a deferred call is taken away here. */
    struct http_connections *connections;
    while ((connections = TAILQ_FIRST(&client->connections)) != NULL)
        http_connections_destroy(connections);
    executor_pool_free(client->sign_ins, STOP_PATIENCE_MS);
    executor_pool_free(client->examinations, STOP_PATIENCE_MS);
    curl_global_cleanup();
    memory_free(client);
}
