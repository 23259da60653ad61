/* Scripted faults: which requests they meet, and what happens to those.
 *
 * A fault stays in memory until the end, so that a request may go on using the one that it met
 * after somebody has cleared it. */
#ifndef EXCHANGE_FAULTS_H
#define EXCHANGE_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

enum fault_action {
    FAULT_DELAY_ONLY,
    FAULT_HTTP, /* status, headers, text as body; carried_out */
    FAULT_SOAP, /* soap_code, message, prefix, without_detail, status, back_off_ms */
    FAULT_ITEM, /* response_code, message, back_off_ms, index */
    FAULT_CLOSE_BEFORE,
    FAULT_CLOSE_AFTER,
    FAULT_CLOSE_MIDDLE,
    FAULT_TRUNCATED,
    FAULT_GARBAGE,
    FAULT_HTML,
    FAULT_EMPTY,
    FAULT_ENDLESS,
    FAULT_DEEP, /* depth */
    FAULT_DOCTYPE
};

struct fault_header {
    char *name;
    char *value;
};

struct fault {
    unsigned number;
    /* When. */
    char *operation; /* NULL: any */
    char *mailbox;   /* NULL: any */
    unsigned count;  /* how many more it meets; with `forever` ignored */
    bool forever;
    unsigned after; /* lets so many through first */
    unsigned every; /* meets each Nth only; 0 and 1: each */
    bool only_reused;
    /* What. */
    enum fault_action action;
    unsigned delay_ms;
    unsigned status;
    bool carried_out; /* the request is, before the status is sent */
    struct fault_header *headers;
    size_t header_count;
    char *text;
    char *soap_code;
    char *response_code;
    char *message;
    char *prefix;
    bool without_detail;
    unsigned back_off_ms;
    int index; /* -1: all items */
    unsigned depth;
    /* What has come of it. */
    unsigned seen; /* requests that fitted */
    unsigned hits; /* requests that it met */
    bool is_over;
};

struct faults;

struct faults *faults_create(void);
void faults_free(struct faults *faults);

/* Adds a fault, that is taken over (from memory_allocate, as are its strings); its number. */
unsigned faults_add(struct faults *faults, struct fault *fault);
/* Clears one, or all for 0. */
void faults_clear(struct faults *faults, unsigned number);

/* What is known of a request when a fault is looked for. */
struct fault_target {
    const char *operation; /* NULL: not known yet */
    const char *mailbox;   /* NULL: not known, or none */
    bool is_reused;        /* the connection has carried an answer before */
};

/* The first fault that meets the request, NULL when none does. Before the request is read only
 * those are looked for that close the connection and ask for no operation; afterwards all others.
 */
const struct fault *faults_meet(struct faults *faults, const struct fault_target *target,
                                bool before_reading);

typedef void faults_visitor(const struct fault *fault, void *context);
void faults_visit(struct faults *faults, faults_visitor *visit, void *context);

/* Frees one that was never added. */
void fault_free(struct fault *fault);

#endif
