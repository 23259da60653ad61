/* The recipients of a submission as JSON for exsyncctl: an array of {"kind": "to", "cc" or "bcc",
 * "address", "name" or null}. The store has them as lines "KIND ADDRESS NAME", of which the name
 * may be missing. */
#ifndef EXSYNC_DAEMON_RECIPIENTS_JSON_H
#define EXSYNC_DAEMON_RECIPIENTS_JSON_H

#include <jansson.h>
#include <stddef.h>

enum {
    RECIPIENTS_JSON_MAX = 1000,
    /* Bytes of the array's text: half of CONTROL_ANSWER_LIMIT is left to what else is told. */
    RECIPIENTS_JSON_BYTES = 128 << 10,
};

/* The first ones, as many as both bounds allow. The caller owns the array. */
json_t *recipients_json(const char *lines);

/* How many there are. */
size_t recipients_count(const char *lines);

#endif
