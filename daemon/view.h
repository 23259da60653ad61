/* A view: what one request of exsyncctl is told about mailboxes and profiles, made in slices so
 * that ten thousand of them hold up no cycle.
 *
 * First the numbers are read that only the store knows; then `slice` is called once a turn, while
 * the client has room, until it says that it was the last. Between slices a reload may have changed
 * everything: a walk goes on behind the address that it has come to. */
#ifndef EXSYNC_DAEMON_VIEW_H
#define EXSYNC_DAEMON_VIEW_H

#include "daemon/control.h"
#include "daemon/service_private.h"
#include "daemon/view_numbers.h"

enum view_slice {
    VIEW_MORE,
    VIEW_LAST,   /* the request ends */
    VIEW_FAILED, /* it has been ended, by control_fail */
};

struct view {
    struct control_request *request; /* NULL: the client is gone */
    struct service *service;
    struct view_numbers numbers;
    bool known; /* false: the store could not be read, and `numbers` are not known */
    enum view_slice (*slice)(struct view *view);
    bool reading;   /* private, as the next two */
    char *last;     /* the address that the walk has come to */
    size_t profile; /* the next one to be told */
};

/* Starts one: `size` bytes, all zero, of a struct that begins with a view. */
void *view_start(size_t size, struct control_request *request,
                 enum view_slice (*slice)(struct view *view));

/* Calls `each` for the next `most` mailboxes of the configuration in use, by address. False: those
 * were the last, and the next walk begins anew. */
bool view_walk(struct view *view, size_t most,
               void (*each)(struct view *view, const struct mailbox *mailbox));

/* Tells the next profiles, by name. False: those were the last. */
bool view_tell_profiles(struct view *view);

void view_tell_profile(struct view *view, const struct profile *profile);

/* The mailbox as mailbox_json.h describes it. */
json_t *view_mailbox(const struct view *view, const struct mailbox *mailbox);

/* A number that the store told; null when it could not be read. */
json_t *view_number(const struct view *view, uint64_t number);

#endif
