#include "config/config_value.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    const char *name;
    uint64_t factor;
};

/* As in systemd.time(7), the months and years left out. */
static const struct unit time_units[] = {
    {"w", UINT64_C(7) * 24 * 3600 * 1000},
    {"d", UINT64_C(24) * 3600 * 1000},
    {"h", UINT64_C(3600) * 1000},
    {"m", UINT64_C(60) * 1000},
    {"s", 1000},
    {"ms", 1},
    {"min", UINT64_C(60) * 1000},
    {"sec", 1000},
    {NULL, 0},
};

/* KB counts in thousands and KiB in 1024s; a bare K is 1024, as in systemd's own files. */
static const struct unit size_units[] = {
    {"GB", 1000000000},
    {"MB", 1000000},
    {"KB", 1000},
    {"B", 1},
    {"GiB", UINT64_C(1) << 30},
    {"MiB", UINT64_C(1) << 20},
    {"KiB", UINT64_C(1) << 10},
    {"G", UINT64_C(1) << 30},
    {"M", UINT64_C(1) << 20},
    {"K", UINT64_C(1) << 10},
    {"kB", 1000},
    {"k", UINT64_C(1) << 10},
    {NULL, 0},
};

static void append_amount(struct buffer *text, uint64_t amount, const struct unit *units)
{
    if (amount == 0) {
        buffer_append_char(text, '0');
        return;
    }
    while (amount % units->factor != 0)
        units++;
    buffer_append_format(text, "%llu%s", (unsigned long long)(amount / units->factor), units->name);
}

static const struct unit *find_unit(const struct unit *units, const char *text, size_t length)
{
    for (; units->name != NULL; units++) {
        if (strlen(units->name) == length && strncmp(units->name, text, length) == 0)
            return units;
    }
    return NULL;
}

enum amount_result { AMOUNT_READ, AMOUNT_MALFORMED, AMOUNT_NO_UNIT, AMOUNT_BAD_UNIT, AMOUNT_HUGE };

/* One number with its unit; `*text` is left behind them. `bare` is the unit of a number without
 * one, NULL when it must have one. */
static enum amount_result read_part(const char **text, const struct unit *units,
                                    const struct unit *bare, uint64_t *amount)
{
    const char *at = *text;
    uint64_t number = 0;
    if (!isdigit((unsigned char)*at))
        return AMOUNT_MALFORMED;
    for (; isdigit((unsigned char)*at); at++) {
        if (__builtin_mul_overflow(number, 10U, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*at - '0'), &number))
            return AMOUNT_HUGE;
    }
    while (*at == ' ')
        at++;
    size_t length = 0;
    while (isalpha((unsigned char)at[length]))
        length++;
    const struct unit *unit = length == 0 ? bare : find_unit(units, at, length);
    if (unit == NULL && length == 0 && *at != '\0')
        return AMOUNT_MALFORMED;
    if (unit == NULL && length == 0 && number > 0)
        return AMOUNT_NO_UNIT;
    if (unit == NULL && length == 0)
        unit = units; /* nothing is nothing in any unit */
    if (unit == NULL)
        return AMOUNT_BAD_UNIT;
    if (__builtin_mul_overflow(number, unit->factor, &number) ||
        __builtin_add_overflow(*amount, number, amount))
        return AMOUNT_HUGE;
    at += length;
    while (*at == ' ')
        at++;
    *text = at;
    return AMOUNT_READ;
}

static bool check_range(const char *text, uint64_t amount, uint64_t least, uint64_t most,
                        const struct unit *units, const char *small, const char *large,
                        struct buffer *wrong)
{
    if (amount >= least && amount <= most)
        return true;
    buffer_append_format(wrong, "'%s' is too %s; ", text, amount < least ? small : large);
    append_amount(wrong, least, units);
    buffer_append_string(wrong, " to ");
    append_amount(wrong, most, units);
    buffer_append_string(wrong, " can be given");
    return false;
}

bool config_read_duration(const char *text, uint64_t minimum, uint64_t maximum,
                          uint64_t *milliseconds, struct buffer *wrong)
{
    uint64_t amount = 0;
    enum amount_result result = AMOUNT_READ;
    const char *at = text;
    do
        result = read_part(&at, time_units, NULL, &amount);
    while (result == AMOUNT_READ && *at != '\0');

    switch (result) {
    case AMOUNT_READ:
        if (!check_range(text, amount, minimum, maximum, time_units, "short", "long", wrong))
            return false;
        *milliseconds = amount;
        return true;
    case AMOUNT_HUGE:
        return check_range(text, UINT64_MAX, minimum, maximum, time_units, "short", "long", wrong);
    case AMOUNT_NO_UNIT:
        buffer_append_format(wrong, "'%s' has no unit; write %ss for seconds, %sm for minutes",
                             text, at, at);
        return false;
    case AMOUNT_BAD_UNIT:
        buffer_append_format(wrong, "'%s' has an unknown unit; the units are ms, s, m, h, d and w",
                             text);
        return false;
    case AMOUNT_MALFORMED:
        break;
    }
    buffer_append_format(wrong, "'%s' is no duration; write one such as 30s, 5m, 1h or 90d", text);
    return false;
}

enum { LONGEST_DURATION = 64 };

/* The next element of a list with commas, without white space around it; false behind the last. */
static bool next_element(const char **rest, char element[LONGEST_DURATION])
{
    if (*rest == NULL)
        return false;
    const char *start = *rest;
    size_t length = strcspn(start, ",");
    *rest = start[length] == ',' ? start + length + 1 : NULL;
    while (length > 0 && isspace((unsigned char)*start)) {
        start++;
        length--;
    }
    while (length > 0 && isspace((unsigned char)start[length - 1]))
        length--;
    if (length >= LONGEST_DURATION)
        length = LONGEST_DURATION - 1;
    memcpy(element, start, length);
    element[length] = '\0';
    return true;
}

bool config_read_durations(const char *list, uint64_t minimum, uint64_t maximum,
                           struct buffer *wrong)
{
    char element[LONGEST_DURATION];
    const char *rest = list;
    uint64_t milliseconds;
    while (next_element(&rest, element)) {
        if (!config_read_duration(element, minimum, maximum, &milliseconds, wrong))
            return false;
    }
    return true;
}

bool config_next_duration(const char **rest, uint64_t *milliseconds)
{
    char element[LONGEST_DURATION];
    struct buffer wrong = {0};
    bool good = next_element(rest, element) &&
                config_read_duration(element, 0, UINT64_MAX, milliseconds, &wrong);
    buffer_release(&wrong);
    return good;
}

bool config_read_size(const char *text, uint64_t minimum, uint64_t maximum, uint64_t *bytes,
                      struct buffer *wrong)
{
    static const struct unit byte = {"", 1};
    uint64_t amount = 0;
    const char *at = text;
    enum amount_result result = read_part(&at, size_units, &byte, &amount);
    if (result == AMOUNT_HUGE)
        amount = UINT64_MAX;
    if (result == AMOUNT_HUGE || (result == AMOUNT_READ && *at == '\0')) {
        *bytes = amount;
        return check_range(text, amount, minimum, maximum, size_units, "small", "large", wrong);
    }
    if (result == AMOUNT_BAD_UNIT)
        buffer_append_format(wrong,
                             "'%s' has an unknown unit; the units are KB, MB, GB (thousands) "
                             "and KiB, MiB, GiB (1024s)",
                             text);
    else
        buffer_append_format(wrong, "'%s' is no size; write one such as 500KB, 25MB or 1GiB", text);
    return false;
}

void config_append_duration(struct buffer *text, uint64_t milliseconds)
{
    append_amount(text, milliseconds, time_units);
}

void config_append_size(struct buffer *text, uint64_t bytes)
{
    append_amount(text, bytes, size_units);
}
