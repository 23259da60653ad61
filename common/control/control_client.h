/* The client's side, which waits: for tools, never for the daemon.
 *
 *   struct control_client *client = control_client_connect(path, &problem);
 *   control_client_call(client, json_pack("{s:s}", "command", "version"), &problem);
 *   while (control_client_next(client, -1, &answer, &problem) == CONTROL_ANSWER) ...
 *
 * One request is under way at a time. After a problem that is not the end of a request the
 * connection is of no more use. */
#ifndef EXSYNC_CONTROL_CONTROL_CLIENT_H
#define EXSYNC_CONTROL_CONTROL_CLIENT_H

#include "control/control.h"

#include <jansson.h>
#include <stdbool.h>

struct control_client;

enum { CONTROL_CODE_SIZE = 64, CONTROL_TEXT_SIZE = 1024 };

/* Why it did not work. Codes of this side: "NotRunning", "NotAllowed", "OtherVersion",
 * "NoAnswer" (it is there and says nothing), "ConnectionLost", "BadAnswer"; all others are the
 * daemon's. */
struct control_problem {
    int exit; /* sysexits */
    char code[CONTROL_CODE_SIZE];
    char text[CONTROL_TEXT_SIZE]; /* for people; one line, fit for a terminal */
};

/* Connects and reads the greeting, for ten seconds at most. NULL with the problem. */
struct control_client *control_client_connect(const char *path, struct control_problem *problem);

/* The daemon's version. */
const char *control_client_daemon_version(const struct control_client *client);

/* Sends a request; takes the reference, and sets the id. False with the problem. */
bool control_client_call(struct control_client *client, json_t *request,
                         struct control_problem *problem);

enum control_next {
    CONTROL_ANSWER,  /* `*answer` is the caller's, without the id */
    CONTROL_END,     /* the request is through */
    CONTROL_FAILED,  /* the request, or the connection, has failed: `problem` */
    CONTROL_TIMEOUT, /* nothing has come within the time */
};

/* The next line for the request; -1 ms waits for ever. */
enum control_next control_client_next(struct control_client *client, int timeout_ms,
                                      json_t **answer, struct control_problem *problem);

/* NULL is allowed. A request that is under way is given up. */
void control_client_free(struct control_client *client);

#endif
