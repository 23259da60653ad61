/* A time in the past as people type it. */
#ifndef EXSYNC_EXSYNCCTL_SINCE_H
#define EXSYNC_EXSYNCCTL_SINCE_H

#include <stdbool.h>
#include <stdint.h>

/* "2h", "3d", "90min", "1w": so long before `now_ms`; "2026-01-31", "2026-01-31 08:00",
 * "2026-01-31T08:00:00": local time; the same with "Z" or "+01:00" behind it: as it says. False for
 * everything else, and for what is no time of the calendar. */
bool since_parse(const char *text, int64_t now_ms, int64_t *since_ms);

#define SINCE_FORMS \
    "\"2026-01-31 08:00\" (local time), 2026-01-31T08:00:00Z, or 2h, 3d for so long ago"

#endif
