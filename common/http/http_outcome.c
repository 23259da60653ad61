#include "http/http_failure.h"
#include "http/http_private.h"

bool http_outcome_may_repeat(const struct http_transfer *transfer, CURLcode result)
{
    if (result != CURLE_SEND_ERROR && result != CURLE_RECV_ERROR && result != CURLE_GOT_NOTHING)
        return false;
    const struct http_request *request = transfer->request;
    long new_connections = 0;
    bool used_again =
        curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &new_connections) == CURLE_OK &&
        new_connections == 0;
    bool whole = transfer->offset == transfer->length;
    if (!transfer->performing || transfer->status != 0 || (request->changes && whole))
        return false;
    /* A server that refuses a body and closes meanwhile: what it said is lost when we happen to
     * write before we read it. Over TLS that is met by the next read. */
    bool cut_off = result != CURLE_GOT_NOTHING && transfer->offset > 0 && !whole;
    return used_again || cut_off;
}

/* Of the answer itself; a "100 Continue" is none. */
static uint16_t answer_status(const struct http_transfer *transfer)
{
    return transfer->status >= 200 ? transfer->status : 0;
}

static struct failure find_failure(struct http_transfer *transfer, CURLcode result)
{
    long offered = 0;
    struct http_failure_detail detail = {
        .error = transfer->error,
        .performing = transfer->performing,
        .status = answer_status(transfer),
    };
    curl_easy_getinfo(transfer->easy, CURLINFO_SSL_VERIFYRESULT, &detail.verify_result);
    curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &detail.system_error);
    curl_easy_getinfo(transfer->easy, CURLINFO_HTTPAUTH_AVAIL, &offered);
    if (transfer->status == 401)
        return http_failure_refused(transfer->pool->auth, offered, &detail);
    if (transfer->source_failed)
        return transfer->request->source_failure;
    if (transfer->timed_out)
        return http_failure_idle(transfer->pool->idle_timeout_ms, &detail);
    if (transfer->trickle_ms > 0)
        return http_failure_trickle(transfer->trickle_ms, &detail);
    if (transfer->too_long)
        return http_failure_long_head(&detail);
    if (transfer->coded)
        return http_failure_coded(&detail);
    if (transfer->repeat_refused)
        result = CURLE_SEND_FAIL_REWIND;
    if (result == CURLE_OK) /* libcurl takes a 101 for an answer, and loose status lines */
        result = CURLE_WEIRD_SERVER_REPLY;
    return http_failure_of_curl(result, &detail);
}

bool http_transfer_was_refused(const struct http_transfer *transfer)
{
    return transfer->status >= 300 && transfer->status != 401 &&
           transfer->offset < transfer->length;
}

/* Without the last byte that Content-Length promises the server does not have the request; with it,
 * whether it has arrived is not known: the byte may still stand in a queue of ours. A server that
 * began to answer well is believed in any case. */
static bool may_have_been_carried_out(const struct http_transfer *transfer)
{
    uint16_t status = answer_status(transfer);
    bool answers_well = status >= 200 && status < 300 && transfer->offset > 0;
    return (transfer->unanswered || answers_well) && !transfer->source_failed;
}

void http_outcome_build(struct http_transfer *transfer, CURLcode result,
                        struct http_response *response)
{
    bool complete =
        answer_status(transfer) != 0 && (result == CURLE_OK || http_transfer_was_refused(transfer));
    uint64_t elapsed = executor_now(transfer->client->executor) - transfer->started_ms;
    *response = (struct http_response){
        .status = answer_status(transfer),
        .retry_after_ms = transfer->retry_after_ms,
        .in_doubt = !complete && may_have_been_carried_out(transfer),
        .sent_bytes = transfer->sent,
        .received_bytes = transfer->received,
        .elapsed_ms = elapsed < UINT32_MAX ? (uint32_t)elapsed : UINT32_MAX,
    };
    /* A reader that has seen enough knows better than we what it saw. */
    if ((complete && transfer->status != 401) || (transfer->enough && transfer->status != 401))
        return;
    response->failure = find_failure(transfer, result);
    response->failure.retry_after_ms = transfer->retry_after_ms;
}
