/* A request: from its line to its end, and what its command is given. */
#include "base/memory.h"
#include "base/text.h"
#include "daemon/control_private.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

enum { MESSAGE_SIZE = 1024 };

json_t *control_error(int exit, const char *code, const char *message)
{
    char line[MESSAGE_SIZE];
    text_copy_line(line, sizeof line, message, strlen(message));
    return json_pack("{s:s,s:s,s:i}", "code", code, "message", line, "exit", exit);
}

/* --- the life of a request --- */

static void request_free(struct control_request *request)
{
    struct control_session *session = request->session;
    executor_cancel_call(session->control->executor, &request->call);
    TAILQ_REMOVE(&session->requests, request, entries);
    session->request_count--;
    json_decref(request->object);
    memory_free(request->address);
    memory_free(request);
}

void control_request_drop(struct control_request *request)
{
    void (*gone)(void *state) = request->gone;
    void *state = request->state;
    request_free(request);
    if (gone != NULL)
        gone(state);
}

static bool id_is_under_way(const struct control_session *session, json_int_t id)
{
    const struct control_request *other;
    TAILQ_FOREACH(other, &session->requests, entries)
    {
        if (other->id == id)
            return true;
    }
    return false;
}

static struct control_request *request_create(struct control_session *session, json_t *object)
{
    struct control_request *request = memory_allocate(sizeof *request);
    request->session = session;
    request->object = object;
    request->id = json_integer_value(json_object_get(object, "id"));
    TAILQ_INSERT_TAIL(&session->requests, request, entries);
    session->request_count++;
    return request;
}

static void request_dispatch(struct control_request *request)
{
    const char *name = control_text(request, "command");
    const struct control_command *command =
        name == NULL ? NULL : request->session->control->find(name);
    if (name == NULL)
        control_fail(request, EX_PROTOCOL, "NoCommand",
                     "the request names no command; its member \"command\" is to be a text");
    else if (command == NULL)
        control_fail(request, EX_UNAVAILABLE, "UnknownCommand",
                     "exsyncd " EXSYNC_VERSION " does not know the command \"%.64s\"; install "
                     "exsyncctl and exsyncd of one version, and restart exsyncd",
                     name);
    else
        command->start(request);
}

void control_request_start(struct control_session *session, json_t *object)
{
    const json_t *id = json_object_get(object, "id");
    bool right = json_is_integer(id) && !id_is_under_way(session, json_integer_value(id));
    if (right) {
        request_dispatch(request_create(session, object));
        return;
    }
    if (!json_is_integer(id))
        control_session_refuse(session, EX_PROTOCOL, "NoId",
                               "a request has no id, or one that is no whole number");
    else
        control_session_refuse(session, EX_PROTOCOL, "IdInUse",
                               "a request has the id of another one that is under way");
    json_decref(object);
}

/* --- what was asked --- */

uint32_t control_user(const struct control_request *request)
{
    return (uint32_t)executor_socket_user(request->session->socket);
}

const json_t *control_arguments(const struct control_request *request)
{
    return request->object;
}

const char *control_text(const struct control_request *request, const char *name)
{
    const char *text = json_string_value(json_object_get(request->object, name));
    return text == NULL || text[0] == '\0' ? NULL : text;
}

const char *control_address(struct control_request *request, const char *name)
{
    if (request->address != NULL)
        return request->address;
    request->address = memory_copy_string(control_text(request, name));
    for (char *next = request->address; next != NULL && *next != '\0'; next++)
        *next = (char)tolower((unsigned char)*next);
    return request->address;
}

bool control_flag(const struct control_request *request, const char *name)
{
    return json_is_true(json_object_get(request->object, name));
}

struct service *control_service(const struct control_request *request)
{
    return request->session->control->service;
}

/* --- what comes of it --- */

void control_reply(struct control_request *request, json_t *object)
{
    if (object == NULL || json_object_set_new(object, "id", json_integer(request->id)) != 0 ||
        !control_session_send(request->session, object))
        request->untold++;
    json_decref(object);
}

bool control_ready(const struct control_request *request)
{
    return control_session_has_room(request->session);
}

static void request_go_on(void *argument)
{
    struct control_request *request = argument;
    void (*ready)(struct control_request * request) = request->ready;
    if (ready == NULL || !control_ready(request))
        return;
    request->ready = NULL;
    ready(request);
}

void control_request_room(struct control_request *request)
{
    if (request->ready != NULL)
        executor_defer(request->session->control->executor, &request->call, request_go_on, request);
}

void control_on_ready(struct control_request *request,
                      void (*ready)(struct control_request *request))
{
    request->ready = ready;
    control_request_room(request);
}

void control_keep(struct control_request *request, void *state, void (*gone)(void *state))
{
    request->state = state;
    request->gone = gone;
}

void *control_state(const struct control_request *request)
{
    return request->state;
}

/* Takes the reference of `error`; NULL: success. */
static void request_end(struct control_request *request, json_t *error)
{
    struct control_session *session = request->session;
    json_t *line = json_pack("{s:I,s:b}", "id", request->id, "end", true);
    if (error != NULL)
        json_object_set_new(line, "error", error);
    control_session_send(session, line);
    json_decref(line);
    request_free(request);
    session->moved_ms = executor_now(session->control->executor);
    control_session_wake(session);
}

void control_end(struct control_request *request)
{
    if (request->untold > 0)
        control_fail(request, EX_SOFTWARE, "Untold",
                     "%u of the answers could not be told: too long, or no valid UTF-8",
                     request->untold);
    else
        request_end(request, NULL);
}

void control_fail(struct control_request *request, int exit, const char *code, const char *format,
                  ...)
{
    char message[MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    request_end(request, control_error(exit, code, length < 0 ? "" : message));
}
