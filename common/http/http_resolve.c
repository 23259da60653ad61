#include "http/http_resolve.h"

#include "base/buffer.h"
#include "base/executor_uv.h"
#include "base/memory.h"
#include "http/http_failure.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

/* Lives until getaddrinfo has come back, also when nobody wants to know any more. */
struct http_lookup {
    uv_getaddrinfo_t request;
    struct http_resolver *resolver; /* NULL: nobody does */
};

static bool is_address(const char *host)
{
    struct in_addr four;
    struct in6_addr six;
    return strchr(host, ':') != NULL || inet_pton(AF_INET, host, &four) == 1 ||
           inet_pton(AF_INET6, host, &six) == 1;
}

/* libcurl knows these without asking, RFC 6761. */
static bool is_localhost(const char *host)
{
    static const char below[] = ".localhost";
    size_t length = strlen(host);
    return strcasecmp(host, "localhost") == 0 ||
           (length >= sizeof below - 1 &&
            strcasecmp(host + length - (sizeof below - 1), below) == 0);
}

/* The name and port as libcurl will write them when it looks for the addresses. */
static void read_url(struct http_resolver *resolver, const char *url)
{
    char *host = NULL;
    char *port = NULL;
    CURLU *parts = curl_url();
    if (parts != NULL && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_HOST, &host, CURLU_PUNYCODE) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK) {
        resolver->host = memory_copy_string(host);
        resolver->port = memory_copy_string(port);
    }
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(parts);
}

void http_resolver_init(struct http_resolver *resolver, struct executor *executor, const char *url,
                        uint64_t timeout_ms,
                        void (*done)(void *argument, const struct failure *failure), void *argument)
{
    *resolver = (struct http_resolver){
        .executor = executor,
        .timeout_ms = timeout_ms,
        .done = done,
        .argument = argument,
    };
    read_url(resolver, url);
    /* A URL without a host is libcurl's to refuse. */
    resolver->needed = resolver->host != NULL && resolver->host[0] != '[' &&
                       !is_address(resolver->host) && !is_localhost(resolver->host);
}

static void leave_lookup(struct http_resolver *resolver)
{
    if (resolver->lookup != NULL) {
        resolver->lookup->resolver = NULL;
        uv_cancel((uv_req_t *)&resolver->lookup->request);
        resolver->lookup = NULL;
    }
    executor_cancel_timer(resolver->executor, &resolver->timer);
}

void http_resolver_release(struct http_resolver *resolver)
{
    leave_lookup(resolver);
    memory_free(resolver->host);
    memory_free(resolver->port);
    memory_free(resolver->entry);
    resolver->host = resolver->port = resolver->entry = NULL;
}

/* --- the end of a look-up --- */

static bool append_address(struct buffer *entry, const struct sockaddr *address)
{
    char text[INET6_ADDRSTRLEN];
    if (address->sa_family == AF_INET) {
        struct sockaddr_in four;
        memcpy(&four, address, sizeof four);
        if (inet_ntop(AF_INET, &four.sin_addr, text, sizeof text) == NULL)
            return false;
        buffer_append_string(entry, text);
        return true;
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 six;
        memcpy(&six, address, sizeof six);
        /* libcurl's text has no place for a scope; mail servers have no link-local addresses. */
        if (IN6_IS_ADDR_LINKLOCAL(&six.sin6_addr) ||
            inet_ntop(AF_INET6, &six.sin6_addr, text, sizeof text) == NULL)
            return false;
        buffer_append_format(entry, "[%s]", text);
        return true;
    }
    return false;
}

/* Keeps the addresses; false when there is none that can be used. */
static bool keep_addresses(struct http_resolver *resolver, const struct addrinfo *addresses)
{
    struct buffer entry = {0};
    unsigned count = 0;
    buffer_append_format(&entry, "%s:%s:", resolver->host, resolver->port);
    for (const struct addrinfo *each = addresses; each != NULL && count < HTTP_RESOLVE_ADDRESSES;
         each = each->ai_next) {
        size_t before = entry.length;
        if (count > 0)
            buffer_append_char(&entry, ',');
        if (append_address(&entry, each->ai_addr)) {
            count++;
        } else {
            entry.length = before;
            entry.data[before] = '\0';
        }
    }
    if (count > 0 && (resolver->entry == NULL || strcmp(resolver->entry, entry.data) != 0)) {
        memory_free(resolver->entry);
        resolver->entry = buffer_take(&entry);
        resolver->generation++;
    }
    buffer_release(&entry);
    return count > 0;
}

/* Addresses that were right a while ago are better than none. */
static void end_with_failure(struct http_resolver *resolver, const struct failure *failure)
{
    uint64_t now = executor_now(resolver->executor);
    if (resolver->entry != NULL && now - resolver->known_ms < HTTP_RESOLVE_STALE_MS) {
        resolver->fresh_until_ms = now + HTTP_RESOLVE_FRESH_MS;
        resolver->done(resolver->argument, NULL);
    } else {
        resolver->done(resolver->argument, failure);
    }
}

static void take_result(struct http_resolver *resolver, int status,
                        const struct addrinfo *addresses)
{
    uint64_t now = executor_now(resolver->executor);
    resolver->lookup = NULL;
    executor_cancel_timer(resolver->executor, &resolver->timer);
    if (status == 0 && keep_addresses(resolver, addresses)) {
        resolver->known_ms = now;
        resolver->fresh_until_ms = now + HTTP_RESOLVE_FRESH_MS;
        resolver->done(resolver->argument, NULL);
        return;
    }
    bool unknown = status == UV_EAI_NONAME || status == UV_EAI_NODATA;
    const char *words = status != 0 ? uv_strerror(status) : "no address that can be used";
    struct failure failure = http_failure_resolve(resolver->host, unknown, words);
    end_with_failure(resolver, &failure);
}

static void looked_up(uv_getaddrinfo_t *request, int status, struct addrinfo *addresses)
{
    struct executor_measure measure;
    executor_measure_begin(&measure);
    struct http_lookup *lookup = request->data;
    if (lookup->resolver != NULL)
        take_result(lookup->resolver, status, addresses);
    uv_freeaddrinfo(addresses);
    memory_free(lookup);
    executor_measure_end(&measure, "name look-up");
}

static void timed_out(void *argument)
{
    struct http_resolver *resolver = argument;
    leave_lookup(resolver);
    struct failure failure = http_failure_resolve_timeout(resolver->host, resolver->timeout_ms);
    end_with_failure(resolver, &failure);
}

/* --- the start --- */

static bool start_lookup(struct http_resolver *resolver)
{
    struct http_lookup *lookup = memory_allocate(sizeof *lookup);
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    lookup->request.data = lookup;
    lookup->resolver = resolver;
    int result = uv_getaddrinfo(executor_uv_loop(resolver->executor), &lookup->request, looked_up,
                                resolver->host, NULL, &hints);
    if (result != 0) {
        memory_free(lookup);
        return false;
    }
    resolver->lookup = lookup;
    return true;
}

/* libuv refuses a name that cannot be one at once; the caller is told in the loop's next turn as of
 * any other failure. */
static void refused_at_once(void *argument)
{
    struct http_resolver *resolver = argument;
    struct failure failure =
        http_failure_resolve(resolver->host, true, "this is not a name that can be looked up");
    end_with_failure(resolver, &failure);
}

bool http_resolver_ready(struct http_resolver *resolver)
{
    if (!resolver->needed ||
        (resolver->entry != NULL && executor_now(resolver->executor) < resolver->fresh_until_ms))
        return true;
    if (resolver->lookup != NULL || executor_timer_pending(&resolver->timer))
        return false;
    if (start_lookup(resolver))
        executor_after(resolver->executor, &resolver->timer, resolver->timeout_ms, timed_out,
                       resolver);
    else
        executor_after(resolver->executor, &resolver->timer, 0, refused_at_once, resolver);
    return false;
}
