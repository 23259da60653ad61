#define _GNU_SOURCE /* linux/sockios.h */
#include "http/http_private.h"

#include "base/clock.h"
#include "base/memory.h"
#include "http/http_cookies.h"
#include "http/http_headers.h"

#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>

enum {
    HEAD_LIMIT = 256 * 1024, /* bytes of head in one attempt, 1xx answers included */
    REFUSAL_BODY_LIMIT =
        64 * 1024,          /* bytes of a 401's body that are read for the connection's sake */
    CONNECTION_AGE_S = 110, /* IIS closes connections that are idle for 120 s */
};

void http_transfer_note_activity(struct http_transfer *transfer)
{
    transfer->active_ms = executor_now(transfer->client->executor);
}

/* --- the answer on its way in --- */

static void take_status(struct http_transfer *transfer, uint16_t status)
{
    transfer->status = status;
    transfer->retry_after_ms = 0;
    if (status == 401) {
        transfer->challenged = true;
        transfer->unanswered = false;
    }
}

static void take_field(struct http_transfer *transfer, const char *line, size_t length)
{
    const char *value;
    size_t value_length;
    char **cookies = transfer->request->cookies;
    if (cookies != NULL && http_headers_field(line, length, "Set-Cookie", &value, &value_length))
        http_cookies_set(cookies, value, value_length, clock_wall_ms());
    else if (http_headers_field(line, length, "Retry-After", &value, &value_length))
        transfer->retry_after_ms = http_headers_retry_after(value, value_length, clock_wall_ms());
}

/* libcurl stops sending when it is refused, but a transfer whose body is paused does not end. */
static void take_head(struct http_transfer *transfer)
{
    http_pool_note_status(transfer, transfer->status);
    if (transfer->status >= 300)
        http_upload_continue(transfer);
}

static size_t on_header(char *line, size_t size, size_t count, void *argument)
{
    struct http_transfer *transfer = argument;
    size_t length = size * count;
    if (transfer->abandoned)
        return 0;
    http_transfer_note_activity(transfer);
    transfer->received += length;
    if (length > HEAD_LIMIT - transfer->head_bytes) {
        transfer->too_long = true;
        return 0;
    }
    transfer->head_bytes += (uint32_t)length;
    uint16_t status;
    if (http_headers_status(line, length, &status))
        take_status(transfer, status);
    else if (length > 0 && (line[0] == '\r' || line[0] == '\n'))
        take_head(transfer);
    else
        take_field(transfer, line, length);
    return length;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *argument)
{
    struct http_transfer *transfer = argument;
    size_t length = size * count;
    if (transfer->abandoned)
        return 0;
    http_transfer_note_activity(transfer);
    enum http_data_result result = HTTP_DATA_TAKEN;
    if (transfer->status == 401)
        result = transfer->received > REFUSAL_BODY_LIMIT ? HTTP_DATA_ABORT : HTTP_DATA_TAKEN;
    else if (transfer->request->on_data != NULL)
        result = transfer->request->on_data(transfer->request, transfer->status, bytes, length);
    /* The reader may have cancelled the request or freed the pool. */
    if (transfer->abandoned)
        return 0;
    switch (result) {
    case HTTP_DATA_TAKEN:
        transfer->received += length;
        return length;
    case HTTP_DATA_PAUSE:
        transfer->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    case HTTP_DATA_ABORT:
        break;
    }
    transfer->enough = true;
    return 0;
}

static CURLcode on_tls_context(CURL *easy, void *context, void *argument)
{
    (void)easy;
    const struct http_transfer *transfer = argument;
    if (transfer->abandoned || !http_trust_apply(transfer->pool->trust, context))
        return CURLE_SSL_CONNECT_ERROR;
    return CURLE_OK;
}

/* --- time --- */

/* Bytes that the kernel has not yet got rid of: a slow upload moves them without telling us. */
static int64_t count_unsent(struct http_transfer *transfer)
{
    curl_socket_t descriptor = CURL_SOCKET_BAD;
    int bytes = 0;
    if (curl_easy_getinfo(transfer->easy, CURLINFO_ACTIVESOCKET, &descriptor) != CURLE_OK ||
        descriptor == CURL_SOCKET_BAD || ioctl(descriptor, SIOCOUTQ, &bytes) != 0)
        return 0;
    return bytes;
}

static void check_idle(void *argument)
{
    struct http_transfer *transfer = argument;
    struct executor *executor = transfer->client->executor;
    uint64_t limit = transfer->pool->idle_timeout_ms;
    /* Time in which it is our side that waits does not count. */
    if (transfer->paused || transfer->starved)
        http_transfer_note_activity(transfer);
    uint64_t quiet = executor_now(executor) - transfer->active_ms;
    /* Until a connection stands, libcurl's own time limit counts. */
    if (!transfer->performing)
        quiet = 0;
    if (quiet >= limit) {
        int64_t unsent = count_unsent(transfer);
        if (unsent == transfer->unsent) {
            transfer->timed_out = true;
            http_transfer_ended(transfer, CURLE_OPERATION_TIMEDOUT);
            return;
        }
        transfer->unsent = unsent;
        http_transfer_note_activity(transfer);
        quiet = 0;
    }
    executor_after(executor, &transfer->idle_timer, limit - quiet, check_idle, transfer);
}

/* --- set-up --- */

static void set_callbacks(struct http_transfer *transfer)
{
    CURL *easy = transfer->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
}

static void set_credentials(CURL *easy, const struct http_pool *pool)
{
    static const unsigned long ways[] = {
        [HTTP_AUTH_BASIC] = CURLAUTH_BASIC,
        [HTTP_AUTH_NTLM] = CURLAUTH_NTLM,
        [HTTP_AUTH_NEGOTIATE] = CURLAUTH_NEGOTIATE,
    };
    /* With Negotiate the ticket says who signs in; libcurl wants a name, and takes an empty one. */
    bool ticket = pool->auth == HTTP_AUTH_NEGOTIATE;
    const char *username = ticket || pool->username == NULL ? "" : pool->username;
    const char *password = ticket || pool->password == NULL ? "" : secret_reveal(pool->password);
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, ways[pool->auth]);
    curl_easy_setopt(easy, CURLOPT_USERNAME, username);
    curl_easy_setopt(easy, CURLOPT_PASSWORD, password);
}

static void set_tls(struct http_transfer *transfer, const struct http_pool *pool)
{
    CURL *easy = transfer->easy;
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, pool->tls_verify ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, pool->tls_verify ? 2L : 0L);
    /* The certificates come from http_trust. */
    curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
    if (pool->trust != NULL) {
        curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls_context);
        curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, transfer);
    }
}

static void set_protocol(CURL *easy, const struct http_pool *pool)
{
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_URL, pool->url);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, pool->user_agent);
    /* Nothing from the environment decides where mail goes. */
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)HTTP_DATA_CHUNK);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 16384L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)pool->connect_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)CONNECTION_AGE_S);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
}

struct http_transfer *http_transfer_create(struct http_pool *pool)
{
    CURL *easy = curl_easy_init();
    if (easy == NULL)
        return NULL;
    struct http_transfer *transfer = memory_allocate(sizeof *transfer);
    transfer->pool = pool;
    transfer->client = pool->client;
    transfer->easy = easy;
    set_protocol(easy, pool);
    set_credentials(easy, pool);
    set_tls(transfer, pool);
    set_callbacks(transfer);
    http_upload_set_callbacks(transfer);
    return transfer;
}

static void forget_headers(struct http_transfer *transfer)
{
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(transfer->headers);
    transfer->headers = NULL;
}

static void stop_timing(struct http_transfer *transfer)
{
    struct executor *executor = transfer->client->executor;
    executor_cancel_timer(executor, &transfer->idle_timer);
    executor_cancel_timer(executor, &transfer->patience);
    executor_cancel_call(executor, &transfer->resume);
    executor_cancel_call(executor, &transfer->supply);
}

void http_transfer_destroy(struct http_transfer *transfer)
{
    stop_timing(transfer);
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->headers);
    curl_slist_free_all(transfer->addresses);
    memory_free(transfer);
}

/* --- the start --- */

static void add_header(struct http_transfer *transfer, const char *name, const char *value)
{
    struct buffer line = {0};
    for (const char *each = value; *each != '\0'; each++) {
        if ((unsigned char)*each < ' ' || *each == 0x7f)
            return; /* a line end would begin a header of somebody else's choosing */
    }
    buffer_append_format(&line, "%s: %s", name, value);
    struct curl_slist *longer = curl_slist_append(transfer->headers, line.data);
    if (longer != NULL)
        transfer->headers = longer;
    buffer_release(&line);
}

static void set_headers(struct http_transfer *transfer, const struct http_request *request)
{
    add_header(transfer, "Content-Type", "text/xml; charset=utf-8");
    transfer->headers = curl_slist_append(transfer->headers, "Expect:");
    if (request->mailbox_anchor != NULL)
        add_header(transfer, "X-AnchorMailbox", request->mailbox_anchor);
    if (request->activity != NULL) {
        add_header(transfer, "client-request-id", request->activity);
        add_header(transfer, "return-client-request-id", "true");
    }
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
    const char *cookies = request->cookies != NULL ? *request->cookies : NULL;
    curl_easy_setopt(transfer->easy, CURLOPT_COOKIE, cookies);
}

/* libcurl reads the list when the transfer begins and keeps the addresses in the multi handle. The
 * name's old addresses are replaced. */
static void set_addresses(struct http_transfer *transfer, const struct http_resolver *resolver)
{
    if (resolver->entry == NULL)
        return;
    if (transfer->addresses == NULL || transfer->addresses_generation != resolver->generation) {
        curl_slist_free_all(transfer->addresses);
        transfer->addresses = curl_slist_append(NULL, resolver->entry);
        transfer->addresses_generation = resolver->generation;
    }
    curl_easy_setopt(transfer->easy, CURLOPT_RESOLVE, transfer->addresses);
}

static void finish(struct http_transfer *transfer, CURLcode result)
{
    forget_headers(transfer);
    http_outcome_build(transfer, result, &transfer->response);
    http_pool_request_ended(transfer);
}

/* Hands the easy handle to libcurl, for the first time or once more. */
static void send_request(struct http_transfer *transfer, bool fresh)
{
    struct http_pool *pool = transfer->pool;
    CURL *easy = transfer->easy;
    transfer->performing = transfer->paused = transfer->challenged = false;
    transfer->status = 0;
    transfer->head_bytes = 0;
    transfer->unsent = 0;
    transfer->error[0] = '\0';
    http_transfer_note_activity(transfer);
    http_upload_prepare(transfer);
    bool alone = transfer->request->alone;
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, fresh || alone ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, alone ? 1L : 0L);
    set_addresses(transfer, &pool->resolver);
    if (!http_connections_add(pool->connections, transfer)) {
        finish(transfer, CURLE_FAILED_INIT);
        return;
    }
    executor_after(transfer->client->executor, &transfer->idle_timer, pool->idle_timeout_ms,
                   check_idle, transfer);
}

void http_transfer_start(struct http_transfer *transfer, struct http_request *request)
{
    request->transfer = transfer;
    request->state = HTTP_REQUEST_RUNNING;
    transfer->request = request;
    transfer->generation = transfer->pool->generation;
    transfer->abandoned = transfer->enough = transfer->timed_out = transfer->too_long = false;
    transfer->repeated = transfer->repeat_refused = transfer->unanswered = false;
    transfer->source_failed = false;
    transfer->offset = transfer->sent = transfer->received = 0;
    transfer->retry_after_ms = 0;
    transfer->started_ms = executor_now(transfer->client->executor);
    set_headers(transfer, request);
    send_request(transfer, false);
}

/* --- the end --- */

void http_transfer_reap(struct http_transfer *transfer)
{
    http_connections_remove(transfer->connections, transfer);
    forget_headers(transfer);
    if (transfer->pool != NULL)
        http_pool_release(transfer->pool, transfer);
    else
        http_transfer_destroy(transfer);
}

void http_transfer_ended(struct http_transfer *transfer, CURLcode result)
{
    stop_timing(transfer);
    if (transfer->abandoned) {
        http_transfer_reap(transfer);
        return;
    }
    /* Asked before the handle forgets about its connection. */
    bool repeat = !transfer->repeated && http_pool_is_current(transfer) &&
                  http_outcome_may_repeat(transfer, result);
    http_connections_remove(transfer->connections, transfer);
    if (repeat) {
        transfer->repeated = true;
        send_request(transfer, true);
    } else {
        finish(transfer, result);
    }
}

void http_transfer_abandon(struct http_transfer *transfer)
{
    stop_timing(transfer);
    transfer->abandoned = true;
    transfer->request->transfer = NULL;
    transfer->request = NULL;
    if (transfer->connections->depth == 0)
        http_transfer_reap(transfer);
    else
        http_connections_reap_later(transfer->connections);
}

int http_transfer_pauses(const struct http_transfer *transfer)
{
    return (transfer->paused ? CURLPAUSE_RECV : 0) | (transfer->starved ? CURLPAUSE_SEND : 0);
}

static void resume_now(void *argument)
{
    struct http_transfer *transfer = argument;
    struct http_connections *connections = transfer->connections;
    if (!transfer->paused)
        return;
    transfer->paused = false;
    http_transfer_note_activity(transfer);
    /* Gives the bytes that are held back to on_body at once. */
    http_connections_enter(connections);
    CURLcode result = curl_easy_pause(transfer->easy, http_transfer_pauses(transfer));
    http_connections_leave(connections);
    /* libcurl tells this error nobody else. One that was cancelled meanwhile is reaped later. */
    if (result != CURLE_OK && !transfer->abandoned)
        http_transfer_ended(transfer, result);
}

void http_transfer_resume(struct http_transfer *transfer)
{
    executor_defer(transfer->client->executor, &transfer->resume, resume_now, transfer);
}
