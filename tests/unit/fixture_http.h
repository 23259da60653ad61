/* A world with a loop, a client and a pool, and requests that remember what became of them. */
#ifndef EXSYNC_TESTS_FIXTURE_HTTP_H
#define EXSYNC_TESTS_FIXTURE_HTTP_H

#include "fixture_server.h"
#include "http/http.h"

struct fixture_world;

/* One request and its outcome. */
struct fixture_exchange {
    struct http_request request; /* first: callbacks find the exchange by it */
    struct fixture_world *world;
    struct http_response response;
    struct buffer answer;
    bool done;
    uint16_t status; /* as on_data was told */
    unsigned pauses; /* how many pieces are still to be refused */
    unsigned paused;
    bool resume_by_hand;
    struct executor_timer timer;
    /* Instead of the plain behaviour; NULL for none. */
    enum http_data_result (*data)(struct fixture_exchange *exchange, const char *bytes,
                                  size_t length);
    void (*finished)(struct fixture_exchange *exchange);
    void *argument;
};

struct fixture_world {
    struct executor *executor;
    struct http_client *client;
    struct http_pool *pool;
    unsigned pending; /* exchanges that were started and not done; the loop stops at 0 */
};

/* Settings that a test may change before fixture_world_open. */
struct http_pool_settings fixture_settings(const char *url);

void fixture_world_open(struct fixture_world *world, const struct http_pool_settings *settings);
void fixture_world_close(struct fixture_world *world);

/* Starts a request with a body of `length` bytes. */
void fixture_start(struct fixture_world *world, struct fixture_exchange *exchange, size_t length);

/* As many bytes as fixture_start sends. */
void fixture_fill(struct buffer *body, size_t length);

/* Runs the loop until every exchange is done. */
void fixture_run(struct fixture_world *world);

/* Runs the loop until somebody calls executor_stop. */
void fixture_run_until_stopped(struct fixture_world *world);

/* For requests that are cancelled: they will not be done. */
void fixture_cancel(struct fixture_exchange *exchange);

/* Releases what the exchange holds; it may be started again. */
void fixture_forget(struct fixture_exchange *exchange);

#endif
