/* A connection: lines in, answers out, neither without bound. */
#include "base/memory.h"
#include "daemon/control_private.h"

#include <stdio.h>
#include <sysexits.h>

static void session_turn(void *argument);

/* --- going out --- */

bool control_session_has_room(const struct control_session *session)
{
    return !session->doomed && executor_socket_waiting(session->socket) < CONTROL_ROOM;
}

/* The client is dropped in a later turn: a command is at work now. */
static void session_doom(struct control_session *session)
{
    session->doomed = true;
    control_session_wake(session);
}

bool control_session_send(struct control_session *session, const json_t *object)
{
    if (session->doomed)
        return true;
    buffer_clear(&session->line);
    if (!control_line_append(&session->line, object, CONTROL_ANSWER_LIMIT))
        return false;
    executor_socket_write(session->socket, session->line.data, session->line.length);
    if (executor_socket_waiting(session->socket) > CONTROL_WAITING_LIMIT)
        session_doom(session);
    return true;
}

void control_session_refuse(struct control_session *session, int exit, const char *code,
                            const char *message)
{
    json_t *line = json_pack("{s:b,s:o}", "end", true, "error", control_error(exit, code, message));
    control_session_send(session, line);
    json_decref(line);
    session_doom(session);
}

static void session_sent(void *argument)
{
    struct control_session *session = argument;
    struct control_request *request;
    session->moved_ms = executor_now(session->control->executor);
    if (!control_session_has_room(session))
        return;
    TAILQ_FOREACH(request, &session->requests, entries)
    control_request_room(request);
    control_session_wake(session);
}

/* --- coming in --- */

static bool session_may_take(const struct control_session *session)
{
    return session->control->begun && session->request_count < CONTROL_REQUESTS &&
           control_session_has_room(session);
}

/* All that has come was taken. The session may be no more afterwards. */
static void session_wait_for_more(struct control_session *session)
{
    if (!session->ended)
        executor_socket_read(session->socket, true);
    else if (session->request_count == 0 && executor_socket_waiting(session->socket) == 0)
        control_session_close(session);
}

/* Takes one line. False when there is none, or no more are wanted. */
static bool session_take_line(struct control_session *session)
{
    char wrong[160], text[320];
    json_t *object;
    switch (control_lines_take(&session->lines, &object, wrong, sizeof wrong)) {
    case CONTROL_LINE_NONE:
        session_wait_for_more(session);
        return false;
    case CONTROL_LINE_BLANK:
        return true;
    case CONTROL_LINE_TAKEN:
        control_request_start(session, object);
        return true;
    case CONTROL_LINE_TOO_LONG:
        snprintf(text, sizeof text, "a request is longer than %d bytes", CONTROL_REQUEST_LIMIT);
        control_session_refuse(session, EX_PROTOCOL, "TooLong", text);
        return false;
    case CONTROL_LINE_WRONG:
        snprintf(text, sizeof text, "a line is no request: %s; each is one JSON object", wrong);
        control_session_refuse(session, EX_PROTOCOL, "NoRequest", text);
        return false;
    }
    return false;
}

static void session_take_lines(struct control_session *session)
{
    for (unsigned taken = 0; session_may_take(session); taken++) {
        if (taken == CONTROL_TURN_LINES) { /* the others have their turn */
            control_session_wake(session);
            break;
        }
        if (!session_take_line(session))
            return;
    }
    executor_socket_read(session->socket, false);
}

static void session_turn(void *argument)
{
    struct control_session *session = argument;
    if (session->doomed)
        control_session_close(session);
    else
        session_take_lines(session);
}

void control_session_wake(struct control_session *session)
{
    executor_defer(session->control->executor, &session->turn, session_turn, session);
}

static void session_received(void *argument, const char *bytes, size_t length)
{
    struct control_session *session = argument;
    session->moved_ms = executor_now(session->control->executor);
    if (session->doomed)
        return;
    control_lines_add(&session->lines, bytes, length);
    session_take_lines(session);
}

static void session_ended(void *argument, bool gone)
{
    struct control_session *session = argument;
    session->ended = true;
    if (gone)
        control_session_close(session);
    else
        control_session_wake(session);
}

/* --- beginning and end --- */

static void session_tick(void *argument);

static void session_await_tick(struct control_session *session)
{
    uint64_t idle_ms = session->control->idle_ms;
    executor_after(session->control->executor, &session->tick,
                   idle_ms < CONTROL_TICK_MS ? idle_ms : CONTROL_TICK_MS, session_tick, session);
}

/* A request may take its time in silence; a client may not when it is to read, or to ask. */
static void session_tick(void *argument)
{
    struct control_session *session = argument;
    bool works = session->request_count > 0 && executor_socket_waiting(session->socket) == 0;
    uint64_t now = executor_now(session->control->executor);
    if (works)
        session->moved_ms = now;
    if (executor_socket_is_gone(session->socket) ||
        now - session->moved_ms >= session->control->idle_ms)
        control_session_close(session);
    else
        session_await_tick(session);
}

static void session_greet(struct control_session *session)
{
    json_t *greeting =
        json_pack("{s:s,s:i}", "exsyncd", EXSYNC_VERSION, "control", CONTROL_VERSION);
    control_session_send(session, greeting);
    json_decref(greeting);
}

void control_session_open(struct control *control, struct executor_socket *socket)
{
    static const struct executor_socket_events events = {session_received, session_ended,
                                                         session_sent};
    struct control_session *session = memory_allocate(sizeof *session);
    session->control = control;
    session->socket = socket;
    session->lines.limit = CONTROL_REQUEST_LIMIT;
    session->moved_ms = executor_now(control->executor);
    TAILQ_INIT(&session->requests);
    TAILQ_INSERT_TAIL(&control->sessions, session, entries);
    control->session_count++;
    session_await_tick(session);
    executor_socket_begin(socket, &events, session);
    session_greet(session);
}

void control_session_close(struct control_session *session)
{
    struct control *control = session->control;
    while (!TAILQ_EMPTY(&session->requests))
        control_request_drop(TAILQ_FIRST(&session->requests));
    executor_socket_close(session->socket);
    executor_cancel_call(control->executor, &session->turn);
    executor_cancel_timer(control->executor, &session->tick);
    TAILQ_REMOVE(&control->sessions, session, entries);
    control->session_count--;
    control_lines_release(&session->lines);
    buffer_release(&session->line);
    memory_free(session);
}
