/* Hands one mail over by common/notify and prints what came of it: "taken", or
 * "STEP CODE CATEGORY[ permanent][ in doubt]: TEXT".
 *
 *   notify_driver URL STARTTLS CA_FILE USERNAME PASSWORD FROM TO FILE TIME_LIMIT_MS
 *
 * STARTTLS is required, offered or never; CA_FILE and USERNAME may be empty. */
#include "base/buffer.h"
#include "notify/smtp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGUMENTS = 10, STOP_PATIENCE_MS = 60000 };

static struct executor *executor;

static void on_done(void *argument, const struct failure *failure)
{
    (void)argument;
    if (failure == NULL)
        puts("taken");
    else
        printf("%s %s %s%s%s: %s\n", failure->step, failure->code,
               failure_category_name(failure->category), failure->permanent ? " permanent" : "",
               failure->in_doubt ? " in doubt" : "", failure->text);
    executor_stop(executor);
}

static bool read_file(const char *path, struct buffer *text)
{
    char block[4096];
    FILE *stream = fopen(path, "r");
    if (stream == NULL)
        return false;
    for (size_t count; (count = fread(block, 1, sizeof block, stream)) > 0;)
        buffer_append(text, block, count);
    fclose(stream);
    return true;
}

static const char *unless_empty(const char *text)
{
    return text[0] == '\0' ? NULL : text;
}

static enum smtp_starttls read_starttls(const char *word)
{
    if (strcmp(word, "offered") == 0)
        return SMTP_STARTTLS_OFFERED;
    return strcmp(word, "never") == 0 ? SMTP_STARTTLS_NEVER : SMTP_STARTTLS_REQUIRED;
}

int main(int count, char **arguments)
{
    struct buffer message = {0};
    if (count != ARGUMENTS || !read_file(arguments[8], &message))
        return 64;
    struct secret *password = secret_create(arguments[5], strlen(arguments[5]));
    struct smtp_settings settings = {
        .url = arguments[1],
        .starttls = read_starttls(arguments[2]),
        .tls_ca_file = unless_empty(arguments[3]),
        .tls_verify = true,
        .username = unless_empty(arguments[4]),
        .password = password,
        .time_limit_ms = strtoull(arguments[9], NULL, 10),
    };
    executor = executor_create();
    struct executor_pool *pool = executor_pool_create(executor, "notify", 1);
    smtp_send(executor, pool, &settings, arguments[6], arguments[7], buffer_string(&message),
              on_done, NULL);
    executor_run(executor);
    bool ended = executor_pool_free(pool, STOP_PATIENCE_MS);
    executor_free(executor);
    secret_free(password);
    buffer_release(&message);
    return ended ? 0 : 1;
}
