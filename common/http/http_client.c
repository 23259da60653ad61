#include "http/http_private.h"

#include "base/memory.h"

/* A sign-in that hangs is left to itself; its memory goes with the process. */
enum { STOP_PATIENCE_MS = 500 };

struct http_client *http_client_create(struct executor *executor, struct log *log)
{
    struct http_client *client = memory_allocate(sizeof *client);
    client->executor = executor;
    client->log = log;
    TAILQ_INIT(&client->connections);
    TAILQ_INIT(&client->trusts);
    client->sign_ins = executor_pool_create(executor, "kerberos", HTTP_KERBEROS_THREADS);
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
    curl_global_cleanup();
    memory_free(client);
}
