#include "http/http_examine.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "http/http_examine_tls.h"
#include "http/http_failure.h"
#include "http/http_headers.h"
#include "http/http_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { HEAD_LIMIT = 65536, ADDRESSES_MAX = 16 };

struct http_examiner {
    struct executor_job job;
    char *url;
    char *tls_ca_file;
    char *user_agent;
    bool tls_verify;
    long connect_timeout_ms;
    long answer_timeout_ms;
    http_examined *done; /* NULL: nobody waits any more */
    void *argument;

    char *port;
    struct curl_slist *resolve;
    struct curl_slist *headers;
    struct http_examine_trust trust;
    uint64_t begun_ms;   /* monotonic: the exchange */
    uint64_t secured_ms; /* when TLS began; 0: it has not */
    uint64_t head_bytes;
    uint16_t status; /* of the head that is read */
    char error[CURL_ERROR_SIZE];
    struct http_examination result;
};

static void end_at(struct http_examiner *examiner, enum http_stage stage,
                   const struct failure *failure)
{
    examiner->result.ended = stage;
    examiner->result.failure = *failure;
}

static void append_listed(char *list, size_t size, const char *word, size_t length)
{
    size_t used = strlen(list);
    if (used + length + 3 > size)
        return;
    if (used > 0)
        used += (size_t)snprintf(list + used, size - used, ", ");
    text_copy_line(list + used, size - used, word, length);
}

/* --- the name --- */

/* libcurl writes the address of a literal in brackets, which no look-up takes. */
static bool read_host(struct http_examiner *examiner)
{
    struct http_examination *result = &examiner->result;
    CURLU *url = curl_url();
    char *host = NULL, *port = NULL, *scheme = NULL;
    bool read = url != NULL && curl_url_set(url, CURLUPART_URL, examiner->url, 0) == CURLUE_OK &&
                curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
                curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
                curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK;
    if (read) {
        size_t bracket = host[0] == '[', length = strlen(host);
        text_copy_line(result->host, sizeof result->host, host + bracket, length - 2 * bracket);
        examiner->port = memory_copy_string(port);
        result->encrypted = strcasecmp(scheme, "https") == 0;
    }
    curl_free(host);
    curl_free(port);
    curl_free(scheme);
    curl_url_cleanup(url);
    return read;
}

static bool write_address(const struct addrinfo *found, char text[INET6_ADDRSTRLEN])
{
    const void *bytes = NULL;
    if (found->ai_family == AF_INET)
        bytes = &((const struct sockaddr_in *)(const void *)found->ai_addr)->sin_addr;
    else if (found->ai_family == AF_INET6)
        bytes = &((const struct sockaddr_in6 *)(const void *)found->ai_addr)->sin6_addr;
    return bytes != NULL && inet_ntop(found->ai_family, bytes, text, INET6_ADDRSTRLEN) != NULL;
}

/* "HOST:PORT:ADDRESS,[ADDRESS]" */
static void hand_over_addresses(struct http_examiner *examiner, const struct addrinfo *all)
{
    struct http_examination *result = &examiner->result;
    struct buffer entry = {0};
    unsigned count = 0;
    buffer_append_format(&entry,
                         strchr(result->host, ':') == NULL ? "%s:%s:" : "[%s]:%s:", result->host,
                         examiner->port);
    for (const struct addrinfo *found = all; found != NULL && count < ADDRESSES_MAX;
         found = found->ai_next) {
        char text[INET6_ADDRSTRLEN];
        if (!write_address(found, text))
            continue;
        buffer_append_format(&entry, found->ai_family == AF_INET6 ? "%s[%s]" : "%s%s",
                             count++ > 0 ? "," : "", text);
        append_listed(result->addresses, sizeof result->addresses, text, strlen(text));
    }
    examiner->resolve = curl_slist_append(NULL, entry.data);
    buffer_release(&entry);
}

static bool look_up(struct http_examiner *examiner)
{
    struct http_examination *result = &examiner->result;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (!read_host(examiner)) {
        const struct http_failure_detail detail = {.error = ""};
        const struct failure failure = http_failure_of_curl(CURLE_URL_MALFORMAT, &detail);
        end_at(examiner, HTTP_STAGE_NAME, &failure);
        return false;
    }
    uint64_t begin = clock_monotonic_ms();
    int error = getaddrinfo(result->host, NULL, &hints, &found);
    result->elapsed_ms[HTTP_STAGE_NAME] = (uint32_t)(clock_monotonic_ms() - begin);
    if (error != 0) {
        const struct failure failure =
            http_failure_resolve(result->host, error == EAI_NONAME,
                                 error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
        end_at(examiner, HTTP_STAGE_NAME, &failure);
        return false;
    }
    hand_over_addresses(examiner, found);
    freeaddrinfo(found);
    return true;
}

/* --- the exchange --- */

/* "WWW-Authenticate: Negotiate"; of several schemes in one field only the first is needed: IIS
 * sends a field for each. */
static void take_way(struct http_examination *result, const char *value, size_t length)
{
    static const char *const schemes[] = {
        [HTTP_AUTH_BASIC] = "Basic",
        [HTTP_AUTH_NTLM] = "NTLM",
        [HTTP_AUTH_NEGOTIATE] = "Negotiate",
    };
    size_t word = 0;
    while (word < length && value[word] != ' ' && value[word] != ',')
        word++;
    append_listed(result->ways, sizeof result->ways, value, word);
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (strlen(schemes[i]) == word && strncasecmp(schemes[i], value, word) == 0)
            result->offers[i] = true;
    }
}

/* The head is all that is wanted of the answer: the exchange ends with it. */
static size_t on_header(char *line, size_t size, size_t count, void *argument)
{
    struct http_examiner *examiner = argument;
    size_t length = size * count, value_length;
    const char *value;
    examiner->head_bytes += length;
    if (examiner->head_bytes > HEAD_LIMIT)
        return 0;
    if (http_headers_status(line, length, &examiner->status))
        return length;
    if (length > 0 && (line[0] == '\r' || line[0] == '\n'))
        return examiner->status >= 100 && examiner->status < 200 ? length : 0;
    if (http_headers_field(line, length, "WWW-Authenticate", &value, &value_length))
        take_way(&examiner->result, value, value_length);
    else if (http_headers_field(line, length, "Location", &value, &value_length))
        text_copy_line(examiner->result.location, sizeof examiner->result.location, value,
                       value_length);
    return length;
}

/* libcurl takes what follows a 101 for a body; without a callback it would go to standard output. */
static size_t on_body(char *bytes, size_t size, size_t count, void *argument)
{
    (void)bytes;
    (void)size;
    (void)count;
    (void)argument;
    return 0;
}

static CURLcode on_tls_context(CURL *easy, void *context, void *argument)
{
    (void)easy;
    struct http_examiner *examiner = argument;
    examiner->secured_ms = clock_monotonic_ms();
    http_examine_trust_apply(&examiner->trust, context);
    return CURLE_OK;
}

static void set_up(struct http_examiner *examiner, CURL *easy)
{
    examiner->headers = curl_slist_append(NULL, "Content-Type: text/xml; charset=utf-8");
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_URL, examiner->url);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "");
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, examiner->headers);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, examiner->user_agent);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_RESOLVE, examiner->resolve);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, examiner->connect_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                     examiner->connect_timeout_ms + examiner->answer_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, examiner->tls_verify ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, examiner->tls_verify ? 2L : 0L);
    curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls_context);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, examiner);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, examiner->error);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, examiner);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
}

/* --- what came of it --- */

static uint32_t between(uint64_t begin, uint64_t end)
{
    return end > begin ? (uint32_t)(end - begin) : 0;
}

/* libcurl tells the end of TCP and that of TLS only when both were reached. */
static void take_times(struct http_examiner *examiner, CURL *easy)
{
    uint32_t *elapsed = examiner->result.elapsed_ms;
    uint64_t begun = examiner->begun_ms, now = clock_monotonic_ms();
    curl_off_t connected = 0, secured = 0;
    curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &connected);
    curl_easy_getinfo(easy, CURLINFO_APPCONNECT_TIME_T, &secured);
    uint64_t tls = examiner->secured_ms;
    uint64_t connection_end = tls > 0         ? tls
                              : connected > 0 ? begun + (uint64_t)connected / 1000
                                              : now;
    uint64_t answer_begin = secured > 0 ? begun + (uint64_t)secured / 1000
                            : tls > 0   ? now
                                        : connection_end;
    elapsed[HTTP_STAGE_CONNECTION] = between(begun, connection_end);
    elapsed[HTTP_STAGE_TLS] = tls > 0 ? between(tls, answer_begin) : 0;
    elapsed[HTTP_STAGE_ANSWER] = between(answer_begin, now);
}

static void take_peer(struct http_examination *result, CURL *easy)
{
    char *address = NULL;
    long port = 0;
    curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &address);
    curl_easy_getinfo(easy, CURLINFO_PRIMARY_PORT, &port);
    if (address != NULL && address[0] != '\0')
        snprintf(result->address, sizeof result->address,
                 strchr(address, ':') == NULL ? "%s:%ld" : "[%s]:%ld", address, port);
}

/* The stage that a failed exchange has come to. */
static enum http_stage stage_of(const struct http_examiner *examiner, CURL *easy, CURLcode code)
{
    curl_off_t connected = 0, secured = 0;
    curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &connected);
    curl_easy_getinfo(easy, CURLINFO_APPCONNECT_TIME_T, &secured);
    if (secured > 0 && code != CURLE_PEER_FAILED_VERIFICATION)
        return HTTP_STAGE_ANSWER;
    if (examiner->secured_ms > 0)
        return HTTP_STAGE_TLS;
    return connected > 0 && !examiner->result.encrypted ? HTTP_STAGE_ANSWER : HTTP_STAGE_CONNECTION;
}

static void conclude(struct http_examiner *examiner, CURL *easy, CURLcode code)
{
    struct http_examination *result = &examiner->result;
    long status = 0, system_error = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &system_error);
    curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &result->verify_result);
    take_times(examiner, easy);
    take_peer(result, easy);
    result->status = (uint16_t)status;
    result->ended = HTTP_STAGE_COUNT;
    if (code == CURLE_OK || status >= 200) /* its head ends the exchange as an error */
        return;
    if (code == CURLE_WRITE_ERROR)
        code = CURLE_WEIRD_SERVER_REPLY;
    enum http_stage stage = stage_of(examiner, easy, code);
    const struct http_failure_detail detail = {
        .error = examiner->error,
        .performing = stage == HTTP_STAGE_ANSWER,
        .verify_result = result->verify_result,
        .system_error = system_error,
    };
    const struct failure failure = http_failure_of_curl(code, &detail);
    end_at(examiner, stage, &failure);
}

static bool read_trust(struct http_examiner *examiner)
{
    char error[256];
    if (!examiner->result.encrypted)
        return true;
    if (http_examine_trust_open(&examiner->trust, &examiner->result,
                                examiner->tls_verify ? examiner->tls_ca_file : NULL,
                                examiner->tls_verify, error, sizeof error))
        return true;
    const struct failure failure = http_failure_trust(
        examiner->tls_ca_file == NULL ? "the system's authorities" : examiner->tls_ca_file, error);
    end_at(examiner, HTTP_STAGE_TLS, &failure);
    return false;
}

static void examine(void *argument)
{
    struct http_examiner *examiner = argument;
    if (!look_up(examiner) || !read_trust(examiner))
        return;
    CURL *easy = curl_easy_init();
    CURLcode code = CURLE_FAILED_INIT;
    if (easy != NULL) {
        set_up(examiner, easy);
        examiner->begun_ms = clock_monotonic_ms();
        code = curl_easy_perform(easy);
    }
    conclude(examiner, easy, code);
    curl_easy_cleanup(easy);
    http_examine_thread_end();
}

/* --- on the loop --- */

static void examiner_free(struct http_examiner *examiner)
{
    http_examine_trust_close(&examiner->trust);
    curl_slist_free_all(examiner->resolve);
    curl_slist_free_all(examiner->headers);
    memory_free(examiner->url);
    memory_free(examiner->tls_ca_file);
    memory_free(examiner->user_agent);
    memory_free(examiner->port);
    memory_free(examiner);
}

static void examined(void *argument)
{
    struct http_examiner *examiner = argument;
    if (examiner->done != NULL)
        examiner->done(examiner->argument, &examiner->result);
    examiner_free(examiner);
}

struct http_examiner *http_examine_start(struct http_client *client,
                                         const struct http_examine_settings *settings,
                                         http_examined *done, void *argument)
{
    struct http_examiner *examiner = memory_allocate(sizeof *examiner);
    examiner->url = memory_copy_string(settings->url);
    examiner->tls_ca_file = memory_copy_string(settings->tls_ca_file);
    examiner->user_agent = memory_copy_string(settings->user_agent);
    examiner->tls_verify = settings->tls_verify;
    examiner->connect_timeout_ms = (long)settings->connect_timeout_ms;
    examiner->answer_timeout_ms = (long)settings->answer_timeout_ms;
    examiner->done = done;
    examiner->argument = argument;
    executor_pool_submit(client->examinations, NULL, &examiner->job, examine, examined, examiner);
    return examiner;
}

void http_examine_cancel(struct http_examiner *examiner)
{
    if (examiner != NULL)
        examiner->done = NULL;
}
