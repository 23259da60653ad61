/* What a search for submission ids says of one submission. */
#ifndef EXSYNC_DAEMON_FINDING_H
#define EXSYNC_DAEMON_FINDING_H

#include "ews/backend.h"

#include <stdbool.h>
#include <stddef.h>

struct finding {
    const char *draft;     /* not submitted; the first of them. The match's, like the next */
    const char *submitted; /* waits for Transport */
    bool sent;             /* a copy is in Sent Items */
    size_t drafts;         /* that are not submitted */
};

/* Whether a match is such a draft of the submission with this index. */
static inline bool finding_is_draft(const struct backend_match *match, size_t index)
{
    return match->index == index && match->place == BACKEND_IN_DRAFTS && !match->submitted;
}

static inline struct finding finding_of(const struct backend_match *matches, size_t count,
                                        size_t index)
{
    struct finding finding = {0};
    for (size_t i = 0; i < count; i++) {
        if (matches[i].index != index)
            continue;
        if (matches[i].place == BACKEND_IN_SENT_ITEMS) {
            finding.sent = true;
        } else if (!finding_is_draft(&matches[i], index)) {
            finding.submitted = matches[i].reference;
        } else if (finding.drafts++ == 0) {
            finding.draft = matches[i].reference;
        }
    }
    return finding;
}

#endif
