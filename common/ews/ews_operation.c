#include "ews/ews_operation.h"

#include "base/memory.h"

#include <string.h>

/* Reading a short rest of a useless answer to its end keeps the connection, and with it the
 * sign-in; more than this is not worth it. */
enum { IGNORED_BYTES_MAX = 65536 };

/* The page that an idle mailbox is polled with has about 20 KB. */
enum { HELD_BYTES_MAX = 32768 };

enum { ANSWER_BYTES = 262144, ITEM_BYTES = 16384 };

void *ews_operation_create(struct backend *backend, const struct ews_operation_kind *kind,
                           const struct backend_mailbox *mailbox)
{
    struct backend_operation *operation = memory_allocate(kind->size);
    operation->kind = kind;
    operation->backend = backend;
    operation->mailbox = mailbox;
    return operation;
}

struct ews_sender ews_operation_sender(const struct backend_operation *operation)
{
    return (struct ews_sender){
        .settings = &operation->backend->settings,
        .mailbox = operation->mailbox,
    };
}

static void operation_free(struct backend_operation *operation)
{
    http_request_cancel(&operation->request);
    executor_cancel_call(operation->backend->executor, &operation->local);
    ews_response_release(&operation->response, &operation->backend->parsers);
    buffer_release(&operation->held);
    if (operation->kind->release != NULL)
        operation->kind->release(operation);
    memory_free(operation);
}

void backend_cancel(struct backend_operation *operation)
{
    operation->cancelled = true;
    if (!operation->busy)
        operation_free(operation);
    else if (operation->response.parser != NULL)
        ews_response_stop(&operation->response, "Cancelled", "");
}

/* --- answers that are known --- */

/* Most polls bring the answer that the one before has brought. To see that takes a tenth of the
 * time that reading it takes; so it is not read before all of it is there. */
static bool hold(struct backend_operation *operation, uint16_t status, const char *bytes,
                 size_t length)
{
    if (!operation->holding || status != 200 || length > HELD_BYTES_MAX - operation->held.length)
        return false;
    buffer_append(&operation->held, bytes, length);
    return true;
}

static void read_held(struct backend_operation *operation)
{
    operation->holding = false;
    if (operation->held.length > 0)
        ews_response_feed(&operation->response, &operation->backend->parsers, operation->held.data,
                          operation->held.length);
    buffer_release(&operation->held);
}

/* Whether the whole answer is the one that is known. */
static bool know_again(struct backend_operation *operation, const struct http_response *http)
{
    if (!operation->holding || failure_is_set(&http->failure) || http->status != 200)
        return false;
    const struct digest_part part = {.bytes = buffer_string(&operation->held),
                                     .length = operation->held.length};
    operation->answer = digest_of(&part, 1);
    return digest_equal(&operation->answer, &operation->known);
}

static bool take(struct backend_operation *operation, uint16_t status, const char *bytes,
                 size_t length)
{
    if (hold(operation, status, bytes, length))
        return true;
    if (operation->holding)
        read_held(operation);
    return ews_response_feed(&operation->response, &operation->backend->parsers, bytes, length);
}

/* --- the course of a request --- */

static enum http_data_result on_data(struct http_request *request, uint16_t status,
                                     const char *bytes, size_t length)
{
    struct backend_operation *operation =
        (struct backend_operation *)((char *)request - offsetof(struct backend_operation, request));
    operation->busy = true;
    bool ready = operation->kind->ready == NULL || operation->kind->ready(operation);
    bool more = ready && take(operation, status, bytes, length);
    operation->busy = false;
    if (operation->cancelled) {
        operation_free(operation);
        return HTTP_DATA_ABORT;
    }
    if (!ready)
        return HTTP_DATA_PAUSE;
    if (more)
        return HTTP_DATA_TAKEN;
    operation->ignored_bytes += (uint32_t)length;
    return operation->ignored_bytes > IGNORED_BYTES_MAX ? HTTP_DATA_ABORT : HTTP_DATA_TAKEN;
}

/* How large the request is, of which the server may have taken only the beginning. */
static uint64_t request_size(const struct backend_operation *operation,
                             const struct http_response *http)
{
    const struct http_source *source = operation->request.source;
    return source != NULL ? source->length : http->sent_bytes;
}

/* What HTTP knows counts when no complete answer came, unless a fault had come whole before. */
static struct failure compose_failure(struct backend_operation *operation,
                                      const struct http_response *http)
{
    struct ews_response *response = &operation->response;
    const struct ews_exchange exchange = {
        .status = http->status,
        .retry_after_ms = http->retry_after_ms,
        .sent_bytes = request_size(operation, http),
    };
    if (!failure_is_set(&http->failure) || response->fault)
        return ews_response_finish(response, &exchange);
    struct failure failure = http->failure;
    failure.divisible = failure.divisible && response->items;
    failure.in_doubt = http->in_doubt && response->changes;
    failure_set_step(&failure, response->step);
    return failure;
}

static void note_version(struct backend_operation *operation)
{
    if (!operation->response.has_version)
        return;
    operation->backend->has_version = true;
    operation->backend->version = operation->response.version;
}

bool backend_version(const struct backend *backend, struct backend_version *version)
{
    *version = backend->version;
    return backend->has_version;
}

/* The end of a request: of the operation, too, unless it goes on with another one. */
static void conclude(struct backend_operation *operation, const struct failure *failure)
{
    bool over = operation->cancelled || operation->kind->answered(operation, failure);
    operation->busy = false;
    if (over || operation->cancelled)
        operation_free(operation);
}

static void on_done(struct http_request *request, const struct http_response *http)
{
    struct backend_operation *operation =
        (struct backend_operation *)((char *)request - offsetof(struct backend_operation, request));
    operation->busy = true;
    struct failure failure = {0};
    operation->known_again = know_again(operation, http);
    if (!operation->known_again) {
        read_held(operation);
        failure = compose_failure(operation, http);
        note_version(operation);
    }
    ews_response_release(&operation->response, &operation->backend->parsers);
    conclude(operation, failure_is_set(&failure) ? &failure : NULL);
}

void ews_operation_send(struct backend_operation *operation,
                        const struct ews_expectation *expectation)
{
    ews_response_begin(&operation->response, expectation->step, expectation->reader, operation,
                       &expectation->limits, expectation->messages, expectation->items);
    operation->response.changes = expectation->changes;
    operation->ignored_bytes = 0;
    operation->holding = expectation->known != NULL;
    operation->known = operation->holding ? *expectation->known : (struct digest){0};
    operation->answer = (struct digest){0};
    operation->request.mailbox_anchor = operation->mailbox->address;
    operation->request.activity = operation->mailbox->activity;
    operation->request.cookies = operation->mailbox->cookies;
    operation->request.changes = expectation->changes;
    operation->request.alone = operation->mailbox->alone;
    operation->request.on_data = on_data;
    operation->request.on_done = on_done;
    http_request_start(operation->backend->pool, &operation->request);
}

void ews_operation_send_for_items(struct backend_operation *operation, const char *step,
                                  const struct ews_reader *reader, size_t count, bool changes)
{
    uint64_t bytes = ANSWER_BYTES + (uint64_t)count * ITEM_BYTES;
    const struct ews_expectation expectation = {
        .step = step,
        .reader = reader,
        .limits = {.total_bytes = bytes, .text_bytes = bytes},
        .messages = count,
        .items = true,
        .changes = changes,
    };
    ews_operation_send(operation, &expectation);
}

static void end_locally(void *argument)
{
    struct backend_operation *operation = argument;
    operation->busy = true;
    conclude(operation, NULL);
}

void ews_operation_end_locally(struct backend_operation *operation)
{
    executor_defer(operation->backend->executor, &operation->local, end_locally, operation);
}

struct backend *ews_create(struct executor *executor, const struct ews_settings *settings,
                           struct http_pool *pool)
{
    struct backend *backend = memory_allocate(sizeof *backend);
    backend->executor = executor;
    backend->pool = pool;
    backend->settings = *settings;
    return backend;
}

void ews_free(struct backend *backend)
{
    if (backend == NULL)
        return;
    ews_parsers_free(&backend->parsers);
    memory_free(backend);
}
