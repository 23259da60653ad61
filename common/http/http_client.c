#include "http/http_private.h"

#include "base/memory.h"

struct http_client *http_client_create(struct executor *executor, struct log *log)
{
    struct http_client *client = memory_allocate(sizeof *client);
    client->executor = executor;
    client->log = log;
    TAILQ_INIT(&client->connections);
    TAILQ_INIT(&client->trusts);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    return client;
}

void http_client_free(struct http_client *client)
{
    /* The pools are gone; what they left for a deferred call is taken away here. */
    struct http_connections *connections;
    while ((connections = TAILQ_FIRST(&client->connections)) != NULL)
        http_connections_destroy(connections);
    curl_global_cleanup();
    memory_free(client);
}
