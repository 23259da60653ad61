/* The answers to the questions that settle a doubt, from a hostile server: what is said of drafts
 * and found by submission ids. The first byte says which question, the second in pieces of what
 * size the answer is fed; it must mean the same as when it is fed whole. */
#include "base/buffer.h"
#include "base/executor.h"
#include "ews/ews.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_MAX_USEFUL = 8192, PAGES = 3 };

static const char *const references[] = {"A 1", "B 2"};
static const char *const ids[] = {"id-1", "id-2"};

/* --- an HTTP that leaves the request to the fuzzer --- */

struct http_pool {
    struct http_request *request; /* under way */
};

void http_request_start(struct http_pool *pool, struct http_request *request)
{
    pool->request = request;
    request->pool = pool;
}

void http_request_resume(struct http_request *request)
{
    (void)request;
}

void http_request_source_ready(struct http_request *request)
{
    (void)request;
}

void http_request_cancel(struct http_request *request)
{
    buffer_release(&request->body);
}

/* --- the outcome as a text --- */

static void describe_failure(struct buffer *text, const struct failure *failure)
{
    if (failure->sentence == NULL || failure->code[0] == '\0' || failure->remedy == NULL ||
        failure->in_doubt)
        abort();
    buffer_append_string(text, "failure\n"); /* what it says may depend on the pieces */
}

static void looked(void *argument, const struct failure *failure, const struct backend_looked *list,
                   size_t count)
{
    struct buffer *text = argument;
    if (failure != NULL)
        describe_failure(text, failure);
    for (size_t i = 0; i < count; i++) {
        bool present =
            list[i].state == BACKEND_DRAFT_WAITING || list[i].state == BACKEND_DRAFT_SUBMITTED;
        if (present != (list[i].reference != NULL) ||
            failure_is_set(&list[i].failure) != (list[i].state == BACKEND_DRAFT_UNKNOWN))
            abort();
        buffer_append_format(text, "%d %s %s\n", (int)list[i].state,
                             present ? list[i].reference : "", list[i].failure.code);
    }
}

static void found(void *argument, const struct failure *failure,
                  const struct backend_match *matches, size_t count)
{
    struct buffer *text = argument;
    if (failure != NULL)
        describe_failure(text, failure);
    for (size_t i = 0; i < count; i++) {
        if (matches[i].index > 1 || matches[i].place > BACKEND_IN_SENT_ITEMS ||
            matches[i].reference[0] == '\0')
            abort();
        buffer_append_format(text, "%zu %d %d %s\n", matches[i].index, (int)matches[i].place,
                             matches[i].submitted, matches[i].reference);
    }
}

/* --- the run --- */

static void answer(struct http_pool *pool, const char *bytes, size_t size, size_t piece)
{
    static const struct http_response ok = {.status = 200};
    struct http_request *request = pool->request;
    pool->request = NULL;
    for (size_t at = 0; at < size; at += piece) {
        size_t now = piece < size - at ? piece : size - at;
        if (request->on_data(request, 200, bytes + at, now) == HTTP_DATA_ABORT)
            break;
    }
    buffer_release(&request->body);
    request->on_done(request, &ok);
}

static struct buffer run(struct backend *backend, struct http_pool *pool, bool looks,
                         const char *bytes, size_t size, size_t piece)
{
    static const struct backend_mailbox mailbox = {.address = "ann@example.com"};
    struct buffer text = {0};
    struct backend_operation *operation =
        looks ? backend_look_start(backend, &mailbox, references, 2, looked, &text)
              : backend_search_start(backend, &mailbox, ids, 2, found, &text);
    /* A search may go on with another page. */
    for (unsigned i = 0; i < PAGES && pool->request != NULL; i++)
        answer(pool, bytes, size, piece);
    if (pool->request != NULL)
        backend_cancel(operation);
    pool->request = NULL;
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http_pool pool;
    static struct executor *executor;
    static struct backend *backend; /* kept: what one answer leaves must not change the next */
    static const struct ews_settings settings = {.impersonation = true};
    if (size < 2 || size > SIZE_MAX_USEFUL)
        return 0;
    if (backend == NULL) {
        executor = executor_create();
        backend = ews_create(executor, &settings, &pool);
    }
    const char *bytes = (const char *)data + 2;
    bool looks = data[0] % 2 == 0;
    struct buffer whole = run(backend, &pool, looks, bytes, size - 2, size);
    struct buffer pieces = run(backend, &pool, looks, bytes, size - 2, (size_t)data[1] + 1);
    if (strcmp(buffer_string(&whole), buffer_string(&pieces)) != 0)
        abort();
    buffer_release(&whole);
    buffer_release(&pieces);
    return 0;
}
