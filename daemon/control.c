/* The control socket: where it is, and who may connect. */
#include "daemon/control.h"

#include "base/memory.h"
#include "daemon/control_commands.h"
#include "daemon/control_private.h"
#include "daemon/messages.h"
#include "daemon/service_private.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { GROUP_BUFFER = 64 << 10 };

/* --- who may --- */

/* root, or the daemon's own user. */
static bool is_owner(const struct executor_socket *socket)
{
    return executor_socket_is_user(socket, 0) || executor_socket_is_user(socket, geteuid());
}

static bool is_allowed(const struct control *control, const struct executor_socket *socket)
{
    return is_owner(socket) ||
           (control->group != (gid_t)-1 && executor_socket_has_group(socket, control->group));
}

/* Members of a group that is as large as that are not needed: only its number is. */
static gid_t find_group(void)
{
    struct group group, *found = NULL;
    char *buffer = memory_allocate(GROUP_BUFFER);
    getgrnam_r(CONTROL_GROUP, &group, buffer, GROUP_BUFFER, &found);
    gid_t number = found == NULL ? (gid_t)-1 : found->gr_gid;
    memory_free(buffer);
    return number;
}

static void refuse(struct executor_socket *socket, int exit, const char *code, const char *message)
{
    struct buffer bytes = {0};
    json_t *line = json_pack("{s:b,s:o}", "end", true, "error", control_error(exit, code, message));
    control_line_append(&bytes, line, CONTROL_ANSWER_LIMIT);
    executor_socket_write(socket, buffer_string(&bytes), bytes.length);
    executor_socket_close(socket);
    buffer_release(&bytes);
    json_decref(line);
}

bool control_has_place(const struct control *control, bool owner)
{
    return control->session_count < CONTROL_CONNECTIONS - (owner ? 0u : CONTROL_RESERVED);
}

static void control_connected(void *argument, struct executor_socket *socket)
{
    struct control *control = argument;
    if (!is_allowed(control, socket))
        refuse(socket, EX_NOPERM, "NotAllowed",
               "you may not administer exsyncd: that is for root, the user that it runs as, and "
               "the group " CONTROL_GROUP "; become root, or join the group with usermod -a "
               "-G " CONTROL_GROUP " USER and log in anew");
    else if (!control_has_place(control, is_owner(socket)))
        refuse(socket, EX_TEMPFAIL, "TooManyConnections",
               "too many others are connected to exsyncd's control socket; try again when some "
               "exsyncctl have ended");
    else
        control_session_open(control, socket);
}

/* --- where it is --- */

/* systemd gives several folders with colons between them; the first is ours. */
static char *default_path(void)
{
    const char *given = getenv("RUNTIME_DIRECTORY");
    if (given == NULL || given[0] != '/') {
        char folder[] = CONTROL_DEFAULT_SOCKET;
        *strrchr(folder, '/') = '\0';
        mkdir(folder, 0755); /* without systemd; whether it is there shows at once */
        chmod(folder, 0755);
        return memory_copy_string(CONTROL_DEFAULT_SOCKET);
    }
    struct buffer path = {0};
    buffer_append(&path, given, strcspn(given, ":"));
    buffer_append_string(&path, "/control.sock");
    return buffer_take(&path);
}

static const char *remedy_of(int error)
{
    switch (error) {
    case ENOENT:
        return "its folder is not there; let systemd make it (RuntimeDirectory=exsyncd), make it, "
               "or name another control_socket";
    case EACCES:
    case EPERM:
    case EROFS:
        return "let systemd make the folder (RuntimeDirectory=exsyncd), give it to the user that "
               "exsyncd runs as, or name another control_socket";
    case EADDRINUSE:
        return "another program listens there, perhaps another exsyncd; stop it, or give each its "
               "own control_socket";
    case EEXIST:
        return "something else is there that is no socket; remove it, or name another "
               "control_socket";
    case ENAMETOOLONG:
        return "name a control_socket with a shorter path, of 107 bytes at most";
    default:
        return "look at its folder, or name another control_socket";
    }
}

static void report_failure(const struct control *control, const char *path, int error)
{
    const struct log_fields fields = {.message_id = MESSAGE_CONTROL_FAILED};
    log_write(control->service->context.log, LOG_PRIORITY_ERROR, &fields,
              "exsyncctl cannot be used, as the control socket %s cannot be made: %s; %s, and "
              "restart exsyncd",
              path, strerror(error), remedy_of(error));
}

static void report_no_group(const struct control *control)
{
    const struct log_fields fields = {.message_id = MESSAGE_CONTROL_FAILED};
    log_write(control->service->context.log, LOG_PRIORITY_WARNING, &fields,
              "exsyncctl can only be used by root: exsyncd may not give the control socket to "
              "the group " CONTROL_GROUP "; make its user a member (usermod -a -G " CONTROL_GROUP
              " USER) and restart exsyncd");
}

static void control_listen(struct control *control, const char *path)
{
    int error;
    control->listener = executor_listen(control->executor, path, control->group, control_connected,
                                        control, &error);
    if (control->listener == NULL && error == EPERM && control->group != (gid_t)-1) {
        control->listener =
            executor_listen(control->executor, path, (gid_t)-1, control_connected, control, &error);
        if (control->listener != NULL)
            report_no_group(control);
    }
    if (control->listener == NULL)
        report_failure(control, path, error);
}

/* --- for the service --- */

struct control *control_create(struct service *service, const char *path)
{
    if (path != NULL && strcmp(path, "none") == 0)
        return NULL;
    struct control *control = memory_allocate(sizeof *control);
    char *chosen = path == NULL ? default_path() : memory_copy_string(path);
    control->service = service;
    control->executor = service->context.executor;
    control->find = control_command_find;
    control->idle_ms = CONTROL_IDLE_MS;
    control->group = find_group();
    TAILQ_INIT(&control->sessions);
    control_listen(control, chosen);
    memory_free(chosen);
    if (control->listener != NULL)
        return control;
    control_free(control);
    return NULL;
}

void control_begin(struct control *control)
{
    struct control_session *session;
    if (control == NULL || control->begun)
        return;
    control->begun = true;
    TAILQ_FOREACH(session, &control->sessions, entries)
    control_session_wake(session);
}

void control_stop(struct control *control)
{
    if (control == NULL)
        return;
    executor_listener_close(control->listener);
    control->listener = NULL;
    while (!TAILQ_EMPTY(&control->sessions)) {
        struct control_session *session = TAILQ_FIRST(&control->sessions);
        control_session_refuse(session, EX_TEMPFAIL, "Stopping",
                               "exsyncd is being stopped; try again when it runs");
        control_session_close(session);
    }
}

void control_free(struct control *control)
{
    if (control == NULL)
        return;
    control_stop(control);
    memory_free(control);
}
