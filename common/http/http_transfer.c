#define _GNU_SOURCE /* linux/sockios.h */
#include "http/http_private.h"

#include "base/memory.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

/* An exchange in which a byte moves now and then would hold its connection and its mailbox for
 * ever: over so many times the idle time limit, so many bytes a second must have moved. */
enum { TRICKLE_TIMES = 10, TRICKLE_RATE = 16 };

/* --- time --- */

void http_transfer_note_activity(struct http_transfer *transfer)
{
    transfer->active_ms = executor_now(transfer->client->executor);
}

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

static void watch_for_trickle(struct http_transfer *transfer)
{
    transfer->since_ms = executor_now(transfer->client->executor);
    transfer->moved = (int64_t)(transfer->sent + transfer->received) - count_unsent(transfer);
}

/* For how long too few bytes moved; 0: enough did, or it is too early to say. */
static uint64_t find_trickle_ms(struct http_transfer *transfer)
{
    uint64_t passed_ms = executor_now(transfer->client->executor) - transfer->since_ms;
    if (passed_ms < TRICKLE_TIMES * transfer->pool->idle_timeout_ms)
        return 0;
    int64_t before = transfer->moved;
    watch_for_trickle(transfer);
    bool enough = transfer->moved - before >= (int64_t)(passed_ms * TRICKLE_RATE / 1000);
    return enough ? 0 : passed_ms;
}

static void check_idle(void *argument)
{
    struct http_transfer *transfer = argument;
    struct executor *executor = transfer->client->executor;
    uint64_t limit = transfer->pool->idle_timeout_ms;
    /* Time in which it is our side that waits does not count, and until a connection stands,
     * libcurl's own time limit does. */
    if (transfer->paused || transfer->starved || !transfer->performing) {
        http_transfer_note_activity(transfer);
        watch_for_trickle(transfer);
    }
    transfer->trickle_ms = find_trickle_ms(transfer);
    if (transfer->trickle_ms > 0) {
        http_transfer_ended(transfer, CURLE_OPERATION_TIMEDOUT);
        return;
    }
    uint64_t quiet = executor_now(executor) - transfer->active_ms;
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

static void stop_timing(struct http_transfer *transfer)
{
    struct executor *executor = transfer->client->executor;
    executor_cancel_timer(executor, &transfer->idle_timer);
    executor_cancel_timer(executor, &transfer->patience);
    executor_cancel_call(executor, &transfer->resume);
    executor_cancel_call(executor, &transfer->supply);
}

/* --- life --- */

struct http_transfer *http_transfer_create(struct http_pool *pool)
{
    CURL *easy = curl_easy_init();
    if (easy == NULL)
        return NULL;
    struct http_transfer *transfer = memory_allocate(sizeof *transfer);
    transfer->pool = pool;
    transfer->client = pool->client;
    transfer->easy = easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    http_options_set(transfer);
    http_upload_set_callbacks(transfer);
    http_download_set_callbacks(transfer);
    return transfer;
}

void http_transfer_destroy(struct http_transfer *transfer)
{
    stop_timing(transfer);
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->headers);
    curl_slist_free_all(transfer->addresses);
    memory_free(transfer);
}

bool http_transfer_is_current(const struct http_transfer *transfer)
{
    return transfer->generation == transfer->pool->generation;
}

int http_transfer_pauses(const struct http_transfer *transfer)
{
    return (transfer->paused ? CURLPAUSE_RECV : 0) | (transfer->starved ? CURLPAUSE_SEND : 0);
}

/* --- the start --- */

static void add_line(struct http_transfer *transfer, const char *line)
{
    struct curl_slist *longer = curl_slist_append(transfer->headers, line);
    if (longer != NULL)
        transfer->headers = longer;
}

static void add_header(struct http_transfer *transfer, const char *name, const char *value)
{
    struct buffer line = {0};
    for (const char *each = value; *each != '\0'; each++) {
        if ((unsigned char)*each < ' ' || *each == 0x7f)
            return; /* a line end would begin a header of somebody else's choosing */
    }
    buffer_append_format(&line, "%s: %s", name, value);
    add_line(transfer, line.data);
    buffer_release(&line);
}

static void set_headers(struct http_transfer *transfer, const struct http_request *request)
{
    add_header(transfer, "Content-Type", "text/xml; charset=utf-8");
    add_line(transfer, "Expect:");
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

static void forget_headers(struct http_transfer *transfer)
{
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(transfer->headers);
    transfer->headers = NULL;
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
    http_queue_request_ended(transfer);
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
    watch_for_trickle(transfer);
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
    transfer->abandoned = transfer->enough = transfer->timed_out = false;
    transfer->too_long = transfer->coded = false;
    transfer->trickle_ms = 0;
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
        http_queue_release(transfer->pool, transfer);
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
    bool repeat = !transfer->repeated && http_transfer_is_current(transfer) &&
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
