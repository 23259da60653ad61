#define _GNU_SOURCE /* strptime, timegm */

#include "timestamp.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static char *append_digits(char *out, unsigned number, unsigned count)
{
    for (unsigned i = count; i-- > 0; number /= 10)
        out[i] = (char)('0' + number % 10);
    return out + count;
}

/* By hand, because strftime would be half of the cost of a FindItem answer. */
void timestamp_format(int64_t time, char text[static TIMESTAMP_SIZE])
{
    struct tm parts;
    time_t seconds = (time_t)time;
    gmtime_r(&seconds, &parts);
    const int numbers[] = {parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                           parts.tm_hour,        parts.tm_min,     parts.tm_sec};
    char *out = text;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        out = append_digits(out, (unsigned)numbers[i], i == 0 ? 4 : 2);
        *out++ = "--T::Z"[i];
    }
    *out = '\0';
}

/* Reads Z, +02:00, -0530 or nothing; false when something else stands there. */
static bool parse_offset(const char *text, int64_t *offset)
{
    *offset = 0;
    if (*text == '\0' || strcmp(text, "Z") == 0)
        return true;
    int hours;
    int minutes;
    char sign = *text;
    if ((sign != '+' && sign != '-') || (sscanf(text + 1, "%2d:%2d", &hours, &minutes) != 2 &&
                                         sscanf(text + 1, "%2d%2d", &hours, &minutes) != 2))
        return false;
    *offset = (hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
    return true;
}

bool timestamp_parse(const char *text, int64_t *time)
{
    struct tm parts = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
    if (rest == NULL)
        return false;
    if (*rest == '.')
        rest += 1 + strspn(rest + 1, "0123456789");
    int64_t offset;
    if (!parse_offset(rest, &offset))
        return false;
    *time = (int64_t)timegm(&parts) - offset;
    return true;
}

bool timestamp_parse_option(const char *text, int64_t *time)
{
    if (timestamp_parse(text, time))
        return true;
    char *end;
    long long seconds = strtoll(text, &end, 10);
    if (end == text || *end != '\0')
        return false;
    *time = timestamp_now() + seconds;
    return true;
}

static int64_t zone_offset(const char *zone)
{
    static const struct {
        const char *name;
        int hours;
    } zones[] = {{"EST", -5}, {"EDT", -4}, {"CST", -6}, {"CDT", -5},
                 {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7}};
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++)
        if (strncasecmp(zone, zones[i].name, 3) == 0)
            return zones[i].hours * 3600;
    char sign = *zone;
    if ((sign != '+' && sign != '-') || !isdigit((unsigned char)zone[1]))
        return 0;
    int number = atoi(zone + 1);
    return (number / 100 * 3600 + number % 100 * 60) * (sign == '-' ? -1 : 1);
}

bool timestamp_parse_mail_date(const char *text, int64_t *time)
{
    const char *comma = strchr(text, ',');
    if (comma != NULL)
        text = comma + 1;
    static const char *const layouts[] = {" %d %b %Y %H:%M:%S ", " %d %b %Y %H:%M ",
                                          " %a %d %b %Y %H:%M:%S "};
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        struct tm parts = {0};
        const char *zone = strptime(text, layouts[i], &parts);
        if (zone == NULL)
            continue;
        if (parts.tm_year < 0) /* a year of two digits */
            parts.tm_year += parts.tm_year < -1850 ? 2000 : 1900;
        *time = (int64_t)timegm(&parts) - zone_offset(zone);
        return true;
    }
    return false;
}

int64_t timestamp_now(void)
{
    return (int64_t)time(NULL);
}
