#define _GNU_SOURCE
#include "control/control_client.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "control/control_line.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

enum { GREETING_MS = 10 * 1000, PIECE = 64 << 10, VERSION_SIZE = 64 };

struct control_client {
    int descriptor;
    struct control_lines lines;
    char version[VERSION_SIZE]; /* of the daemon */
    json_int_t id;              /* of the request that is under way, or was the last */
    bool ended;                 /* nothing more can be read */
    char piece[PIECE];
};

/* --- problems --- */

__attribute__((format(printf, 4, 5))) static void
problem_set(struct control_problem *problem, int exit, const char *code, const char *format, ...)
{
    char text[CONTROL_TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    problem->exit = exit;
    snprintf(problem->code, sizeof problem->code, "%s", code);
    text_copy_line(problem->text, sizeof problem->text, text,
                   length < 0 ? 0 : strnlen(text, sizeof text));
}

static void problem_lost(struct control_problem *problem)
{
    problem_set(problem, EX_TEMPFAIL, "ConnectionLost",
                "exsyncd has closed the connection before it had answered; it may have been "
                "stopped: see its log");
}

static void problem_bad_answer(struct control_problem *problem, const char *why)
{
    problem_set(problem, EX_PROTOCOL, "BadAnswer",
                "what answers at the socket does not speak as exsyncd does (%s); check --socket",
                why);
}

static void problem_connect(struct control_problem *problem, const char *path, int error)
{
    switch (error) {
    case ENOENT:
    case ECONNREFUSED:
    case ENOTDIR:
        problem_set(problem, EX_UNAVAILABLE, "NotRunning",
                    "exsyncd is not running, as nobody listens at %s; start it (systemctl start "
                    "exsyncd, where it is a service; journalctl -u exsyncd tells why it ended), or "
                    "name its control_socket with --socket",
                    path);
        break;
    case EACCES:
    case EPERM:
        problem_set(problem, EX_NOPERM, "NotAllowed",
                    "you may not administer exsyncd: %s is for root and the group " CONTROL_GROUP
                    "; become root, or join the group with usermod -a -G " CONTROL_GROUP
                    " USER and log in anew",
                    path);
        break;
    case EAGAIN:
        problem_set(problem, EX_TEMPFAIL, "NoAnswer",
                    "exsyncd takes no connection at %s, too many others wait for it; try again",
                    path);
        break;
    default:
        problem_set(problem, EX_UNAVAILABLE, "NotRunning",
                    "cannot connect to %s: %s; check "
                    "--socket",
                    path, strerror(error));
    }
}

/* What the daemon says of an error; an `exit` that is none becomes EX_SOFTWARE. */
static void problem_of_daemon(struct control_problem *problem, const json_t *error)
{
    const char *code = json_string_value(json_object_get(error, "code"));
    const char *message = json_string_value(json_object_get(error, "message"));
    json_int_t exit = json_integer_value(json_object_get(error, "exit"));
    problem_set(problem, exit > 0 && exit < 256 ? (int)exit : EX_SOFTWARE,
                code == NULL ? "Unknown" : code, "%s",
                message == NULL ? "exsyncd refuses and does not say why" : message);
}

/* --- reading --- */

/* Milliseconds until the deadline, for poll(2); -1 without one. */
static int time_left(uint64_t deadline_ms)
{
    uint64_t now = clock_monotonic_ms();
    if (deadline_ms == UINT64_MAX)
        return -1;
    if (now >= deadline_ms)
        return 0;
    return deadline_ms - now > INT_MAX ? INT_MAX : (int)(deadline_ms - now);
}

/* Waits for a piece. False when none has come by the deadline. */
static bool read_piece(struct control_client *client, uint64_t deadline_ms)
{
    struct pollfd polled = {.fd = client->descriptor, .events = POLLIN};
    int ready;
    do
        ready = poll(&polled, 1, time_left(deadline_ms));
    while (ready < 0 && errno == EINTR);
    if (ready == 0)
        return false;
    ssize_t length;
    do
        length = recv(client->descriptor, client->piece, sizeof client->piece, 0);
    while (length < 0 && errno == EINTR);
    if (length > 0)
        control_lines_add(&client->lines, client->piece, (size_t)length);
    else
        client->ended = true;
    return true;
}

/* CONTROL_ANSWER: `*line` is one. CONTROL_FAILED: there will be none. */
static enum control_next read_line(struct control_client *client, uint64_t deadline_ms,
                                   json_t **line, struct control_problem *problem)
{
    char wrong[160];
    for (;;) {
        switch (control_lines_take(&client->lines, line, wrong, sizeof wrong)) {
        case CONTROL_LINE_TAKEN:
            return CONTROL_ANSWER;
        case CONTROL_LINE_BLANK:
            continue;
        case CONTROL_LINE_TOO_LONG:
            problem_bad_answer(problem, "a line without end");
            return CONTROL_FAILED;
        case CONTROL_LINE_WRONG:
            problem_bad_answer(problem, wrong);
            return CONTROL_FAILED;
        case CONTROL_LINE_NONE:
            break;
        }
        if (client->ended) {
            problem_lost(problem);
            return CONTROL_FAILED;
        }
        if (!read_piece(client, deadline_ms))
            return CONTROL_TIMEOUT;
    }
}

/* --- connecting --- */

static bool client_connect(struct control_client *client, const char *path,
                           struct control_problem *problem)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        problem_set(problem, EX_USAGE, "NotRunning",
                    "%s is too long for the path of a socket (%zu bytes at most)", path,
                    sizeof address.sun_path - 1);
        return false;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    client->descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* A daemon that takes no connections would make connect(2) wait for ever. */
    const struct timeval patience = {.tv_sec = GREETING_MS / 1000};
    if (client->descriptor >= 0)
        setsockopt(client->descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (client->descriptor >= 0 &&
        connect(client->descriptor, (const struct sockaddr *)&address, sizeof address) == 0)
        return true;
    problem_connect(problem, path, errno);
    return false;
}

static bool check_greeting(struct control_client *client, const json_t *greeting,
                           struct control_problem *problem)
{
    const json_t *error = json_object_get(greeting, "error");
    const char *version = json_string_value(json_object_get(greeting, "exsyncd"));
    const json_t *protocol = json_object_get(greeting, "control");
    if (error != NULL) {
        problem_of_daemon(problem, error);
        return false;
    }
    if (version == NULL || !json_is_integer(protocol)) {
        problem_bad_answer(problem, "no greeting");
        return false;
    }
    snprintf(client->version, sizeof client->version, "%s", version);
    if (json_integer_value(protocol) == CONTROL_VERSION)
        return true;
    problem_set(problem, EX_PROTOCOL, "OtherVersion",
                "exsyncd %s and this exsyncctl " EXSYNC_VERSION
                " do not understand each other (control %lld and %d); install both of one "
                "version, and restart exsyncd",
                version, (long long)json_integer_value(protocol), CONTROL_VERSION);
    return false;
}

static bool client_greet(struct control_client *client, struct control_problem *problem)
{
    json_t *greeting;
    enum control_next next =
        read_line(client, clock_monotonic_ms() + GREETING_MS, &greeting, problem);
    if (next == CONTROL_TIMEOUT)
        problem_set(problem, EX_TEMPFAIL, "NoAnswer", "exsyncd does not answer; see its log");
    if (next != CONTROL_ANSWER)
        return false;
    bool right = check_greeting(client, greeting, problem);
    json_decref(greeting);
    return right;
}

struct control_client *control_client_connect(const char *path, struct control_problem *problem)
{
    struct control_client *client = memory_allocate(sizeof *client);
    client->descriptor = -1;
    client->lines.limit = CONTROL_ANSWER_LIMIT;
    if (client_connect(client, path, problem) && client_greet(client, problem))
        return client;
    control_client_free(client);
    return NULL;
}

void control_client_free(struct control_client *client)
{
    if (client == NULL)
        return;
    if (client->descriptor >= 0)
        close(client->descriptor);
    control_lines_release(&client->lines);
    memory_free(client);
}

const char *control_client_daemon_version(const struct control_client *client)
{
    return client->version;
}

/* --- requests --- */

static bool send_all(struct control_client *client, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(client->descriptor, bytes, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        bytes += sent;
        length -= (size_t)sent;
    }
    return true;
}

bool control_client_call(struct control_client *client, json_t *request,
                         struct control_problem *problem)
{
    struct buffer line = {0};
    json_object_set_new(request, "id", json_integer(++client->id));
    bool fits = control_line_append(&line, request, CONTROL_REQUEST_LIMIT);
    if (!fits)
        problem_set(problem, EX_USAGE, "BadRequest",
                    "what was given is too long, or is no UTF-8 text");
    bool sent = fits && send_all(client, buffer_string(&line), line.length);
    if (fits && !sent)
        problem_lost(problem);
    buffer_release(&line);
    json_decref(request);
    return sent;
}

/* Whether the line belongs to the request that is under way; a line without an id to all. */
static bool is_mine(const struct control_client *client, const json_t *line)
{
    const json_t *id = json_object_get(line, "id");
    return id == NULL || json_integer_value(id) == client->id;
}

enum control_next control_client_next(struct control_client *client, int timeout_ms,
                                      json_t **answer, struct control_problem *problem)
{
    uint64_t deadline = timeout_ms < 0 ? UINT64_MAX : clock_monotonic_ms() + (unsigned)timeout_ms;
    enum control_next next;
    *answer = NULL;
    do {
        json_decref(*answer);
        next = read_line(client, deadline, answer, problem);
    } while (next == CONTROL_ANSWER && !is_mine(client, *answer));
    if (next != CONTROL_ANSWER)
        return next;
    json_object_del(*answer, "id");
    if (!json_is_true(json_object_get(*answer, "end")))
        return CONTROL_ANSWER;
    const json_t *error = json_object_get(*answer, "error");
    if (error != NULL)
        problem_of_daemon(problem, error);
    next = error != NULL ? CONTROL_FAILED : CONTROL_END;
    json_decref(*answer);
    *answer = NULL;
    return next;
}
