#define _GNU_SOURCE /* strptime */
#include "tools/exsyncctl_since.h"

#include "base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool parse_age(const char *text, int64_t now_ms, int64_t *since_ms)
{
    static const struct {
        const char *name;
        int64_t factor;
    } units[] = {{"w", 7 * 24 * 3600000LL},
                 {"d", 24 * 3600000LL},
                 {"h", 3600000},
                 {"min", 60000},
                 {"m", 60000},
                 {"s", 1000}};
    char *unit;
    errno = 0;
    long long number = isdigit((unsigned char)*text) ? strtoll(text, &unit, 10) : -1;
    if (number < 0 || errno != 0 || unit - text > 9)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(unit, units[i].name) != 0)
            continue;
        *since_ms = now_ms - number * units[i].factor;
        return true;
    }
    return false;
}

static bool parse_local(const char *text, int64_t *since_ms)
{
    static const char *const formats[] = {"%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S",
                                          "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct tm parts = {.tm_isdst = -1};
        const char *end = strptime(text, formats[i], &parts);
        if (end == NULL || *end != '\0')
            continue;
        int day = parts.tm_mday;
        time_t seconds = mktime(&parts);
        *since_ms = (int64_t)seconds * 1000;
        return parts.tm_mday == day; /* not February 30 */
    }
    return false;
}

bool since_parse(const char *text, int64_t now_ms, int64_t *since_ms)
{
    if (parse_age(text, now_ms, since_ms) || parse_local(text, since_ms))
        return true;
    return strchr(text, 'T') != NULL && clock_parse_utc(text, strlen(text), since_ms) == 0;
}
