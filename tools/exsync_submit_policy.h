/* What the daemon publishes for exsync-submit, which may not read its configuration:
 * STATE/outbox/policy, an INI file with one section:
 *
 *   [submit]
 *   recipients_rewrite = yes|no    no: header recipients that were not given are refused
 *   max_message_size = BYTES       0: no limit
 *   min_free = BYTES               that must stay free on the file system; 0: none
 *
 * No file means the defaults: no, 0 and 0. Keys and sections that are not known are ignored, as a
 * newer daemon may have more of them. */
#ifndef EXSYNC_SUBMIT_POLICY_H
#define EXSYNC_SUBMIT_POLICY_H

#include "tools/exsync_submit_problem.h"

#include <stdbool.h>
#include <stdint.h>

struct submit_policy {
    bool recipients_rewrite;
    uint64_t max_message_size;
    uint64_t min_free;
};

/* `outbox`: a descriptor of the folder. Returns EX_OK or the problem's status. */
int submit_policy_read(struct submit_policy *policy, int outbox, struct submit_problem *problem);

#endif
