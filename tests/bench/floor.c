/* The floor under any program that does exsyncd's job: libcurl fetches the same answers at the same
 * concurrency and throws them away, and as many messages of the same sizes are written with the
 * same syncs and renames, two threads at a time. Nothing is parsed, decoded or recorded.
 *
 *     bench-floor PLAN
 *
 * bench.py writes the plan: lines of words, in this order, the last three repeated.
 *
 *     url URL
 *     account NAME PASSWORD
 *     authority FILE        certificates (PEM) that the server's must be signed by, "-" without TLS
 *     connections N         requests at a time
 *     mailbox ADDRESS MAILDIR
 *     request LENGTH        LENGTH bytes of body follow, and a line end
 *     files SIZE...         the messages that its answer brings; may be empty
 *
 * MAILDIR has the folders spool and new. A mailbox's requests go out one after the other, each when
 * the messages of the one before are in new/. At the end one line of JSON says what was done. */
#define _GNU_SOURCE /* sync_file_range */
#include <curl/curl.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    WRITERS = 2,
    WRITE_SIZE = 65536,
    ANSWER_BUFFER = 16384, /* as exsyncd's */
    EVENTS = 64,
    WORD_SIZE = 4096,
    BATCH_MAX = 100,
};

static _Noreturn void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("bench-floor: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL)
        fail("out of memory");
    return memory;
}

/* --- the plan ------------------------------------------------------------------------------------
 */

struct step {
    const char *body;
    size_t length;
    size_t *sizes;
    size_t count;
};

struct mailbox {
    int spool;
    int fresh; /* new/ */
    struct curl_slist *headers;
    struct step *steps;
    size_t step_count;
    size_t step; /* the one under way */
    STAILQ_ENTRY(mailbox) entries;
};

STAILQ_HEAD(mailbox_queue, mailbox);

struct plan {
    char *text;
    char *place; /* read so far */
    char url[WORD_SIZE];
    char name[WORD_SIZE];
    char password[WORD_SIZE];
    char authority[WORD_SIZE];
    size_t connections;
    struct mailbox_queue mailboxes;
};

static char *read_whole(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat status;
    if (file == NULL || fstat(fileno(file), &status) < 0)
        fail("%s: %s", path, strerror(errno));
    size_t size = (size_t)status.st_size;
    char *text = allocate(size + 1, 1);
    if (fread(text, 1, size, file) != size)
        fail("%s: cannot be read", path);
    fclose(file);
    return text;
}

/* The next line if it begins with this word: what follows the word, the line end made a NUL. */
static char *take_line(struct plan *plan, const char *word)
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

static char *require_line(struct plan *plan, const char *word)
{
    char *line = take_line(plan, word);
    if (line == NULL)
        fail("the plan has no \"%s\" where it should", word);
    return line;
}

static size_t take_number(char **text)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(*text, &end, 10);
    if (end == *text || errno != 0)
        fail("the plan has \"%s\" where a number should be", *text);
    *text = end;
    return number;
}

static void plan_files(struct plan *plan, struct step *step)
{
    char *line = require_line(plan, "files");
    step->sizes = allocate(BATCH_MAX, sizeof *step->sizes);
    while (*line != '\0') {
        if (step->count == BATCH_MAX)
            fail("the plan has more than %d files for one request", BATCH_MAX);
        step->sizes[step->count++] = take_number(&line);
    }
}

static bool plan_step(struct plan *plan, struct mailbox *mailbox)
{
    char *line = take_line(plan, "request");
    if (line == NULL)
        return false;
    size_t room = (mailbox->step_count + 1) * sizeof *mailbox->steps;
    mailbox->steps = realloc(mailbox->steps, room);
    if (mailbox->steps == NULL)
        fail("out of memory");
    struct step *step = &mailbox->steps[mailbox->step_count++];
    *step = (struct step){.length = take_number(&line), .body = plan->place};
    plan->place += step->length + 1;
    plan_files(plan, step);
    return true;
}

static int open_folder(const char *maildir, const char *name)
{
    char path[WORD_SIZE + 16];
    snprintf(path, sizeof path, "%s/%s", maildir, name);
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        fail("%s: %s", path, strerror(errno));
    return folder;
}

static void add_header(struct mailbox *mailbox, const char *name, const char *value)
{
    char line[WORD_SIZE + 64];
    snprintf(line, sizeof line, "%s:%s%s", name, *value == '\0' ? "" : " ", value);
    mailbox->headers = curl_slist_append(mailbox->headers, line);
}

static bool plan_mailbox(struct plan *plan)
{
    char *line = take_line(plan, "mailbox");
    if (line == NULL)
        return false;
    char address[WORD_SIZE], maildir[WORD_SIZE];
    if (sscanf(line, "%4095s %4095s", address, maildir) != 2)
        fail("the plan has a mailbox without its two words");
    struct mailbox *mailbox = allocate(1, sizeof *mailbox);
    mailbox->spool = open_folder(maildir, "spool");
    mailbox->fresh = open_folder(maildir, "new");
    add_header(mailbox, "Content-Type", "text/xml; charset=utf-8");
    add_header(mailbox, "Expect", "");
    add_header(mailbox, "X-AnchorMailbox", address);
    add_header(mailbox, "client-request-id", "6f1f3d5e-7e4f-4a4c-9a60-1f3c7b1d2e90");
    add_header(mailbox, "return-client-request-id", "true");
    while (plan_step(plan, mailbox))
        continue;
    STAILQ_INSERT_TAIL(&plan->mailboxes, mailbox, entries);
    return true;
}

static void plan_read(struct plan *plan, const char *path)
{
    *plan = (struct plan){.text = read_whole(path)};
    plan->place = plan->text;
    STAILQ_INIT(&plan->mailboxes);
    if (sscanf(require_line(plan, "url"), "%4095s", plan->url) != 1 ||
        sscanf(require_line(plan, "account"), "%4095s %4095s", plan->name, plan->password) != 2 ||
        sscanf(require_line(plan, "authority"), "%4095s", plan->authority) != 1)
        fail("the plan's first lines lack words");
    char *line = require_line(plan, "connections");
    plan->connections = take_number(&line);
    while (plan_mailbox(plan))
        continue;
    if (*plan->place != '\0')
        fail("the plan has lines that are not understood");
}

/* --- writing -------------------------------------------------------------------------------------
 */

struct writers {
    pthread_t threads[WRITERS];
    pthread_mutex_t mutex;
    pthread_cond_t work;
    struct mailbox_queue waiting;
    struct mailbox_queue written;
    bool closing;
    int wake; /* an eventfd that tells the loop of what is written */
};

struct batch_file {
    char name[96];
    int descriptor;
};

static void write_bytes(int descriptor, size_t length)
{
    static const char bytes[WRITE_SIZE] = "Subject: floor\n\n";
    while (length > 0) {
        ssize_t written = write(descriptor, bytes, length < sizeof bytes ? length : sizeof bytes);
        if (written < 0 && errno != EINTR)
            fail("write: %s", strerror(errno));
        if (written > 0)
            length -= (size_t)written;
    }
}

static void write_file(const struct mailbox *mailbox, struct batch_file *file, size_t size,
                       size_t number)
{
    snprintf(file->name, sizeof file->name, "1766000000.M%06zuR%016zxV%016zx.exchange,S=%zu",
             number, mailbox->step, number, size);
    file->descriptor = openat(mailbox->spool, file->name,
                              O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file->descriptor < 0)
        fail("%s: %s", file->name, strerror(errno));
    write_bytes(file->descriptor, size);
}

static void sync_folder(int folder)
{
    if (fsync(folder) < 0)
        fail("fsync: %s", strerror(errno));
}

/* All files are on their way to the disk before the first is waited for. */
static void write_batch(const struct mailbox *mailbox)
{
    const struct step *step = &mailbox->steps[mailbox->step];
    struct batch_file files[BATCH_MAX];
    for (size_t i = 0; i < step->count; i++) {
        write_file(mailbox, &files[i], step->sizes[i], i);
        sync_file_range(files[i].descriptor, 0, 0, SYNC_FILE_RANGE_WRITE);
    }
    for (size_t i = 0; i < step->count; i++) {
        if (fsync(files[i].descriptor) < 0 || close(files[i].descriptor) < 0)
            fail("%s: %s", files[i].name, strerror(errno));
    }
    sync_folder(mailbox->spool);
    for (size_t i = 0; i < step->count; i++) {
        if (renameat(mailbox->spool, files[i].name, mailbox->fresh, files[i].name) < 0)
            fail("%s: %s", files[i].name, strerror(errno));
    }
    sync_folder(mailbox->fresh);
}

static void *writer_main(void *argument)
{
    struct writers *writers = argument;
    pthread_mutex_lock(&writers->mutex);
    for (;;) {
        while (STAILQ_EMPTY(&writers->waiting) && !writers->closing)
            pthread_cond_wait(&writers->work, &writers->mutex);
        struct mailbox *mailbox = STAILQ_FIRST(&writers->waiting);
        if (mailbox == NULL)
            break;
        STAILQ_REMOVE_HEAD(&writers->waiting, entries);
        pthread_mutex_unlock(&writers->mutex);
        write_batch(mailbox);
        pthread_mutex_lock(&writers->mutex);
        STAILQ_INSERT_TAIL(&writers->written, mailbox, entries);
        eventfd_write(writers->wake, 1);
    }
    pthread_mutex_unlock(&writers->mutex);
    return NULL;
}

static void writers_start(struct writers *writers)
{
    pthread_mutex_init(&writers->mutex, NULL);
    pthread_cond_init(&writers->work, NULL);
    STAILQ_INIT(&writers->waiting);
    STAILQ_INIT(&writers->written);
    writers->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    for (size_t i = 0; i < WRITERS; i++) {
        if (pthread_create(&writers->threads[i], NULL, writer_main, writers) != 0)
            fail("no thread can be started");
    }
}

static void writers_submit(struct writers *writers, struct mailbox *mailbox)
{
    pthread_mutex_lock(&writers->mutex);
    STAILQ_INSERT_TAIL(&writers->waiting, mailbox, entries);
    pthread_cond_signal(&writers->work);
    pthread_mutex_unlock(&writers->mutex);
}

/* What is written by now, moved into `written`. */
static void writers_collect(struct writers *writers, struct mailbox_queue *written)
{
    eventfd_t count;
    eventfd_read(writers->wake, &count);
    pthread_mutex_lock(&writers->mutex);
    STAILQ_CONCAT(written, &writers->written);
    pthread_mutex_unlock(&writers->mutex);
}

static void writers_end(struct writers *writers)
{
    pthread_mutex_lock(&writers->mutex);
    writers->closing = true;
    pthread_cond_broadcast(&writers->work);
    pthread_mutex_unlock(&writers->mutex);
    for (size_t i = 0; i < WRITERS; i++)
        pthread_join(writers->threads[i], NULL);
    close(writers->wake);
}

/* --- fetching ------------------------------------------------------------------------------------
 */

#define NEVER INT64_MAX

struct transfer {
    CURL *easy;
    struct mailbox *mailbox;
    STAILQ_ENTRY(transfer) entries;
};

struct floor {
    struct plan *plan;
    struct writers writers;
    CURLM *multi;
    int poll;         /* epoll */
    int64_t due_ms;   /* when libcurl wants to be called */
    size_t under_way; /* mailboxes that have begun and are not done */
    size_t under_way_max;
    struct mailbox_queue ready;         /* whose next request may go out */
    STAILQ_HEAD(, transfer) idle;       /* connections that are free */
    uint64_t requests, bytes, messages; /* in all */
};

static size_t on_body(char *bytes, size_t size, size_t count, void *argument)
{
    (void)bytes;
    struct floor *floor = argument;
    floor->bytes += size * count;
    return size * count;
}

static int socket_wanted(CURL *easy, curl_socket_t descriptor, int what, void *argument,
                         void *assigned)
{
    (void)easy;
    struct floor *floor = argument;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(floor->poll, EPOLL_CTL_DEL, descriptor, NULL);
        return 0;
    }
    struct epoll_event event = {.data.fd = descriptor};
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
        event.events |= EPOLLIN;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
        event.events |= EPOLLOUT;
    epoll_ctl(floor->poll, assigned == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, descriptor, &event);
    if (assigned == NULL)
        curl_multi_assign(floor->multi, descriptor, floor);
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
    struct floor *floor = argument;
    floor->due_ms = timeout_ms < 0 ? NEVER : now_ms() + timeout_ms;
    return 0;
}

/* Milliseconds until libcurl wants to be called, for epoll_wait. */
static int time_left(const struct floor *floor)
{
    if (floor->due_ms == NEVER)
        return -1;
    int64_t left = floor->due_ms - now_ms();
    return left < 0 ? 0 : (int)left;
}

static void transfer_create(struct floor *floor)
{
    const struct plan *plan = floor->plan;
    struct transfer *transfer = allocate(1, sizeof *transfer);
    CURL *easy = transfer->easy = curl_easy_init();
    if (easy == NULL)
        fail("libcurl does not start");
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
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, floor);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    STAILQ_INSERT_TAIL(&floor->idle, transfer, entries);
}

static void transfer_start(struct floor *floor, struct transfer *transfer, struct mailbox *mailbox)
{
    const struct step *step = &mailbox->steps[mailbox->step];
    transfer->mailbox = mailbox;
    curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDS, step->body);
    curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE, (long)step->length);
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, mailbox->headers);
    if (curl_multi_add_handle(floor->multi, transfer->easy) != CURLM_OK)
        fail("libcurl does not take a request");
    floor->requests++;
}

static void begin_mailboxes(struct floor *floor)
{
    struct mailbox *mailbox;
    while (floor->under_way < floor->under_way_max &&
           (mailbox = STAILQ_FIRST(&floor->plan->mailboxes)) != NULL) {
        STAILQ_REMOVE_HEAD(&floor->plan->mailboxes, entries);
        STAILQ_INSERT_TAIL(&floor->ready, mailbox, entries);
        floor->under_way++;
    }
}

static void start_requests(struct floor *floor)
{
    begin_mailboxes(floor);
    while (!STAILQ_EMPTY(&floor->idle) && !STAILQ_EMPTY(&floor->ready)) {
        struct transfer *transfer = STAILQ_FIRST(&floor->idle);
        struct mailbox *mailbox = STAILQ_FIRST(&floor->ready);
        STAILQ_REMOVE_HEAD(&floor->idle, entries);
        STAILQ_REMOVE_HEAD(&floor->ready, entries);
        transfer_start(floor, transfer, mailbox);
    }
}

static void step_over(struct floor *floor, struct mailbox *mailbox)
{
    floor->messages += mailbox->steps[mailbox->step].count;
    mailbox->step++;
    if (mailbox->step < mailbox->step_count)
        STAILQ_INSERT_TAIL(&floor->ready, mailbox, entries);
    else
        floor->under_way--;
}

static void collect_answers(struct floor *floor)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(floor->multi, &left)) != NULL) {
        char *private = NULL;
        CURL *easy = message->easy_handle;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
        struct transfer *transfer = (struct transfer *)(void *)private;
        if (message->data.result != CURLE_OK)
            fail("a request failed: %s", curl_easy_strerror(message->data.result));
        curl_multi_remove_handle(floor->multi, easy);
        STAILQ_INSERT_TAIL(&floor->idle, transfer, entries);
        struct mailbox *mailbox = transfer->mailbox;
        if (mailbox->steps[mailbox->step].count > 0)
            writers_submit(&floor->writers, mailbox);
        else
            step_over(floor, mailbox);
    }
}

static void collect_written(struct floor *floor)
{
    struct mailbox_queue written = STAILQ_HEAD_INITIALIZER(written);
    writers_collect(&floor->writers, &written);
    struct mailbox *mailbox;
    while ((mailbox = STAILQ_FIRST(&written)) != NULL) {
        STAILQ_REMOVE_HEAD(&written, entries);
        step_over(floor, mailbox);
    }
}

static void take_event(struct floor *floor, const struct epoll_event *event)
{
    int running, what = 0;
    if (event->data.fd == floor->writers.wake) {
        collect_written(floor);
        return;
    }
    if ((event->events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0)
        what |= CURL_CSELECT_IN;
    if ((event->events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0)
        what |= CURL_CSELECT_OUT;
    curl_multi_socket_action(floor->multi, event->data.fd, what, &running);
}

static void wait_and_go_on(struct floor *floor)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(floor->poll, events, EVENTS, time_left(floor));
    for (int i = 0; i < count; i++)
        take_event(floor, &events[i]);
    if (time_left(floor) == 0) {
        int running;
        floor->due_ms = NEVER;
        curl_multi_socket_action(floor->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    collect_answers(floor);
}

static void floor_open(struct floor *floor, struct plan *plan)
{
    *floor = (struct floor){.plan = plan, .due_ms = NEVER};
    /* Some more mailboxes than connections, so that none idles while a mailbox waits for the disk.
     */
    floor->under_way_max = plan->connections + (plan->connections + 1) / 2;
    STAILQ_INIT(&floor->ready);
    STAILQ_INIT(&floor->idle);
    writers_start(&floor->writers);
    floor->poll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = floor->writers.wake};
    epoll_ctl(floor->poll, EPOLL_CTL_ADD, floor->writers.wake, &event);
    floor->multi = curl_multi_init();
    curl_multi_setopt(floor->multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
    curl_multi_setopt(floor->multi, CURLMOPT_SOCKETDATA, floor);
    curl_multi_setopt(floor->multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
    curl_multi_setopt(floor->multi, CURLMOPT_TIMERDATA, floor);
    curl_multi_setopt(floor->multi, CURLMOPT_MAXCONNECTS, (long)plan->connections);
    for (size_t i = 0; i < plan->connections; i++)
        transfer_create(floor);
}

static void floor_close(struct floor *floor)
{
    writers_end(&floor->writers);
    struct transfer *transfer;
    while ((transfer = STAILQ_FIRST(&floor->idle)) != NULL) {
        STAILQ_REMOVE_HEAD(&floor->idle, entries);
        curl_easy_cleanup(transfer->easy);
        free(transfer);
    }
    curl_multi_cleanup(floor->multi);
    close(floor->poll);
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

static void report(const struct floor *floor)
{
    printf("{\"requests\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"messages\": %" PRIu64
           ", \"peak_kb\": %ld}\n",
           floor->requests, floor->bytes, floor->messages, peak_kilobytes());
}

int main(int count, char **arguments)
{
    struct plan plan;
    struct floor floor;
    if (count != 2)
        fail("usage: bench-floor PLAN");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    plan_read(&plan, arguments[1]);
    floor_open(&floor, &plan);
    start_requests(&floor);
    while (floor.under_way > 0) {
        wait_and_go_on(&floor);
        start_requests(&floor);
    }
    floor_close(&floor);
    report(&floor);
    return 0;
}
