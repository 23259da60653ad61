/* Control: what exsyncctl asks of the daemon. The protocol is common/control/control.h.
 *
 *   command  a function for the requests of one name, in one of the tables of control_commands.c
 *   request  one that is under way; it ends exactly once, by control_end or control_fail
 *   answer   a JSON object for a request; any number of them before the end
 *   gone     the client is gone, or the daemon stops: nobody waits for the answer any more
 *
 * To add a command: write it in the control_THEME.c to which it belongs, put it into that file's
 * table, and say in that file's header, or above the function, what it takes and what its answers
 * look like; exsyncctl has a command of its own for it (tools/exsyncctl.h).
 *
 * Everything runs on the loop and nothing may block. A command answers within `start` or later. A
 * long list is made in slices of at most CONTROL_SLICE mailboxes: make one, and while
 * there is more, return after control_on_ready, which calls back in a later turn, when the client
 * has read enough. Mailboxes and profiles come and go between turns (reload): keep numbers or
 * names, not pointers. */
#ifndef EXSYNC_DAEMON_CONTROL_H
#define EXSYNC_DAEMON_CONTROL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct service;
struct control_request;

enum { CONTROL_SLICE = 250 };

struct control_command {
    const char *name; /* NULL behind the last of a table */
    void (*start)(struct control_request *request);
};

/* --- what was asked --- */

/* The request's object, valid until the end. */
const json_t *control_arguments(const struct control_request *request);

/* A member that is a string that is not empty; NULL otherwise. */
const char *control_text(const struct control_request *request, const char *name);

/* The same in lower case, as the configuration has addresses, of the one member of a request that
 * is an address; made once, valid until the end. */
const char *control_address(struct control_request *request, const char *name);

/* Whether a member is true. */
bool control_flag(const struct control_request *request, const char *name);

/* The user id of who asks, for the log. */
uint32_t control_user(const struct control_request *request);

/* Commands may use service_private.h. Its `configuration` is NULL until the first one is in use;
 * commands are not started before. */
struct service *control_service(const struct control_request *request);

/* --- what comes of it --- */

/* Sends an answer; takes the reference and adds the id. The object has a member
 * "kind" and none called "id". NULL (json_pack with what is no UTF-8) and lines longer than
 * CONTROL_ANSWER_LIMIT are not sent, and control_end says so. */
void control_reply(struct control_request *request, json_t *object);

/* Whether the client has room for more answers. A command that produces them by itself stops when
 * it has not, and goes on by control_on_ready. One that is told by others (a test that ends) may
 * reply without asking, a few kilobytes at a time: a client that leaves more than
 * CONTROL_WAITING_LIMIT unread is dropped, and its requests are gone. */
bool control_ready(const struct control_request *request);

/* Calls back once, in a later turn of the loop, as soon as there is room: in the next turn when
 * there is now. Not called after the end, nor once the client is gone. */
void control_on_ready(struct control_request *request,
                      void (*ready)(struct control_request *request));

/* What the command keeps for this request, its own to free. `gone` is called when the client is
 * gone or the daemon stops: the command gives up what it has begun and frees `state`; the request
 * ends with it and is not to be touched any more, in `gone` neither. It is never called from within
 * the other functions here, nor after the end. NULL `gone`: there is nothing to give up, and the
 * state is not the command's to free. */
void control_keep(struct control_request *request, void *state, void (*gone)(void *state));
void *control_state(const struct control_request *request);

/* The end, after which the request is no more. `exit`: sysexits.h; `code`: a name for programs,
 * "NoSuchMailbox"; the sentence is for people: what is wrong; what to do. */
void control_end(struct control_request *request);
void control_fail(struct control_request *request, int exit, const char *code, const char *format,
                  ...) __attribute__((format(printf, 4, 5)));

/* --- for the service --- */

struct control;

/* Listens at `path`; blocks, before the loop runs. What goes wrong is logged with what to do, and
 * the daemon runs on without: NULL. A path of NULL or "none" is silently none; NULL is the default.
 */
struct control *control_create(struct service *service, const char *path);

/* Requests that wait for the first configuration are started. NULL is allowed. */
void control_begin(struct control *control);

/* Takes the socket away; requests are gone, connections closed. NULL is allowed. */
void control_stop(struct control *control);

/* After control_stop, before executor_free. NULL is allowed. */
void control_free(struct control *control);

#endif
