/* What control's own files share: control.c (the socket, who may connect), control_session.c (a
 * connection), control_request.c (a request, and what commands are given). */
#ifndef EXSYNC_DAEMON_CONTROL_PRIVATE_H
#define EXSYNC_DAEMON_CONTROL_PRIVATE_H

#include "base/buffer.h"
#include "base/executor_socket.h"
#include "control/control.h"
#include "control/control_line.h"
#include "daemon/control.h"

#include <stdint.h>
#include <sys/queue.h>

enum {
    CONTROL_ROOM = CONTROL_WAITING_LIMIT / 2, /* bytes waiting from which commands pause */
    CONTROL_TURN_LINES = 64,                  /* taken from one connection in one turn */
    CONTROL_TICK_MS = 5000,                   /* how often a connection is looked at */
};

TAILQ_HEAD(control_sessions, control_session);
TAILQ_HEAD(control_requests, control_request);

struct control {
    struct service *service;
    struct executor *executor;
    struct executor_listener *listener;
    const struct control_command *(*find)(const char *name);
    gid_t group; /* whose members may connect; -1: there is none */
    struct control_sessions sessions;
    size_t session_count;
    uint64_t idle_ms;
    bool begun; /* commands can be started */
};

struct control_session {
    struct control *control;
    struct executor_socket *socket;
    struct control_lines lines;
    struct buffer line; /* of an answer that is being written */
    struct control_requests requests;
    unsigned request_count;
    struct executor_call turn;
    struct executor_timer tick;
    uint64_t moved_ms; /* monotonic: of the last sign of life */
    bool ended;        /* the client sends nothing more */
    bool doomed;       /* to be closed in the next turn; nothing is taken or sent any more */
    TAILQ_ENTRY(control_session) entries;
};

struct control_request {
    struct control_session *session;
    json_t *object;
    json_int_t id;
    char *address; /* of control_address; NULL */
    void *state;
    void (*gone)(void *state);
    void (*ready)(struct control_request *request);
    struct executor_call call;
    unsigned untold; /* answers that could not be sent */
    TAILQ_ENTRY(control_request) entries;
};

/* --- control.c --- */

/* Whether another client may connect: root and the daemon's own user (`owner`), or a member of the
 * group, who leaves them CONTROL_RESERVED places. */
bool control_has_place(const struct control *control, bool owner);

/* --- control_session.c --- */

/* A client that may connect: greets it and takes its requests. */
void control_session_open(struct control *control, struct executor_socket *socket);

/* Its requests are gone. From the loop only, never from within a command. */
void control_session_close(struct control_session *session);

/* Sends a line without an id, and closes in a later turn. */
void control_session_refuse(struct control_session *session, int exit, const char *code,
                            const char *message);

/* Takes what can be taken in the next turn. */
void control_session_wake(struct control_session *session);

/* Appends a line to what goes out; false when the object cannot be a line. */
bool control_session_send(struct control_session *session, const json_t *object);

bool control_session_has_room(const struct control_session *session);

/* --- control_request.c --- */

/* A line has come; takes the reference. */
void control_request_start(struct control_session *session, json_t *object);

/* Nobody waits for it any more. */
void control_request_drop(struct control_request *request);

/* There is room: whoever waits for that goes on. */
void control_request_room(struct control_request *request);

/* {"code", "message", "exit"} as a new reference. */
json_t *control_error(int exit, const char *code, const char *message);

#endif
