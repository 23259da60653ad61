/* Sends one file over common/ews in both ways and asks about it after each step; prints a line for
 * each answer.
 *
 *   send_driver URL ACCOUNT PASSWORD MAILBOX RECIPIENT FILE
 *
 * The file is read in small pieces, and only every second time that it is asked for. */
#include "base/memory.h"
#include "ews/ews.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIME_LIMIT_MS = 60000, PIECE = 10000 };

static const char *const ids[] = {"00000000-0000-4000-8000-000000000001",
                                  "00000000-0000-4000-8000-000000000002",
                                  "00000000-0000-4000-8000-000000000003"};

struct message {
    struct driver *driver;
    FILE *file;
    bool rested;
};

struct driver {
    struct executor *executor;
    struct backend *backend;
    struct backend_mailbox mailbox;
    struct backend_operation *creation;
    struct backend_recipient recipient;
    const char *path;
    struct message messages[2];
    char *references[2];
    struct executor_timer timer;
    bool direct;
    bool sent;
};

static void say(const char *step, const struct failure *failure)
{
    printf("%s %s%s\n", step, failure->code, failure->in_doubt ? " in doubt" : "");
}

/* --- the messages --- */

static void resume(void *argument)
{
    struct driver *driver = argument;
    backend_create_resume(driver->creation);
}

static size_t read_message(void *argument, char *room, size_t size)
{
    struct message *message = argument;
    struct driver *driver = message->driver;
    message->rested = !message->rested;
    if (message->rested) {
        executor_after(driver->executor, &driver->timer, 0, resume, driver);
        return 0;
    }
    size_t length = fread(room, 1, size < PIECE ? size : PIECE, message->file);
    return length == 0 ? BACKEND_CONTENT_FAILED : length;
}

static void rewind_message(void *argument)
{
    rewind(((struct message *)argument)->file);
}

static void explain(void *argument, struct failure *failure)
{
    (void)argument;
    *failure = failure_from_errno(FAILURE_SCOPE_ITEM, "read", 5, "read the message");
}

static struct backend_content open_message(struct driver *driver, struct message *message)
{
    *message = (struct message){.driver = driver, .file = fopen(driver->path, "rb")};
    if (message->file == NULL || fseek(message->file, 0, SEEK_END) != 0) {
        perror(driver->path);
        exit(EXIT_FAILURE);
    }
    uint64_t size = (uint64_t)ftell(message->file);
    rewind(message->file);
    return (struct backend_content){size, read_message, rewind_message, explain, message};
}

/* --- the steps, each started by the answer to the one before --- */

static void create_directly(struct driver *driver);
static void look(struct driver *driver);

static void found(void *argument, const struct failure *failure,
                  const struct backend_match *matches, size_t count)
{
    static const char *const places[] = {"drafts", "outbox", "sentitems"};
    struct driver *driver = argument;
    if (failure != NULL)
        say("search", failure);
    for (size_t i = 0; i < count; i++)
        printf("search %zu %s%s\n", matches[i].index, places[matches[i].place],
               matches[i].submitted ? " submitted" : "");
    if (driver->direct)
        executor_stop(driver->executor);
    else if (driver->sent)
        create_directly(driver);
    else
        look(driver);
}

static void search(struct driver *driver)
{
    backend_search_start(driver->backend, &driver->mailbox, ids, 3, found, driver);
}

static void created(void *argument, const struct failure *failure,
                    const struct backend_created *list, size_t count)
{
    struct driver *driver = argument;
    if (failure != NULL)
        say("create", failure);
    for (size_t i = 0; i < count; i++) {
        say("created", &list[i].failure);
        if (!driver->direct)
            driver->references[i] = memory_copy_string(list[i].reference);
    }
    for (size_t i = 0; i < 2; i++) {
        if (driver->messages[i].file != NULL)
            fclose(driver->messages[i].file);
        driver->messages[i].file = NULL;
    }
    search(driver);
}

static void create(struct driver *driver, const char *const *submission_ids, size_t count)
{
    struct backend_submission submissions[2];
    for (size_t i = 0; i < count; i++)
        submissions[i] = (struct backend_submission){
            .id = submission_ids[i],
            .recipients = &driver->recipient,
            .recipient_count = 1,
            .content = open_message(driver, &driver->messages[i]),
        };
    driver->creation =
        backend_create_start(driver->backend, &driver->mailbox,
                             driver->direct ? BACKEND_CREATE_AND_SEND : BACKEND_CREATE_DRAFT,
                             submissions, count, created, driver);
}

static void create_directly(struct driver *driver)
{
    driver->direct = true;
    create(driver, ids + 2, 1);
}

static const char *const *references(const struct driver *driver)
{
    return (const char *const *)driver->references;
}

static void sent(void *argument, const struct failure *failure, const struct failure *failures,
                 size_t count)
{
    struct driver *driver = argument;
    if (failure != NULL)
        say("send", failure);
    for (size_t i = 0; i < count; i++)
        say("sent", &failures[i]);
    driver->sent = true;
    look(driver);
}

static void looked(void *argument, const struct failure *failure, const struct backend_looked *list,
                   size_t count)
{
    static const char *const states[] = {"unknown", "gone", "waiting", "submitted"};
    struct driver *driver = argument;
    if (failure != NULL)
        say("look", failure);
    for (size_t i = 0; i < count; i++)
        printf("look %s %s\n", states[list[i].state], list[i].failure.code);
    if (driver->sent)
        search(driver);
    else
        backend_send_start(driver->backend, &driver->mailbox, references(driver), 2, sent, driver);
}

static void look(struct driver *driver)
{
    if (driver->references[0] == NULL || driver->references[1] == NULL)
        executor_stop(driver->executor);
    else
        backend_look_start(driver->backend, &driver->mailbox, references(driver), 2, looked,
                           driver);
}

int main(int count, char **words)
{
    if (count != 7) {
        fputs("usage: send_driver URL ACCOUNT PASSWORD MAILBOX RECIPIENT FILE\n", stderr);
        return 64;
    }
    struct secret *password = secret_create(words[3], strlen(words[3]));
    const struct http_pool_settings pool_settings = {
        .url = words[1],
        .auth = HTTP_AUTH_BASIC,
        .username = words[2],
        .password = password,
        .user_agent = "exsyncd-driver",
        .max_connections = 1,
        .connect_timeout_ms = TIME_LIMIT_MS,
        .idle_timeout_ms = TIME_LIMIT_MS,
    };
    const struct ews_settings ews_settings = {.impersonation = true};
    char *cookies = NULL;
    struct driver driver = {
        .mailbox = {.address = words[4], .cookies = &cookies},
        .recipient = {.kind = BACKEND_BCC, .address = words[5]},
        .path = words[6],
    };
    http_prepare_process();
    driver.executor = executor_create();
    struct http_client *client = http_client_create(driver.executor, NULL);
    struct http_pool *pool = http_pool_create(client, &pool_settings);
    driver.backend = ews_create(driver.executor, &ews_settings, pool);
    create(&driver, ids, 2);
    executor_run(driver.executor);

    executor_cancel_timer(driver.executor, &driver.timer);
    ews_free(driver.backend);
    http_pool_free(pool);
    http_client_free(client);
    executor_free(driver.executor);
    secret_free(password);
    memory_free(cookies);
    for (size_t i = 0; i < 2; i++)
        memory_free(driver.references[i]);
    return EXIT_SUCCESS;
}
