/* What the two floors share: the words of a plan, libcurl on epoll, the report.
 *
 *   plan      a file of bench.py's: lines of words that say what is to be asked of whom. It begins
 *                 url URL
 *                 account NAME PASSWORD
 *                 authority FILE     certificates (PEM) that the server's must be signed by, "-"
 *                                    without TLS
 *                 connections N      requests at a time
 *             and goes on with lines "mailbox ...", of which each floor has its own
 *   loop      the requests that are under way, each on one of the plan's connections
 *   transfer  such a connection
 *
 * Whatever goes wrong ends the program with status 1 and a line on standard error. */
#ifndef BENCH_FLOOR_COMMON_H
#define BENCH_FLOOR_COMMON_H

#include <curl/curl.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

_Noreturn void floor_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Zeroed. */
void *floor_allocate(size_t count, size_t size);

/* --- the plan --- */

enum { FLOOR_WORD_SIZE = 4096 };
#define FLOOR_WORD "%4095s" /* of scanf */

struct floor_plan {
    char *text;
    char *place; /* read so far */
    char url[FLOOR_WORD_SIZE];
    char name[FLOOR_WORD_SIZE];
    char password[FLOOR_WORD_SIZE];
    char authority[FLOOR_WORD_SIZE];
    size_t connections;
};

/* Reads the file and its first lines. What is in it stays where it is until the end. */
void floor_plan_open(struct floor_plan *plan, const char *path);

/* The next line if it begins with this word: what follows the word, the line end made a NUL; NULL
 * if it does not. */
char *floor_plan_take(struct floor_plan *plan, const char *word);

/* The same for a line that must be there. */
char *floor_plan_require(struct floor_plan *plan, const char *word);

/* The number at *text, which then points behind it. */
size_t floor_plan_number(char **text);

/* The next `length` bytes, behind which is a line end. */
const char *floor_plan_bytes(struct floor_plan *plan, size_t length);

/* That nothing is left. */
void floor_plan_close(const struct floor_plan *plan);

/* In base64; returns the length. */
size_t floor_encode(const unsigned char *raw, size_t length, char *encoded);

/* The header of requests for a mailbox. */
struct curl_slist *floor_headers(const char *address);

/* --- the loop --- */

struct floor_transfer {
    CURL *easy;
    void *work; /* the caller's */
    STAILQ_ENTRY(floor_transfer) entries;
};

struct floor_loop {
    /* Set by the caller. `answered`: the answer to a request is there whole, and its connection is
     * free. `woken`: the descriptor `wake` can be read; -1 without one. */
    const struct floor_plan *plan;
    void (*answered)(void *argument, void *work);
    void (*woken)(void *argument);
    void *argument;
    int wake;

    CURLM *multi;
    int poll;       /* epoll */
    int64_t due_ms; /* when libcurl wants to be called */
    STAILQ_HEAD(, floor_transfer) idle;
    uint64_t requests, bytes; /* sent; of answers */
};

void floor_loop_open(struct floor_loop *loop);

/* Whether a connection is free. */
bool floor_loop_has_room(const struct floor_loop *loop);

/* A free connection, on which the caller sets what is asked and then starts it. */
struct floor_transfer *floor_loop_take(struct floor_loop *loop);
void floor_loop_start(struct floor_loop *loop, struct floor_transfer *transfer, void *work);

/* Waits for something to happen and does what comes of it. */
void floor_loop_turn(struct floor_loop *loop);

void floor_loop_close(struct floor_loop *loop);

/* One line of JSON: what was done. */
void floor_report(const struct floor_loop *loop, uint64_t messages);

#endif
