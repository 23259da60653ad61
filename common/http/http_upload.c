/* The body on its way out: from memory or from a source, again for each attempt, and never again
 * when that could do something twice. */
#include "http/http_private.h"

#include <assert.h>
#include <string.h>

enum { PATIENCE_MS = 1000 };

/* --- attempts --- */

static void start_over(struct http_transfer *transfer)
{
    const struct http_source *source = transfer->request->source;
    if (transfer->offset > 0 && source != NULL)
        source->rewind(source->argument);
    transfer->offset = 0;
    transfer->starved = false;
}

/* Whether the body may go out (again) from its first byte. One that changes something on the server
 * and has gone out whole may have been carried out, unless the answer was a challenge to sign in.
 * Before its last byte has gone, the server does not have the request that Content-Length promises.
 */
static bool begin_attempt(struct http_transfer *transfer)
{
    const struct http_request *request = transfer->request;
    bool whole = transfer->offset > 0 && transfer->offset == transfer->length;
    if (request->changes && whole && !transfer->challenged) {
        transfer->repeat_refused = true;
        return false;
    }
    start_over(transfer);
    return true;
}

/* libcurl wants to send the body again: for the next leg of an authentication, or because the
 * connection that it had used before was dead (Curl_retry_request in lib/transfer.c). */
static int on_seek(void *argument, curl_off_t offset, int origin)
{
    struct http_transfer *transfer = argument;
    if (transfer->abandoned || offset != 0 || origin != SEEK_SET || !begin_attempt(transfer))
        return CURL_SEEKFUNC_FAIL;
    return CURL_SEEKFUNC_OK;
}

/* Called for each attempt once a connection stands. libcurl does not rewind for an attempt of which
 * it had taken bytes that it could not send, so the rule is applied here too. */
static int on_attempt(void *argument, char *remote, char *local, int remote_port, int local_port)
{
    (void)remote, (void)local, (void)remote_port, (void)local_port;
    struct http_transfer *transfer = argument;
    if (transfer->abandoned || !begin_attempt(transfer))
        return CURL_PREREQFUNC_ABORT;
    if (transfer->performing && !transfer->challenged)
        transfer->repeated = true; /* by libcurl itself: once is enough */
    transfer->performing = true;
    transfer->challenged = false;
    transfer->status = 0;
    transfer->head_bytes = 0;
    http_transfer_note_activity(transfer);
    return CURL_PREREQFUNC_OK;
}

/* --- starving --- */

static void continue_now(void *argument)
{
    struct http_transfer *transfer = argument;
    struct http_connections *connections = transfer->connections;
    if (!transfer->starved)
        return;
    transfer->starved = false;
    http_transfer_note_activity(transfer);
    http_connections_enter(connections);
    CURLcode result = curl_easy_pause(transfer->easy, http_transfer_pauses(transfer));
    http_connections_leave(connections);
    /* Between two connections libcurl has nothing that is paused, and says so in this way. */
    if (result != CURLE_OK && result != CURLE_BAD_FUNCTION_ARGUMENT && !transfer->abandoned)
        http_transfer_ended(transfer, result);
}

void http_upload_continue(struct http_transfer *transfer)
{
    executor_defer(transfer->client->executor, &transfer->supply, continue_now, transfer);
}

static void continue_later(void *argument)
{
    http_upload_continue(argument);
}

/* --- bytes --- */

static size_t read_body(struct http_transfer *transfer, char *room, size_t size)
{
    const struct http_request *request = transfer->request;
    if (request->source != NULL)
        return request->source->read(request->source->argument, room, size);
    memcpy(room, request->body.data + transfer->offset, size);
    return size;
}

/* The connection broke while the body went out. A server that refuses a request for its size says
 * so as soon as it has the head, and closes; what it says is lost when we write once more before we
 * read it. So the next attempt sends its head and gives the server time to speak. */
static bool waits_for_refusal(struct http_transfer *transfer)
{
    if (!transfer->careful)
        return false;
    transfer->careful = false;
    executor_after(transfer->client->executor, &transfer->patience, PATIENCE_MS, continue_later,
                   transfer);
    return true;
}

static size_t starve(struct http_transfer *transfer)
{
    transfer->starved = true;
    http_transfer_note_activity(transfer);
    return CURL_READFUNC_PAUSE;
}

static size_t on_read(char *room, size_t size, size_t count, void *argument)
{
    struct http_transfer *transfer = argument;
    if (transfer->abandoned)
        return CURL_READFUNC_ABORT;
    uint64_t left = transfer->length - transfer->offset;
    size_t wanted = left < size * count ? (size_t)left : size * count;
    if (wanted == 0)
        return 0;
    /* libcurl stops sending by itself then, unless the answer says that the connection closes. */
    if (http_transfer_was_refused(transfer))
        return 0;
    if (waits_for_refusal(transfer))
        return starve(transfer);
    size_t length = read_body(transfer, room, wanted);
    if (length == 0)
        return starve(transfer);
    if (length == HTTP_SOURCE_FAILED) {
        transfer->source_failed = true;
        return CURL_READFUNC_ABORT;
    }
    assert(length <= wanted);
    http_transfer_note_activity(transfer);
    transfer->offset += length;
    transfer->sent += length;
    /* After a 401 the rest only goes out to be thrown away. */
    if (transfer->offset == transfer->length && !transfer->challenged)
        transfer->unanswered = true;
    return length;
}

/* --- set-up --- */

void http_upload_set_callbacks(struct http_transfer *transfer)
{
    CURL *easy = transfer->easy;
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_attempt);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
}

void http_upload_prepare(struct http_transfer *transfer)
{
    const struct http_request *request = transfer->request;
    transfer->careful = transfer->offset > 0;
    start_over(transfer);
    transfer->length = request->source != NULL ? request->source->length : request->body.length;
    curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)transfer->length);
}
