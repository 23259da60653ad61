/* One server, one pool, one request at a time: the stage of the tests of transfers. */
#ifndef EXSYNC_TESTS_FIXTURE_SCENE_H
#define EXSYNC_TESTS_FIXTURE_SCENE_H

#include "fixture_http.h"

enum { SCENE_BIG = 3000000 }; /* bytes; several of these are more than sockets hold on the way */

struct scene {
    struct fixture_server *server;
    struct fixture_world world;
    struct fixture_exchange exchange;
    struct fixture_gate gate;
    unsigned requests;
    uint64_t sums[8]; /* of the bodies that arrived whole */
    size_t bodies;
    struct http_pool_settings settings; /* may be changed between scene_prepare and scene_raise */
};

/* Handlers get the scene as their argument. */
void scene_prepare(struct scene *scene, fixture_handler *handler);
void scene_encrypt(struct scene *scene, fixture_handler *handler); /* between the two */
void scene_raise(struct scene *scene);
void scene_open(struct scene *scene, fixture_handler *handler); /* both */
void scene_close(struct scene *scene);

/* Sends a request with a body of so many bytes, and waits for its end. */
void scene_run(struct scene *scene, bool changes, size_t length);

/* The sum of such a body. */
uint64_t scene_sum(size_t length);

/* For handlers: takes a request whole, counts it and remembers its body. */
bool scene_take(struct fixture_connection *connection, struct scene *scene);

/* The request ended with a failure of the network that may be its own doing. */
void scene_expect_lost(const struct scene *scene, const char *code);

#endif
