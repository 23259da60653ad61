/* The answer on its way in: its head, of which a few fields matter, and its body, which its reader
 * takes, holds back or has enough of. */
#include "http/http_private.h"

#include "base/clock.h"
#include "http/http_cookies.h"
#include "http/http_headers.h"

enum {
    HEAD_LIMIT = 256 * 1024,   /* bytes of head in one attempt, 1xx answers included */
    REFUSAL_LIMIT = 64 * 1024, /* bytes of a 401 that are read for the connection's sake */
};

/* --- the head --- */

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
    else if (http_headers_field(line, length, "Transfer-Encoding", &value, &value_length))
        transfer->coded = !http_headers_is_plain_transfer(value, value_length);
}

/* libcurl stops sending when it is refused, but a transfer whose body is paused does not end. */
static void take_head(struct http_transfer *transfer)
{
    http_queue_note_status(transfer, transfer->status);
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
    return transfer->coded ? 0 : length;
}

/* --- the body --- */

static size_t on_body(char *bytes, size_t size, size_t count, void *argument)
{
    struct http_transfer *transfer = argument;
    size_t length = size * count;
    if (transfer->abandoned)
        return 0;
    http_transfer_note_activity(transfer);
    enum http_data_result result = HTTP_DATA_TAKEN;
    if (transfer->status == 401)
        result = transfer->received > REFUSAL_LIMIT ? HTTP_DATA_ABORT : HTTP_DATA_TAKEN;
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

/* --- holding back --- */

static void continue_now(void *argument)
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

void http_download_continue(struct http_transfer *transfer)
{
    executor_defer(transfer->client->executor, &transfer->resume, continue_now, transfer);
}

/* --- set-up --- */

void http_download_set_callbacks(struct http_transfer *transfer)
{
    CURL *easy = transfer->easy;
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
}
