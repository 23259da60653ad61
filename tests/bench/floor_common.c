#include "floor_common.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    ANSWER_BUFFER = 16384, /* as exsyncd's */
    EVENTS = 64,
};

#define NEVER INT64_MAX

_Noreturn void floor_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("bench-floor: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

void *floor_allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL)
        floor_fail("out of memory");
    return memory;
}

/* --- the plan ------------------------------------------------------------------------------------
 */

static char *read_whole(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat status;
    if (file == NULL || fstat(fileno(file), &status) < 0)
        floor_fail("%s: %s", path, strerror(errno));
    size_t size = (size_t)status.st_size;
    char *text = floor_allocate(size + 1, 1);
    if (fread(text, 1, size, file) != size)
        floor_fail("%s: cannot be read", path);
    fclose(file);
    return text;
}

char *floor_plan_take(struct floor_plan *plan, const char *word)
{
    size_t length = strlen(word);
    char *end = strchr(plan->place, '\n');
    if (end == NULL || strncmp(plan->place, word, length) != 0)
        return NULL;
    char *rest = plan->place + length;
    *end = '\0';
    plan->place = end + 1;
    return *rest == ' ' ? rest + 1 : rest;
}

char *floor_plan_require(struct floor_plan *plan, const char *word)
{
    char *line = floor_plan_take(plan, word);
    if (line == NULL)
        floor_fail("the plan has no \"%s\" where it should", word);
    return line;
}

size_t floor_plan_number(char **text)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(*text, &end, 10);
    if (end == *text || errno != 0)
        floor_fail("the plan has \"%s\" where a number should be", *text);
    *text = end;
    return number;
}

const char *floor_plan_bytes(struct floor_plan *plan, size_t length)
{
    const char *bytes = plan->place;
    if (memchr(bytes, '\0', length) != NULL || bytes[length] != '\n')
        floor_fail("the plan has fewer bytes than it says");
    plan->place += length + 1;
    return bytes;
}

void floor_plan_open(struct floor_plan *plan, const char *path)
{
    *plan = (struct floor_plan){.text = read_whole(path)};
    plan->place = plan->text;
    if (sscanf(floor_plan_require(plan, "url"), FLOOR_WORD, plan->url) != 1 ||
        sscanf(floor_plan_require(plan, "account"), FLOOR_WORD FLOOR_WORD, plan->name,
               plan->password) != 2 ||
        sscanf(floor_plan_require(plan, "authority"), FLOOR_WORD, plan->authority) != 1)
        floor_fail("the plan's first lines lack words");
    char *line = floor_plan_require(plan, "connections");
    plan->connections = floor_plan_number(&line);
}

void floor_plan_close(const struct floor_plan *plan)
{
    if (*plan->place != '\0')
        floor_fail("the plan has lines that are not understood");
}

static void add_header(struct curl_slist **headers, const char *name, const char *value)
{
    char line[FLOOR_WORD_SIZE + 64];
    snprintf(line, sizeof line, "%s:%s%s", name, *value == '\0' ? "" : " ", value);
    *headers = curl_slist_append(*headers, line);
}

size_t floor_encode(const unsigned char *raw, size_t length, char *encoded)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *place = encoded;
    for (size_t i = 0; i < length; i += 3) {
        unsigned second = i + 1 < length ? raw[i + 1] : 0, third = i + 2 < length ? raw[i + 2] : 0;
        *place++ = digits[raw[i] >> 2];
        *place++ = digits[(raw[i] & 3U) << 4 | second >> 4];
        *place++ = i + 1 < length ? digits[(second & 15U) << 2 | third >> 6] : '=';
        *place++ = i + 2 < length ? digits[third & 63U] : '=';
    }
    return (size_t)(place - encoded);
}

struct curl_slist *floor_headers(const char *address)
{
    struct curl_slist *headers = NULL;
    add_header(&headers, "Content-Type", "text/xml; charset=utf-8");
    add_header(&headers, "Expect", "");
    add_header(&headers, "X-AnchorMailbox", address);
    add_header(&headers, "client-request-id", "6f1f3d5e-7e4f-4a4c-9a60-1f3c7b1d2e90");
    add_header(&headers, "return-client-request-id", "true");
    return headers;
}

/* --- the loop ------------------------------------------------------------------------------------
 */

static size_t on_body(char *bytes, size_t size, size_t count, void *argument)
{
    (void)bytes;
    struct floor_loop *loop = argument;
    loop->bytes += size * count;
    return size * count;
}

static int socket_wanted(CURL *easy, curl_socket_t descriptor, int what, void *argument,
                         void *assigned)
{
    (void)easy;
    struct floor_loop *loop = argument;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(loop->poll, EPOLL_CTL_DEL, descriptor, NULL);
        return 0;
    }
    struct epoll_event event = {.data.fd = descriptor};
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
        event.events |= EPOLLIN;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
        event.events |= EPOLLOUT;
    epoll_ctl(loop->poll, assigned == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, descriptor, &event);
    if (assigned == NULL)
        curl_multi_assign(loop->multi, descriptor, loop);
    return 0;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int timer_wanted(CURLM *multi, long timeout_ms, void *argument)
{
    (void)multi;
    struct floor_loop *loop = argument;
    loop->due_ms = timeout_ms < 0 ? NEVER : now_ms() + timeout_ms;
    return 0;
}

/* Milliseconds until libcurl wants to be called, for epoll_wait. */
static int time_left(const struct floor_loop *loop)
{
    if (loop->due_ms == NEVER)
        return -1;
    int64_t left = loop->due_ms - now_ms();
    return left < 0 ? 0 : (int)left;
}

static void transfer_create(struct floor_loop *loop)
{
    const struct floor_plan *plan = loop->plan;
    struct floor_transfer *transfer = floor_allocate(1, sizeof *transfer);
    CURL *easy = transfer->easy = curl_easy_init();
    if (easy == NULL)
        floor_fail("libcurl does not start");
    curl_easy_setopt(easy, CURLOPT_URL, plan->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(easy, CURLOPT_USERNAME, plan->name);
    curl_easy_setopt(easy, CURLOPT_PASSWORD, plan->password);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "bench-floor");
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)ANSWER_BUFFER);
    curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
    if (strcmp(plan->authority, "-") != 0)
        curl_easy_setopt(easy, CURLOPT_CAINFO, plan->authority);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, loop);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    STAILQ_INSERT_TAIL(&loop->idle, transfer, entries);
}

bool floor_loop_has_room(const struct floor_loop *loop)
{
    return !STAILQ_EMPTY(&loop->idle);
}

struct floor_transfer *floor_loop_take(struct floor_loop *loop)
{
    struct floor_transfer *transfer = STAILQ_FIRST(&loop->idle);
    STAILQ_REMOVE_HEAD(&loop->idle, entries);
    return transfer;
}

void floor_loop_start(struct floor_loop *loop, struct floor_transfer *transfer, void *work)
{
    transfer->work = work;
    if (curl_multi_add_handle(loop->multi, transfer->easy) != CURLM_OK)
        floor_fail("libcurl does not take a request");
    loop->requests++;
}

static void collect_answers(struct floor_loop *loop)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(loop->multi, &left)) != NULL) {
        char *private = NULL;
        CURL *easy = message->easy_handle;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
        struct floor_transfer *transfer = (struct floor_transfer *)(void *)private;
        if (message->data.result != CURLE_OK)
            floor_fail("a request failed: %s", curl_easy_strerror(message->data.result));
        curl_multi_remove_handle(loop->multi, easy);
        STAILQ_INSERT_TAIL(&loop->idle, transfer, entries);
        loop->answered(loop->argument, transfer->work);
    }
}

static void take_event(struct floor_loop *loop, const struct epoll_event *event)
{
    int running, what = 0;
    if (event->data.fd == loop->wake) {
        loop->woken(loop->argument);
        return;
    }
    if ((event->events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0)
        what |= CURL_CSELECT_IN;
    if ((event->events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0)
        what |= CURL_CSELECT_OUT;
    curl_multi_socket_action(loop->multi, event->data.fd, what, &running);
}

void floor_loop_turn(struct floor_loop *loop)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(loop->poll, events, EVENTS, time_left(loop));
    for (int i = 0; i < count; i++)
        take_event(loop, &events[i]);
    if (time_left(loop) == 0) {
        int running;
        loop->due_ms = NEVER;
        curl_multi_socket_action(loop->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    collect_answers(loop);
}

void floor_loop_open(struct floor_loop *loop)
{
    loop->due_ms = NEVER;
    STAILQ_INIT(&loop->idle);
    loop->poll = epoll_create1(EPOLL_CLOEXEC);
    if (loop->wake >= 0) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = loop->wake};
        epoll_ctl(loop->poll, EPOLL_CTL_ADD, loop->wake, &event);
    }
    loop->multi = curl_multi_init();
    curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
    curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop);
    curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
    curl_multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop);
    curl_multi_setopt(loop->multi, CURLMOPT_MAXCONNECTS, (long)loop->plan->connections);
    for (size_t i = 0; i < loop->plan->connections; i++)
        transfer_create(loop);
}

void floor_loop_close(struct floor_loop *loop)
{
    struct floor_transfer *transfer;
    while ((transfer = STAILQ_FIRST(&loop->idle)) != NULL) {
        STAILQ_REMOVE_HEAD(&loop->idle, entries);
        curl_easy_cleanup(transfer->easy);
        free(transfer);
    }
    curl_multi_cleanup(loop->multi);
    close(loop->poll);
}

static long peak_kilobytes(void)
{
    char line[256];
    long peak = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && peak == 0 && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "VmHWM:", 6) == 0)
            peak = strtol(line + 6, NULL, 10);
    }
    if (file != NULL)
        fclose(file);
    return peak;
}

void floor_report(const struct floor_loop *loop, uint64_t messages)
{
    printf("{\"requests\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"messages\": %" PRIu64
           ", \"peak_kb\": %ld}\n",
           loop->requests, loop->bytes, messages, peak_kilobytes());
}
