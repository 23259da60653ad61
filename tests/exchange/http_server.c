#include "http_server.h"

#include "access.h"
#include "base/memory.h"
#include "counters.h"
#include "delays.h"
#include "ews.h"
#include "faults.h"
#include "files.h"
#include "http_answer.h"
#include "listener.h"
#include "simulator.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CONNECTION_MEMORY = 128 * 1024, MOST_CONNECTIONS = 8192, GUID_TEXT = 37 };

static const char ews_path[] = "/EWS/Exchange.asmx";

struct http_server {
    struct simulator *simulator;
    struct http_server_settings settings;
    struct header_checks *checks;
    struct delays *delays;
    pthread_mutex_t delay_lock; /* guards is_stopping, and that nothing is delayed once it is set */
    bool is_stopping;
    struct MHD_Daemon *daemon;
    char *certificate; /* PEM; NULL: plain */
    char *key;
    char *url;
    uint16_t port;
    atomic_uint running;
    atomic_ullong request_number;
    atomic_uint connection_number;
};

/* What is remembered of a connection. */
struct client {
    bool is_signed_in;
    unsigned answers;
    unsigned server; /* of those behind the address, that it has come to */
};

/* One request on its way through the server. */
struct exchange {
    struct http_server *server;
    struct MHD_Connection *connection;
    struct client *client;
    enum {
        EXCHANGE_READING,  /* the body comes in */
        EXCHANGE_DELAYED,  /* answered, but the answer waits */
        EXCHANGE_ANSWERED, /* the answer is with the library */
    } state;
    struct buffer body;
    struct reply reply;
    struct ews_outcome outcome;
    bool is_counted; /* among the running ones */
};

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* -- Answers --------------------------------------------------------------- */

static void count_status(struct exchange *exchange, unsigned status)
{
    char text[16];
    snprintf(text, sizeof text, "%u", status);
    counters_add(exchange->server->simulator->counters, "status.", text, 1);
}

static enum MHD_Result queue(struct exchange *exchange, unsigned status,
                             struct MHD_Response *response)
{
    exchange->state = EXCHANGE_ANSWERED;
    exchange->client->answers++;
    count_status(exchange, status);
    enum MHD_Result result = MHD_queue_response(exchange->connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_plainly(struct exchange *exchange, unsigned status)
{
    static char nothing[] = "";
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT);
    if (status == MHD_HTTP_UNAUTHORIZED) {
        MHD_add_response_header(response, "WWW-Authenticate", "Basic realm=\"exchange\"");
        bool tried = header(exchange->connection, "Authorization") != NULL;
        counters_add(exchange->server->simulator->counters, tried ? "unauthorized" : "anonymous",
                     "", 1);
    }
    return queue(exchange, status, response);
}

static void add_headers(struct exchange *exchange, struct MHD_Response *response)
{
    struct MHD_Connection *connection = exchange->connection;
    char id[GUID_TEXT];
    unsigned long long number = atomic_fetch_add(&exchange->server->request_number, 1);
    snprintf(id, sizeof id, "%08llx-7ab5-4c2f-9d1e-%012llx", number & 0xFFFFFFFF, number);
    MHD_add_response_header(response, "Content-Type", "text/xml; charset=utf-8");
    MHD_add_response_header(response, "request-id", id);
    const char *client_id = header(connection, "client-request-id");
    const char *wants_id = header(connection, "return-client-request-id");
    if (client_id != NULL && wants_id != NULL && strcasecmp(wants_id, "true") == 0)
        MHD_add_response_header(response, "client-request-id", client_id);
    if (exchange->outcome.needs_cookie) {
        struct buffer cookie = {0};
        buffer_append_string(&cookie, "X-BackEndCookie=");
        header_checks_append_cookie(exchange->outcome.mailbox, &cookie);
        buffer_append_string(&cookie, "; path=/EWS; HttpOnly");
        MHD_add_response_header(response, "Set-Cookie", cookie.data);
        buffer_release(&cookie);
    }
}

/* Sends the answer that stands ready, or closes where a fault wants that. */
static enum MHD_Result send_answer(struct exchange *exchange)
{
    const struct fault *fault = exchange->outcome.fault;
    unsigned status;
    struct MHD_Response *response = http_answer(&exchange->reply, fault, exchange->outcome.breakage,
                                                exchange->server->certificate != NULL, &status);
    if (response == NULL)
        return MHD_NO;
    if (fault == NULL || fault->action != FAULT_HTTP)
        add_headers(exchange, response);
    return queue(exchange, status, response);
}

static void resume(void *context)
{
    struct exchange *exchange = context;
    MHD_resume_connection(exchange->connection);
}

/* The library must not be stopped while a connection is suspended: false when it is being stopped.
 */
static bool suspend(struct exchange *exchange, unsigned delay)
{
    struct http_server *server = exchange->server;
    pthread_mutex_lock(&server->delay_lock);
    bool may_suspend = !server->is_stopping;
    if (may_suspend) {
        exchange->state = EXCHANGE_DELAYED;
        MHD_suspend_connection(exchange->connection);
        delays_add(server->delays, delay, resume, exchange);
    }
    pthread_mutex_unlock(&server->delay_lock);
    return may_suspend;
}

static enum MHD_Result send_or_delay(struct exchange *exchange)
{
    const struct fault *fault = exchange->outcome.fault;
    unsigned delay =
        exchange->server->simulator->limits.latency_ms + (fault == NULL ? 0 : fault->delay_ms);
    return delay > 0 && suspend(exchange, delay) ? MHD_YES : send_answer(exchange);
}

/* -- Requests -------------------------------------------------------------- */

static const struct account *sign_in(struct exchange *exchange)
{
    struct simulator *simulator = exchange->server->simulator;
    if (simulator->proxy_user_header != NULL) {
        const char *user = header(exchange->connection, simulator->proxy_user_header);
        return user == NULL ? NULL : access_find(simulator->access, user);
    }
    char *password = NULL;
    char *name = MHD_basic_auth_get_username_password(exchange->connection, &password);
    const struct account *account =
        name == NULL || password == NULL ? NULL : access_sign_in(simulator->access, name, password);
    MHD_free(name);
    MHD_free(password);
    return account;
}

static void count_running(struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    unsigned running = atomic_fetch_add(&server->running, 1) + 1;
    exchange->is_counted = true;
    counters_raise(server->simulator->counters, "concurrency.peak", "", running);
}

/* The whole request is there. */
static enum MHD_Result answer_request(struct exchange *exchange)
{
    struct simulator *simulator = exchange->server->simulator;
    const struct account *account = sign_in(exchange);
    if (account == NULL)
        return answer_plainly(exchange, MHD_HTTP_UNAUTHORIZED);
    if (!exchange->client->is_signed_in) {
        exchange->client->is_signed_in = true;
        counters_add(simulator->counters, "sign_ins", "", 1);
    }
    count_running(exchange);
    struct ews_request request = {.body = buffer_string(&exchange->body),
                                  .length = exchange->body.length,
                                  .account = account,
                                  .headers = {header(exchange->connection, "X-AnchorMailbox"),
                                              header(exchange->connection, "client-request-id"),
                                              header(exchange->connection, "Cookie")},
                                  .server = exchange->client->server,
                                  .is_reused = exchange->client->answers > 0};
    ews_answer(simulator, exchange->server->checks, &request, &exchange->reply, &exchange->outcome);
    buffer_release(&exchange->body);
    return send_or_delay(exchange);
}

/* The header of a request is there: refuses what need not be read. */
static enum MHD_Result begin_request(struct exchange *exchange, const char *url, const char *method)
{
    struct simulator *simulator = exchange->server->simulator;
    struct fault_target target = {NULL, header(exchange->connection, "X-AnchorMailbox"),
                                  exchange->client->answers > 0};
    const char *length_text = header(exchange->connection, "Content-Length");
    size_t length = length_text == NULL ? 0 : (size_t)strtoull(length_text, NULL, 10);
    if (faults_meet(simulator->faults, &target, true) != NULL) {
        counters_add(simulator->counters, "faults", "", 1);
        return MHD_NO;
    }
    if (strcasecmp(url, ews_path) != 0)
        return answer_plainly(exchange, MHD_HTTP_NOT_FOUND);
    if (strcmp(method, "POST") != 0)
        return answer_plainly(exchange, MHD_HTTP_METHOD_NOT_ALLOWED);
    if (length > simulator->limits.request_size)
        return answer_plainly(exchange, simulator->limits.too_large_status);
    buffer_reserve(&exchange->body, length);
    return MHD_YES;
}

static struct exchange *create_exchange(struct http_server *server,
                                        struct MHD_Connection *connection)
{
    struct exchange *exchange = memory_allocate(sizeof *exchange);
    exchange->server = server;
    exchange->connection = connection;
    exchange->client =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    return exchange;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *data_length, void **request)
{
    (void)version;
    struct exchange *exchange = *request;
    if (exchange == NULL) {
        *request = exchange = create_exchange(context, connection);
        return begin_request(exchange, url, method);
    }
    if (exchange->state == EXCHANGE_DELAYED)
        return send_answer(exchange);
    if (exchange->state == EXCHANGE_ANSWERED) { /* what is left of a refused body */
        *data_length = 0;
        return MHD_YES;
    }
    if (*data_length == 0)
        return answer_request(exchange);
    if (exchange->body.length + *data_length > exchange->server->simulator->limits.request_size)
        return MHD_NO;
    buffer_append(&exchange->body, data, *data_length);
    *data_length = 0;
    return MHD_YES;
}

static void completed(void *context, struct MHD_Connection *connection, void **request,
                      enum MHD_RequestTerminationCode code)
{
    (void)connection, (void)code;
    struct http_server *server = context;
    struct exchange *exchange = *request;
    if (exchange == NULL)
        return;
    ews_finish(&exchange->outcome);
    if (exchange->is_counted)
        atomic_fetch_sub(&server->running, 1);
    buffer_release(&exchange->body);
    reply_release(&exchange->reply);
    memory_free(exchange);
    *request = NULL;
}

static void connection_changed(void *context, struct MHD_Connection *connection, void **client,
                               enum MHD_ConnectionNotificationCode code)
{
    (void)connection;
    struct http_server *server = context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        counters_add(server->simulator->counters, "connections", "", 1);
        struct client *connected = memory_allocate(sizeof *connected);
        connected->server = atomic_fetch_add(&server->connection_number, 1) % ACCESS_SERVERS;
        *client = connected;
    } else {
        memory_free(*client);
        *client = NULL;
    }
}

/* -- The server ------------------------------------------------------------ */

static bool start_daemon(struct http_server *server)
{
    struct MHD_OptionItem options[8];
    size_t count = 0;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO;
    if (server->settings.threads > 1)
        options[count++] =
            (struct MHD_OptionItem){MHD_OPTION_THREAD_POOL_SIZE, server->settings.threads, NULL};
    if (server->certificate != NULL) {
        flags |= MHD_USE_TLS;
        options[count++] =
            (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, server->certificate};
        options[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, server->key};
    }
    options[count] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    int socket = listener_open(&server->port); /* the library closes it, in any case */
    if (socket < 0)
        return false;
    server->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, handle, server, MHD_OPTION_LISTEN_SOCKET, socket,
        MHD_OPTION_NOTIFY_COMPLETED, completed, server, MHD_OPTION_NOTIFY_CONNECTION,
        connection_changed, server, MHD_OPTION_CONNECTION_LIMIT, (unsigned)MOST_CONNECTIONS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_ARRAY, options,
        MHD_OPTION_END);
    return server->daemon != NULL;
}

static void set_stopping(struct http_server *server, bool is_stopping)
{
    pthread_mutex_lock(&server->delay_lock);
    server->is_stopping = is_stopping;
    pthread_mutex_unlock(&server->delay_lock);
}

static void stop_daemon(struct http_server *server)
{
    if (server->daemon == NULL)
        return;
    set_stopping(server, true);
    delays_flush(server->delays);
    MHD_stop_daemon(server->daemon);
    set_stopping(server, false);
    server->daemon = NULL;
}

/* Reads both files; false when one cannot be read. */
static bool read_certificate(const char *certificate_file, const char *key_file, char **certificate,
                             char **key)
{
    struct buffer certificate_text = {0};
    struct buffer key_text = {0};
    bool is_read = key_file != NULL && file_read(certificate_file, &certificate_text) &&
                   file_read(key_file, &key_text);
    *certificate = buffer_take(&certificate_text);
    *key = buffer_take(&key_text);
    if (!is_read) {
        memory_free(*certificate);
        memory_free(*key);
        *certificate = *key = NULL;
    }
    return is_read;
}

static const char *start(struct http_server *server)
{
    const struct http_server_settings *settings = &server->settings;
    server->port = settings->port;
    if (settings->certificate != NULL &&
        !read_certificate(settings->certificate, settings->key, &server->certificate, &server->key))
        return "the certificate or its key cannot be read";
    if (!start_daemon(server))
        return "the port is taken, or the certificate cannot be used";
    struct buffer url = {0};
    buffer_append_format(&url, "%s://127.0.0.1:%u%s",
                         server->certificate == NULL ? "http" : "https", server->port, ews_path);
    server->url = buffer_take(&url);
    return NULL;
}

struct http_server *http_server_start(struct simulator *simulator,
                                      const struct http_server_settings *settings,
                                      const char **error)
{
    struct http_server *server = memory_allocate(sizeof *server);
    server->simulator = simulator;
    server->settings = *settings;
    server->checks = header_checks_create(simulator->counters);
    server->delays = delays_create();
    pthread_mutex_init(&server->delay_lock, NULL);
    *error = start(server);
    if (*error == NULL)
        return server;
    http_server_stop(server);
    return NULL;
}

const char *http_server_url(const struct http_server *server)
{
    return server->url;
}

bool http_server_set_certificate(struct http_server *server, const char *certificate,
                                 const char *key)
{
    char *new_certificate;
    char *new_key;
    if (server->certificate == NULL ||
        !read_certificate(certificate, key, &new_certificate, &new_key))
        return false;
    char *old_certificate = server->certificate;
    char *old_key = server->key;
    stop_daemon(server);
    server->certificate = new_certificate;
    server->key = new_key;
    bool is_started = start_daemon(server);
    if (!is_started) {
        server->certificate = old_certificate;
        server->key = old_key;
        start_daemon(server);
    }
    memory_free(is_started ? old_certificate : new_certificate);
    memory_free(is_started ? old_key : new_key);
    return is_started;
}

void http_server_stop(struct http_server *server)
{
    stop_daemon(server);
    delays_free(server->delays);
    header_checks_free(server->checks);
    pthread_mutex_destroy(&server->delay_lock);
    memory_free(server->certificate);
    memory_free(server->key);
    memory_free(server->url);
    memory_free(server);
}
