/* The floors under any program that sends mail as exsyncd does: libcurl posts requests of the same
 * bytes at the same concurrency and throws the answers away. The bare one reads the messages from
 * files that hold them in base64 already; nothing is encoded, copied, synced or recorded. The one
 * that keeps exsyncd's promises takes them from an outbox (floor_outbox.h) and encodes them. All
 * that stands around the messages is in the plan; nothing is parsed.
 *
 *     bench-floor-send PLAN
 *
 * bench_send.py writes the plan (floor_common.h); it goes on with
 *
 *     outbox FOLDER         of the floor that keeps promises
 *
 * and then for each mailbox with
 *
 *     mailbox ADDRESS
 *     request MESSAGES      how many messages are sent when it is answered
 *     text LENGTH           LENGTH bytes of body follow, and a line end
 *     file LENGTH PATH      LENGTH bytes of body are in a file
 *     encode LENGTH NAME    a file of the outbox, LENGTH bytes when it is encoded
 *
 * the last four repeated, the parts of a body in their order. A mailbox's requests go out one
 * after the other; those without mail send what the ones before them have created. */
#include "floor_common.h"
#include "floor_outbox.h"
#include "floor_writers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RAW_SIZE = 12288 }; /* bytes of a message that are encoded at a time: a multiple of 3 */

/* Of a body: bytes in memory, or else of a file, or of a file that is encoded. */
struct part {
    const char *text;
    const char *path;
    const char *mail;
    size_t length;
};

struct request {
    size_t messages;
    size_t first; /* of the mailbox's parts */
    size_t end;
    size_t end_of_mail; /* of the mailbox's */
    size_t length;
};

enum step {
    STEP_TAKE,
    STEP_NOTE,
    STEP_REMOVE,
};

struct mailbox {
    struct floor_work work; /* the step that is under way */
    enum step step;
    struct floor_outbox *outbox; /* NULL: the bare floor */
    const char **mail;           /* names, in the order in which they go out */
    size_t mail_count;
    size_t taken;   /* of them */
    size_t removed; /* of them */
    bool noted;     /* the ledger knows of the request */
    char encoded[RAW_SIZE / 3 * 4];
    size_t encoded_length;
    size_t encoded_done;
    struct curl_slist *headers;
    struct part *parts;
    size_t part_count;
    struct request *requests;
    size_t request_count;
    size_t request; /* the one under way; of it: */
    size_t part;    /* the one that is read */
    size_t done;    /* bytes of that */
    int descriptor; /* its file; -1: not open */
    STAILQ_ENTRY(mailbox) entries;
};

STAILQ_HEAD(mailbox_queue, mailbox);

struct floor {
    struct floor_plan plan;
    struct floor_loop loop;
    struct floor_writers writers;
    struct floor_outbox outbox;
    bool keeps;                 /* exsyncd's promises */
    struct mailbox_queue ready; /* whose next request may go out */
    size_t left;                /* mailboxes that are not done */
    uint64_t messages;
};

/* --- the plan ------------------------------------------------------------------------------------
 */

/* One element more. */
static void *grow(void *array, size_t count, size_t size)
{
    void *grown = realloc(array, (count + 1) * size);
    if (grown == NULL)
        floor_fail("out of memory");
    return grown;
}

static bool plan_part(struct floor_plan *plan, struct mailbox *mailbox)
{
    struct part part = {0};
    char *line = floor_plan_take(plan, "text");
    if (line != NULL) {
        part.length = floor_plan_number(&line);
        part.text = floor_plan_bytes(plan, part.length);
    } else if ((line = floor_plan_take(plan, "file")) != NULL) {
        part.length = floor_plan_number(&line);
        part.path = line + strspn(line, " ");
    } else if ((line = floor_plan_take(plan, "encode")) != NULL) {
        part.length = floor_plan_number(&line);
        part.mail = line + strspn(line, " ");
        mailbox->mail = grow(mailbox->mail, mailbox->mail_count, sizeof part.mail);
        mailbox->mail[mailbox->mail_count++] = part.mail;
    } else {
        return false;
    }
    mailbox->parts = grow(mailbox->parts, mailbox->part_count, sizeof part);
    mailbox->parts[mailbox->part_count++] = part;
    return true;
}

static bool plan_request(struct floor_plan *plan, struct mailbox *mailbox)
{
    char *line = floor_plan_take(plan, "request");
    if (line == NULL)
        return false;
    struct request request = {.messages = floor_plan_number(&line), .first = mailbox->part_count};
    while (plan_part(plan, mailbox))
        request.length += mailbox->parts[mailbox->part_count - 1].length;
    request.end = mailbox->part_count;
    request.end_of_mail = mailbox->mail_count;
    mailbox->requests = grow(mailbox->requests, mailbox->request_count, sizeof request);
    mailbox->requests[mailbox->request_count++] = request;
    return true;
}

static void run_step(struct floor_work *work);
static void go_on(struct floor *floor, struct mailbox *mailbox);

static bool plan_mailbox(struct floor *floor)
{
    const char *address = floor_plan_take(&floor->plan, "mailbox");
    if (address == NULL)
        return false;
    struct mailbox *mailbox = floor_allocate(1, sizeof *mailbox);
    mailbox->headers = floor_headers(address);
    mailbox->descriptor = -1;
    while (plan_request(&floor->plan, mailbox))
        continue;
    if (mailbox->request_count == 0)
        floor_fail("the plan has no request for %s", address);
    mailbox->outbox = floor->keeps ? &floor->outbox : NULL;
    mailbox->work.run = run_step;
    go_on(floor, mailbox);
    floor->left++;
    return true;
}

/* --- promises ------------------------------------------------------------------------------------
 */

/* The mail of the request under way, or of those before it that it sends. */
static size_t mail_asked(const struct mailbox *mailbox, const char *const **names)
{
    *names = mailbox->mail + mailbox->removed;
    return mailbox->requests[mailbox->request].end_of_mail - mailbox->removed;
}

static void run_step(struct floor_work *work)
{
    struct mailbox *mailbox = (struct mailbox *)work; /* the first member */
    const char *const *names;
    size_t count = mail_asked(mailbox, &names);
    if (mailbox->step == STEP_NOTE) {
        floor_outbox_note(mailbox->outbox, "asked for", names, count);
        mailbox->noted = true;
    } else if (mailbox->step == STEP_REMOVE) {
        floor_outbox_remove(mailbox->outbox, names, count);
        mailbox->removed += count;
    } else {
        size_t left = mailbox->mail_count - mailbox->taken;
        count = left < FLOOR_TAKE_MAX ? left : FLOOR_TAKE_MAX;
        floor_outbox_take(mailbox->outbox, mailbox->mail + mailbox->taken, count);
        mailbox->taken += count;
    }
}

static void begin_step(struct floor *floor, struct mailbox *mailbox, enum step step)
{
    mailbox->step = step;
    floor_writers_submit(&floor->writers, &mailbox->work);
}

/* Whatever has to be on disk before the next request goes out. */
static void go_on(struct floor *floor, struct mailbox *mailbox)
{
    if (!floor->keeps)
        STAILQ_INSERT_TAIL(&floor->ready, mailbox, entries);
    else if (mailbox->requests[mailbox->request].end_of_mail > mailbox->taken)
        begin_step(floor, mailbox, STEP_TAKE);
    else if (!mailbox->noted)
        begin_step(floor, mailbox, STEP_NOTE);
    else
        STAILQ_INSERT_TAIL(&floor->ready, mailbox, entries);
}

static void request_over(struct floor *floor, struct mailbox *mailbox)
{
    mailbox->noted = false;
    mailbox->request++;
    if (mailbox->request < mailbox->request_count)
        go_on(floor, mailbox);
    else
        floor->left--;
}

static void collect_steps(void *argument)
{
    struct floor *floor = argument;
    struct floor_works done = STAILQ_HEAD_INITIALIZER(done);
    floor_writers_collect(&floor->writers, &done);
    struct floor_work *work;
    while ((work = STAILQ_FIRST(&done)) != NULL) {
        struct mailbox *mailbox = (struct mailbox *)work;
        STAILQ_REMOVE_HEAD(&done, entries);
        if (mailbox->step == STEP_REMOVE)
            request_over(floor, mailbox);
        else
            go_on(floor, mailbox);
    }
}

/* --- posting -------------------------------------------------------------------------------------
 */

static size_t read_file(struct mailbox *mailbox, const struct part *part, char *room, size_t size)
{
    if (mailbox->descriptor < 0)
        mailbox->descriptor = open(part->path, O_RDONLY | O_CLOEXEC);
    ssize_t got = mailbox->descriptor < 0 ? -1 : read(mailbox->descriptor, room, size);
    if (got <= 0)
        floor_fail("%s: %s", part->path, got < 0 ? strerror(errno) : "is too short");
    return (size_t)got;
}

static void open_mail(struct mailbox *mailbox, const struct part *part)
{
    mailbox->descriptor = openat(mailbox->outbox->queue, part->mail, O_RDONLY | O_CLOEXEC);
    if (mailbox->descriptor < 0)
        floor_fail("%s: %s", part->mail, strerror(errno));
    mailbox->encoded_length = mailbox->encoded_done = 0;
}

static void encode_more(struct mailbox *mailbox, const struct part *part)
{
    unsigned char raw[RAW_SIZE];
    size_t length = 0;
    ssize_t got;
    while (length < sizeof raw &&
           (got = read(mailbox->descriptor, raw + length, sizeof raw - length)) > 0)
        length += (size_t)got;
    if (length == 0)
        floor_fail("%s: is too short", part->mail);
    mailbox->encoded_length = floor_encode(raw, length, mailbox->encoded);
    mailbox->encoded_done = 0;
}

static size_t read_mail(struct mailbox *mailbox, const struct part *part, char *room, size_t size)
{
    if (mailbox->descriptor < 0)
        open_mail(mailbox, part);
    if (mailbox->encoded_done == mailbox->encoded_length)
        encode_more(mailbox, part);
    size_t left = mailbox->encoded_length - mailbox->encoded_done;
    size_t length = left < size ? left : size;
    memcpy(room, mailbox->encoded + mailbox->encoded_done, length);
    mailbox->encoded_done += length;
    return length;
}

/* Fills what libcurl has room for, part after part. */
static size_t on_read(char *room, size_t size, size_t count, void *argument)
{
    struct mailbox *mailbox = argument;
    size_t filled = 0, most = size * count;
    while (filled < most && mailbox->part < mailbox->requests[mailbox->request].end) {
        const struct part *part = &mailbox->parts[mailbox->part];
        size_t left = part->length - mailbox->done;
        size_t got = left < most - filled ? left : most - filled;
        if (part->text != NULL)
            memcpy(room + filled, part->text + mailbox->done, got);
        else if (part->mail != NULL)
            got = read_mail(mailbox, part, room + filled, got);
        else
            got = read_file(mailbox, part, room + filled, got);
        filled += got;
        mailbox->done += got;
        if (mailbox->done < part->length)
            continue;
        if (mailbox->descriptor >= 0)
            close(mailbox->descriptor);
        mailbox->descriptor = -1;
        mailbox->done = 0;
        mailbox->part++;
    }
    return filled;
}

static void start_request(struct floor *floor, struct mailbox *mailbox)
{
    const struct request *request = &mailbox->requests[mailbox->request];
    struct floor_transfer *transfer = floor_loop_take(&floor->loop);
    mailbox->part = request->first;
    curl_easy_setopt(transfer->easy, CURLOPT_POST, 1L);
    curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->length);
    curl_easy_setopt(transfer->easy, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(transfer->easy, CURLOPT_READDATA, mailbox);
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, mailbox->headers);
    floor_loop_start(&floor->loop, transfer, mailbox);
}

static void start_requests(struct floor *floor)
{
    while (floor_loop_has_room(&floor->loop) && !STAILQ_EMPTY(&floor->ready)) {
        struct mailbox *mailbox = STAILQ_FIRST(&floor->ready);
        STAILQ_REMOVE_HEAD(&floor->ready, entries);
        start_request(floor, mailbox);
    }
}

static void answered(void *argument, void *work)
{
    struct floor *floor = argument;
    struct mailbox *mailbox = work;
    const struct request *request = &mailbox->requests[mailbox->request];
    floor->messages += request->messages;
    if (floor->keeps && request->messages > 0)
        begin_step(floor, mailbox, STEP_REMOVE);
    else
        request_over(floor, mailbox);
}

static void floor_open(struct floor *floor, const char *path)
{
    *floor = (struct floor){0};
    STAILQ_INIT(&floor->ready);
    floor_plan_open(&floor->plan, path);
    floor_writers_start(&floor->writers);
    const char *folder = floor_plan_take(&floor->plan, "outbox");
    floor->keeps = folder != NULL;
    if (floor->keeps)
        floor_outbox_open(&floor->outbox, folder);
    while (plan_mailbox(floor))
        continue;
    floor_plan_close(&floor->plan);
    floor->loop = (struct floor_loop){.plan = &floor->plan,
                                      .answered = answered,
                                      .woken = collect_steps,
                                      .argument = floor,
                                      .wake = floor->writers.wake};
    floor_loop_open(&floor->loop);
}

int main(int count, char **arguments)
{
    struct floor floor;
    if (count != 2)
        floor_fail("usage: bench-floor-send PLAN");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    floor_open(&floor, arguments[1]);
    start_requests(&floor);
    while (floor.left > 0) {
        floor_loop_turn(&floor.loop);
        start_requests(&floor);
    }
    floor_writers_end(&floor.writers);
    floor_loop_close(&floor.loop);
    floor_report(&floor.loop, floor.messages);
    return 0;
}
