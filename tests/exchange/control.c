#include "control.h"

#include "base/memory.h"
#include "control_command.h"
#include "listener.h"

#include <microhttpd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct control {
    struct simulator *simulator;
    struct http_server *server;
    struct MHD_Daemon *daemon;
    char *url;
};

static const struct {
    const char *path;
    command_function *carry_out;
} commands[] = {
    {"/counters", command_counters},
    {"/mailboxes", command_mailboxes},
    {"/add-mailbox", command_add_mailbox},
    {"/folders", command_folders},
    {"/create-folder", command_create_folder},
    {"/renew-ids", command_renew_ids},
    {"/items", command_items},
    {"/mime", command_mime},
    {"/add-mail", command_add_mail},
    {"/change", command_change},
    {"/move", command_move},
    {"/copy", command_copy},
    {"/delete", command_delete},
    {"/spoil", command_spoil},
    {"/fault", command_fault},
    {"/faults", command_faults},
    {"/clear-faults", command_clear_faults},
    {"/account", command_account},
    {"/impersonation", command_impersonation},
    {"/limits", command_limits},
    {"/transport", command_transport},
    {"/certificate", command_certificate},
};

/* -- Parameters ------------------------------------------------------------ */

const char *command_text(const struct command *command, const char *name)
{
    return MHD_lookup_connection_value(command->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *command_required(struct command *command, const char *name)
{
    const char *text = command_text(command, name);
    if (text == NULL)
        command_fail(command, "the parameter %s is needed", name);
    return text;
}

bool command_number(struct command *command, const char *name, uint64_t *number)
{
    const char *text = command_text(command, name);
    if (text == NULL)
        return false;
    char *end;
    unsigned long long read = strtoull(text, &end, 10);
    if (end == text || *end != '\0' || *text == '-' || read > UINT32_MAX) {
        command_fail(command, "%s=%s is not a number in range", name, text);
        return false;
    }
    *number = read;
    return true;
}

bool command_flag(const struct command *command, const char *name)
{
    const char *text = command_text(command, name);
    return text != NULL && (strcmp(text, "1") == 0 || strcasecmp(text, "true") == 0 ||
                            strcasecmp(text, "yes") == 0);
}

void command_fail(struct command *command, const char *format, ...)
{
    if (command->error.length > 0)
        return;
    va_list arguments;
    va_start(arguments, format);
    buffer_append_format_list(&command->error, format, arguments);
    va_end(arguments);
}

bool command_has_failed(const struct command *command)
{
    return command->error.length > 0;
}

/* -- HTTP ------------------------------------------------------------------ */

static void free_answer(void *context)
{
    free(context);
}

static enum MHD_Result send_result(struct command *command, unsigned status)
{
    char *text;
    size_t length;
    if (command->is_raw && status == MHD_HTTP_OK) {
        length = command->bytes.length;
        text = buffer_take(&command->bytes);
    } else {
        text = json_dumps(command->answer, JSON_INDENT(2) | JSON_SORT_KEYS);
        length = strlen(text);
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback(length, text, free_answer);
    MHD_add_response_header(response, "Content-Type",
                            command->is_raw ? "application/octet-stream" : "application/json");
    enum MHD_Result result = MHD_queue_response(command->connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer(struct control *control, struct MHD_Connection *connection,
                              const char *url, const struct buffer *body)
{
    struct command command = {.simulator = control->simulator,
                              .server = control->server,
                              .connection = connection,
                              .body = body,
                              .answer = json_object()};
    size_t at = 0;
    while (at < sizeof commands / sizeof *commands && strcmp(commands[at].path, url) != 0)
        at++;
    unsigned status = MHD_HTTP_OK;
    if (at == sizeof commands / sizeof *commands) {
        command_fail(&command, "there is no command %s", url);
        status = MHD_HTTP_NOT_FOUND;
    } else {
        commands[at].carry_out(&command);
        if (command_has_failed(&command))
            status = MHD_HTTP_BAD_REQUEST;
    }
    if (command_has_failed(&command)) {
        json_object_clear(command.answer);
        json_object_set_new(command.answer, "error", json_string(buffer_string(&command.error)));
    }
    enum MHD_Result result = send_result(&command, status);
    json_decref(command.answer);
    buffer_release(&command.bytes);
    buffer_release(&command.error);
    return result;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *data_length, void **request)
{
    (void)method, (void)version;
    struct buffer *body = *request;
    if (body == NULL) {
        *request = memory_allocate(sizeof *body);
        return MHD_YES;
    }
    if (*data_length > 0) {
        buffer_append(body, data, *data_length);
        *data_length = 0;
        return MHD_YES;
    }
    return answer(context, connection, url, body);
}

static void completed(void *context, struct MHD_Connection *connection, void **request,
                      enum MHD_RequestTerminationCode code)
{
    (void)context, (void)connection, (void)code;
    struct buffer *body = *request;
    if (body != NULL)
        buffer_release(body);
    memory_free(body);
    *request = NULL;
}

struct control *control_start(struct simulator *simulator, struct http_server *server,
                              uint16_t port)
{
    int listener = listener_open(&port);
    if (listener < 0)
        return NULL;
    struct control *control = memory_allocate(sizeof *control);
    control->simulator = simulator;
    control->server = server;
    struct buffer url = {0};
    buffer_append_format(&url, "http://127.0.0.1:%u", port);
    control->url = buffer_take(&url);
    control->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, handle, control, MHD_OPTION_LISTEN_SOCKET,
        listener, MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_END);
    if (control->daemon != NULL)
        return control;
    control_stop(control);
    return NULL;
}

const char *control_url(const struct control *control)
{
    return control->url;
}

void control_stop(struct control *control)
{
    if (control->daemon != NULL)
        MHD_stop_daemon(control->daemon);
    memory_free(control->url);
    memory_free(control);
}
