/* Sends one file as the body of some requests over common/http and prints what became of each: a
 * line "status=200 failure= in_doubt=0 sent=N" with the failure's code and text behind it, then the
 * answer.
 *
 *   http_driver [OPTION]... URL FILE
 *     --auth basic|ntlm|negotiate   (basic)
 *     --user NAME --password-file FILE
 *     --ca FILE                     trusted certificates
 *     --count N                     requests (1)
 *     --connections N               at most so many at a time (1)
 *     --changes                     as requests that change something on the server
 *     --beside URL                  meanwhile one request there, without an account, of which a
 * line "beside status=200 ms=N" tells
 *     --idle MS                     waits so long between requests, and does them one by one
 */
#include "base/memory.h"
#include "http/http.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIME_LIMIT_MS = 30000 };

struct driver {
    struct executor *executor;
    struct http_pool *pool;
    struct http_pool_settings settings;
    struct buffer body;
    unsigned count;
    unsigned started;
    unsigned done;
    unsigned failed;
    bool changes;
    unsigned idle_ms;
    struct executor_timer timer;
    const char *beside_url;
    struct http_pool *beside_pool;
    struct http_request beside;
    bool beside_done;
};

struct exchange {
    struct http_request request; /* first: callbacks find the exchange by it */
    struct driver *driver;
    struct buffer answer;
};

static void start_next(void *argument);

static void stop_when_done(struct driver *driver)
{
    if (driver->done == driver->count && (driver->beside_url == NULL || driver->beside_done))
        executor_stop(driver->executor);
}

static enum http_data_result take_data(struct http_request *request, uint16_t status,
                                       const char *bytes, size_t length)
{
    struct exchange *exchange = (struct exchange *)(void *)request;
    (void)status;
    buffer_append(&exchange->answer, bytes, length);
    return HTTP_DATA_TAKEN;
}

static void take_end(struct http_request *request, const struct http_response *response)
{
    struct exchange *exchange = (struct exchange *)(void *)request;
    struct driver *driver = exchange->driver;
    printf("status=%u failure=%s in_doubt=%d sent=%llu %s %s\n%s\n", response->status,
           response->failure.code, response->in_doubt, (unsigned long long)response->sent_bytes,
           response->failure.sentence != NULL ? response->failure.sentence : "",
           response->failure.text, buffer_string(&exchange->answer));
    driver->failed += response->status != 200;
    driver->done++;
    buffer_release(&exchange->answer);
    memory_free(exchange);
    stop_when_done(driver);
    if (driver->done == driver->count)
        return;
    if (driver->idle_ms > 0)
        executor_after(driver->executor, &driver->timer, driver->idle_ms, start_next, driver);
}

static void start_next(void *argument)
{
    struct driver *driver = argument;
    struct exchange *exchange = memory_allocate(sizeof *exchange);
    exchange->driver = driver;
    exchange->request.on_data = take_data;
    exchange->request.on_done = take_end;
    exchange->request.changes = driver->changes;
    buffer_append(&exchange->request.body, driver->body.data, driver->body.length);
    driver->started++;
    http_request_start(driver->pool, &exchange->request);
}

static void take_beside_end(struct http_request *request, const struct http_response *response)
{
    struct driver *driver =
        (struct driver *)(void *)((char *)request - offsetof(struct driver, beside));
    printf("beside status=%u ms=%u %s %s\n", response->status, response->elapsed_ms,
           response->failure.code, driver->done == driver->count ? "last" : "first");
    driver->beside_done = true;
    stop_when_done(driver);
}

static void start_beside(struct driver *driver, struct http_client *client)
{
    struct http_pool_settings settings = driver->settings;
    settings.url = driver->beside_url;
    settings.auth = HTTP_AUTH_BASIC;
    settings.username = NULL;
    settings.password = NULL;
    driver->beside_pool = http_pool_create(client, &settings);
    driver->beside.on_done = take_beside_end;
    http_request_start(driver->beside_pool, &driver->beside);
}

static void read_file(const char *path, struct buffer *content)
{
    char room[65536];
    size_t length;
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    while ((length = fread(room, 1, sizeof room, file)) > 0)
        buffer_append(content, room, length);
    fclose(file);
}

static struct secret *read_password(const char *path)
{
    struct buffer text = {0};
    read_file(path, &text);
    struct secret *password = secret_create(buffer_string(&text), strcspn(text.data, "\n"));
    secret_wipe(text.data, text.length);
    buffer_release(&text);
    return password;
}

static enum http_auth read_auth(const char *name)
{
    if (strcmp(name, "ntlm") == 0)
        return HTTP_AUTH_NTLM;
    return strcmp(name, "negotiate") == 0 ? HTTP_AUTH_NEGOTIATE : HTTP_AUTH_BASIC;
}

static void read_options(struct driver *driver, int count, char **words)
{
    static const struct option options[] = {
        {"auth", required_argument, NULL, 'a'},  {"user", required_argument, NULL, 'u'},
        {"ca", required_argument, NULL, 'c'},    {"password-file", required_argument, NULL, 'p'},
        {"count", required_argument, NULL, 'n'}, {"connections", required_argument, NULL, 'm'},
        {"changes", no_argument, NULL, 'x'},     {"beside", required_argument, NULL, 'b'},
        {"idle", required_argument, NULL, 'i'},  {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(count, words, "", options, NULL)) != -1) {
        switch (option) {
        case 'a':
            driver->settings.auth = read_auth(optarg);
            break;
        case 'u':
            driver->settings.username = optarg;
            break;
        case 'c':
            driver->settings.tls_ca_file = optarg;
            break;
        case 'p':
            driver->settings.password = read_password(optarg);
            break;
        case 'n':
            driver->count = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'm':
            driver->settings.max_connections = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'x':
            driver->changes = true;
            break;
        case 'b':
            driver->beside_url = optarg;
            break;
        case 'i':
            driver->idle_ms = (unsigned)strtoul(optarg, NULL, 10);
            break;
        default:
            exit(64);
        }
    }
    if (count - optind != 2 || driver->count == 0) {
        fputs("usage: http_driver [OPTION]... URL FILE\n", stderr);
        exit(64);
    }
}

int main(int count, char **words)
{
    struct driver driver = {
        .count = 1,
        .settings =
            {
                .tls_verify = true,
                .user_agent = "exsyncd-driver",
                .max_connections = 1,
                .connect_timeout_ms = TIME_LIMIT_MS,
                .idle_timeout_ms = TIME_LIMIT_MS,
            },
    };
    read_options(&driver, count, words);
    http_prepare_process();
    driver.settings.url = words[optind];
    read_file(words[optind + 1], &driver.body);

    driver.executor = executor_create();
    struct http_client *client = http_client_create(driver.executor, NULL);
    driver.pool = http_pool_create(client, &driver.settings);
    unsigned first = driver.idle_ms > 0 ? 1 : driver.count;
    for (unsigned i = 0; i < first; i++)
        start_next(&driver);
    if (driver.beside_url != NULL)
        start_beside(&driver, client);
    executor_run(driver.executor);

    http_pool_free(driver.pool);
    if (driver.beside_pool != NULL)
        http_pool_free(driver.beside_pool);
    http_client_free(client);
    executor_free(driver.executor);
    secret_free((struct secret *)driver.settings.password);
    buffer_release(&driver.body);
    return driver.failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
