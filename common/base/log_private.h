/* For log.c and its tests: a log for a place that the caller names. */
#ifndef EXSYNC_BASE_LOG_PRIVATE_H
#define EXSYNC_BASE_LOG_PRIVATE_H

#include "base/log.h"

enum log_target {
    LOG_TARGET_STDERR,  /* sentences alone */
    LOG_TARGET_STREAM,  /* standard error, which the journal reads: each line with its priority */
    LOG_TARGET_JOURNAL, /* the journal's socket, with all fields */
};

struct log *log_create_for(enum log_priority level, enum log_target target);

#endif
