/* The floor under any program that takes mail as exsyncd does: libcurl fetches the same answers at
 * the same concurrency and throws them away, and as many messages of the same sizes are written
 * with the same syncs and renames, two threads at a time. Nothing is parsed, decoded or recorded.
 *
 *     bench-floor PLAN
 *
 * bench_receive.py writes the plan (floor_common.h); for each mailbox it goes on with
 *
 *     mailbox ADDRESS MAILDIR
 *     request LENGTH        LENGTH bytes of body follow, and a line end
 *     files SIZE...         the messages that its answer brings; may be empty
 *
 * the last two repeated. MAILDIR has the folders spool and new. A mailbox's requests go out one
 * after the other, each when the messages of the one before are in new/. */
#define _GNU_SOURCE /* sync_file_range */
#include "floor_common.h"
#include "floor_writers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    WRITE_SIZE = 65536,
    BATCH_MAX = 100,
};

/* --- the plan ------------------------------------------------------------------------------------
 */

struct step {
    const char *body;
    size_t length;
    size_t *sizes;
    size_t count;
};

struct mailbox {
    struct floor_work work;
    int spool;
    int fresh; /* new/ */
    struct curl_slist *headers;
    struct step *steps;
    size_t step_count;
    size_t step; /* the one under way */
    STAILQ_ENTRY(mailbox) entries;
};

STAILQ_HEAD(mailbox_queue, mailbox);

static void plan_files(struct floor_plan *plan, struct step *step)
{
    char *line = floor_plan_require(plan, "files");
    step->sizes = floor_allocate(BATCH_MAX, sizeof *step->sizes);
    while (*line != '\0') {
        if (step->count == BATCH_MAX)
            floor_fail("the plan has more than %d files for one request", BATCH_MAX);
        step->sizes[step->count++] = floor_plan_number(&line);
    }
}

static bool plan_step(struct floor_plan *plan, struct mailbox *mailbox)
{
    char *line = floor_plan_take(plan, "request");
    if (line == NULL)
        return false;
    size_t room = (mailbox->step_count + 1) * sizeof *mailbox->steps;
    mailbox->steps = realloc(mailbox->steps, room);
    if (mailbox->steps == NULL)
        floor_fail("out of memory");
    struct step *step = &mailbox->steps[mailbox->step_count++];
    *step = (struct step){.length = floor_plan_number(&line)};
    step->body = floor_plan_bytes(plan, step->length);
    plan_files(plan, step);
    return true;
}

static int open_folder(const char *maildir, const char *name)
{
    char path[FLOOR_WORD_SIZE + 16];
    snprintf(path, sizeof path, "%s/%s", maildir, name);
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        floor_fail("%s: %s", path, strerror(errno));
    return folder;
}

static void run_batch(struct floor_work *work);

static bool plan_mailbox(struct floor_plan *plan, struct mailbox_queue *mailboxes)
{
    char *line = floor_plan_take(plan, "mailbox");
    if (line == NULL)
        return false;
    char address[FLOOR_WORD_SIZE], maildir[FLOOR_WORD_SIZE];
    if (sscanf(line, FLOOR_WORD FLOOR_WORD, address, maildir) != 2)
        floor_fail("the plan has a mailbox without its two words");
    struct mailbox *mailbox = floor_allocate(1, sizeof *mailbox);
    mailbox->work.run = run_batch;
    mailbox->spool = open_folder(maildir, "spool");
    mailbox->fresh = open_folder(maildir, "new");
    mailbox->headers = floor_headers(address);
    while (plan_step(plan, mailbox))
        continue;
    STAILQ_INSERT_TAIL(mailboxes, mailbox, entries);
    return true;
}

static void plan_read(struct floor_plan *plan, const char *path, struct mailbox_queue *mailboxes)
{
    floor_plan_open(plan, path);
    STAILQ_INIT(mailboxes);
    while (plan_mailbox(plan, mailboxes))
        continue;
    floor_plan_close(plan);
}

/* --- writing -------------------------------------------------------------------------------------
 */

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
            floor_fail("write: %s", strerror(errno));
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
        floor_fail("%s: %s", file->name, strerror(errno));
    write_bytes(file->descriptor, size);
}

static void sync_folder(int folder)
{
    if (fsync(folder) < 0)
        floor_fail("fsync: %s", strerror(errno));
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
            floor_fail("%s: %s", files[i].name, strerror(errno));
    }
    sync_folder(mailbox->spool);
    for (size_t i = 0; i < step->count; i++) {
        if (renameat(mailbox->spool, files[i].name, mailbox->fresh, files[i].name) < 0)
            floor_fail("%s: %s", files[i].name, strerror(errno));
    }
    sync_folder(mailbox->fresh);
}

static void run_batch(struct floor_work *work)
{
    write_batch((struct mailbox *)work); /* the first member */
}

/* --- fetching ------------------------------------------------------------------------------------
 */

struct floor {
    struct floor_plan plan;
    struct floor_loop loop;
    struct floor_writers writers;
    size_t under_way; /* mailboxes that have begun and are not done */
    size_t under_way_max;
    struct mailbox_queue mailboxes; /* that have not begun */
    struct mailbox_queue ready;     /* whose next request may go out */
    uint64_t messages;
};

static void start_request(struct floor *floor, struct mailbox *mailbox)
{
    const struct step *step = &mailbox->steps[mailbox->step];
    struct floor_transfer *transfer = floor_loop_take(&floor->loop);
    curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDS, step->body);
    curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE, (long)step->length);
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, mailbox->headers);
    floor_loop_start(&floor->loop, transfer, mailbox);
}

static void begin_mailboxes(struct floor *floor)
{
    struct mailbox *mailbox;
    while (floor->under_way < floor->under_way_max &&
           (mailbox = STAILQ_FIRST(&floor->mailboxes)) != NULL) {
        STAILQ_REMOVE_HEAD(&floor->mailboxes, entries);
        STAILQ_INSERT_TAIL(&floor->ready, mailbox, entries);
        floor->under_way++;
    }
}

static void start_requests(struct floor *floor)
{
    begin_mailboxes(floor);
    while (floor_loop_has_room(&floor->loop) && !STAILQ_EMPTY(&floor->ready)) {
        struct mailbox *mailbox = STAILQ_FIRST(&floor->ready);
        STAILQ_REMOVE_HEAD(&floor->ready, entries);
        start_request(floor, mailbox);
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

static void answered(void *argument, void *work)
{
    struct floor *floor = argument;
    struct mailbox *mailbox = work;
    if (mailbox->steps[mailbox->step].count > 0)
        floor_writers_submit(&floor->writers, &mailbox->work);
    else
        step_over(floor, mailbox);
}

static void collect_written(void *argument)
{
    struct floor *floor = argument;
    struct floor_works written = STAILQ_HEAD_INITIALIZER(written);
    floor_writers_collect(&floor->writers, &written);
    struct floor_work *work;
    while ((work = STAILQ_FIRST(&written)) != NULL) {
        STAILQ_REMOVE_HEAD(&written, entries);
        step_over(floor, (struct mailbox *)work);
    }
}

static void floor_open(struct floor *floor, const char *path)
{
    *floor = (struct floor){0};
    plan_read(&floor->plan, path, &floor->mailboxes);
    /* Some more mailboxes than connections, so that none idles while a mailbox waits for the disk.
     */
    floor->under_way_max = floor->plan.connections + (floor->plan.connections + 1) / 2;
    STAILQ_INIT(&floor->ready);
    floor_writers_start(&floor->writers);
    floor->loop = (struct floor_loop){
        .plan = &floor->plan,
        .answered = answered,
        .woken = collect_written,
        .argument = floor,
        .wake = floor->writers.wake,
    };
    floor_loop_open(&floor->loop);
}

int main(int count, char **arguments)
{
    struct floor floor;
    if (count != 2)
        floor_fail("usage: bench-floor PLAN");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    floor_open(&floor, arguments[1]);
    start_requests(&floor);
    while (floor.under_way > 0) {
        floor_loop_turn(&floor.loop);
        start_requests(&floor);
    }
    floor_writers_end(&floor.writers);
    floor_loop_close(&floor.loop);
    floor_report(&floor.loop, floor.messages);
    return 0;
}
