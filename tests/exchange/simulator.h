/* Everything that the simulator is made of. main() owns it, everybody else gets it passed. */
#ifndef EXCHANGE_SIMULATOR_H
#define EXCHANGE_SIMULATOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* What can be changed while it runs. */
struct simulator_limits {
    atomic_uint page_size;        /* items in a FindItem answer */
    atomic_uint concurrency;      /* requests at a time for a mailbox; 0: no limit */
    atomic_uint back_off_ms;      /* what ErrorServerBusy asks for */
    atomic_size_t request_size;   /* bytes */
    atomic_uint too_large_status; /* HTTP status of larger requests */
    atomic_uint latency_ms;       /* every EWS answer waits so long */
};

struct simulator {
    struct store *store;
    struct access *access;
    struct faults *faults;
    struct counters *counters;
    struct transport *transport;
    struct schema *schema; /* NULL: nothing is validated */
    struct simulator_limits limits;
    const char *proxy_user_header; /* NULL: Basic */
    bool checks_responses;
    bool enforces_send_as;
    atomic_bool sends_no_drafts;    /* SendItem is not known */
    atomic_bool keeps_properties;   /* recipients get a message's extended properties */
    atomic_bool renews_message_ids; /* and another Message-ID than the sender gave */
};

#endif
