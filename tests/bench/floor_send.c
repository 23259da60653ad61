/* The floor under any program that sends mail as exsyncd does: libcurl posts requests of the same
 * bytes at the same concurrency and throws the answers away. The messages are read from their
 * files, which hold them in base64 already; all that stands around them is in the plan. Nothing is
 * encoded, copied, synced, parsed or recorded.
 *
 *     bench-floor-send PLAN
 *
 * bench_send.py writes the plan (floor_common.h); for each mailbox it goes on with
 *
 *     mailbox ADDRESS
 *     request MESSAGES      how many messages are sent when it is answered
 *     text LENGTH           LENGTH bytes of body follow, and a line end
 *     file LENGTH PATH      LENGTH bytes of body are in a file
 *
 * the last three repeated, the parts of a body in their order. A mailbox's requests go out one
 * after the other. */
#include "floor_common.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of a body: bytes in memory, or else of a file. */
struct part {
    const char *text;
    const char *path;
    size_t length;
};

struct request {
    size_t messages;
    size_t first; /* of the mailbox's parts */
    size_t end;
    size_t length;
};

struct mailbox {
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
    mailbox->requests = grow(mailbox->requests, mailbox->request_count, sizeof request);
    mailbox->requests[mailbox->request_count++] = request;
    return true;
}

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
    STAILQ_INSERT_TAIL(&floor->ready, mailbox, entries);
    floor->left++;
    return true;
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
    floor->messages += mailbox->requests[mailbox->request].messages;
    mailbox->request++;
    if (mailbox->request < mailbox->request_count)
        STAILQ_INSERT_TAIL(&floor->ready, mailbox, entries);
    else
        floor->left--;
}

static void floor_open(struct floor *floor, const char *path)
{
    *floor = (struct floor){0};
    STAILQ_INIT(&floor->ready);
    floor_plan_open(&floor->plan, path);
    while (plan_mailbox(floor))
        continue;
    floor_plan_close(&floor->plan);
    floor->loop = (struct floor_loop){
        .plan = &floor->plan, .answered = answered, .argument = floor, .wake = -1};
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
    floor_loop_close(&floor.loop);
    floor_report(&floor.loop, floor.messages);
    return 0;
}
