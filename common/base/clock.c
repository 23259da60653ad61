#include "base/clock.h"

#include <stdbool.h>
#include <time.h>

enum { MS_PER_SECOND = 1000, MS_PER_MINUTE = 60 * MS_PER_SECOND, MS_PER_HOUR = 60 * MS_PER_MINUTE };
static const int64_t MS_PER_DAY = INT64_C(24) * MS_PER_HOUR;

/* The years that four digits can write: 0001-01-01 and 9999-12-31T23:59:59.999. */
static const int64_t EARLIEST_MS = INT64_C(-62135596800000);
static const int64_t LATEST_MS = INT64_C(253402300799999);

int64_t clock_wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * MS_PER_SECOND + now.tv_nsec / 1000000;
}

uint64_t clock_monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * MS_PER_SECOND + (uint64_t)now.tv_nsec / 1000000;
}

/* --- days and dates of the proleptic Gregorian calendar, which xs:dateTime uses ---
 *
 * Years are counted from March, so that the leap day is the last of its year and the months before
 * it follow one pattern; 400 years (an era) have 146097 days. Day 0 is 1970-01-01. */

static int64_t clock_days_from_date(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year; /* never negative: years begin at 1 */
    int64_t era = y / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void clock_date_from_days(int64_t days, int *year, int *month, int *day)
{
    int64_t shifted = days + 719468; /* days since 0000-03-01, never negative from year 1 on */
    int64_t era = shifted / 146097;
    int64_t day_of_era = shifted - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    *day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    *month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2 ? 1 : 0));
}

static int clock_days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* --- writing --- */

static char *clock_put(char *out, int64_t number, int digits, char after)
{
    for (int i = digits - 1; i >= 0; i--) {
        out[i] = (char)('0' + number % 10);
        number /= 10;
    }
    out[digits] = after;
    return out + digits + 1;
}

void clock_format_utc(int64_t wall_ms, char text[CLOCK_TEXT_SIZE])
{
    if (wall_ms < EARLIEST_MS)
        wall_ms = EARLIEST_MS;
    if (wall_ms > LATEST_MS)
        wall_ms = LATEST_MS;
    int64_t of_day = wall_ms % MS_PER_DAY;
    if (of_day < 0)
        of_day += MS_PER_DAY;
    int year, month, day;
    clock_date_from_days((wall_ms - of_day) / MS_PER_DAY, &year, &month, &day);

    char *out = clock_put(text, year, 4, '-');
    out = clock_put(out, month, 2, '-');
    out = clock_put(out, day, 2, 'T');
    out = clock_put(out, of_day / MS_PER_HOUR, 2, ':');
    out = clock_put(out, of_day / MS_PER_MINUTE % 60, 2, ':');
    int64_t milliseconds = of_day % MS_PER_SECOND;
    out = clock_put(out, of_day / MS_PER_SECOND % 60, 2, milliseconds != 0 ? '.' : 'Z');
    if (milliseconds != 0)
        out = clock_put(out, milliseconds, 3, 'Z');
    *out = '\0';
}

void clock_format_local(int64_t wall_ms, char text[CLOCK_LOCAL_SIZE])
{
    struct tm local;
    int64_t of_second = (wall_ms % MS_PER_SECOND + MS_PER_SECOND) % MS_PER_SECOND;
    time_t seconds = (time_t)((wall_ms - of_second) / MS_PER_SECOND);
    text[0] = '\0';
    if (localtime_r(&seconds, &local) == NULL ||
        strftime(text, CLOCK_LOCAL_SIZE, "%Y-%m-%d %H:%M:%S %Z", &local) == 0)
        text[0] = '\0';
}

/* --- reading --- */

struct clock_reader {
    const char *next;
    const char *end;
};

static bool clock_take(struct clock_reader *reader, char expected)
{
    if (reader->next == reader->end || *reader->next != expected)
        return false;
    reader->next++;
    return true;
}

static bool clock_take_digit(struct clock_reader *reader, int *digit)
{
    if (reader->next == reader->end || *reader->next < '0' || *reader->next > '9')
        return false;
    *digit = *reader->next++ - '0';
    return true;
}

static bool clock_take_number(struct clock_reader *reader, int digits, int low, int high,
                              int *number)
{
    *number = 0;
    for (int i = 0; i < digits; i++) {
        int digit;
        if (!clock_take_digit(reader, &digit))
            return false;
        *number = *number * 10 + digit;
    }
    return *number >= low && *number <= high;
}

static bool clock_take_date(struct clock_reader *reader, int64_t *ms)
{
    int year, month, day;
    if (!clock_take_number(reader, 4, 1, 9999, &year) || !clock_take(reader, '-') ||
        !clock_take_number(reader, 2, 1, 12, &month) || !clock_take(reader, '-') ||
        !clock_take_number(reader, 2, 1, clock_days_in_month(year, month), &day))
        return false;
    *ms = clock_days_from_date(year, month, day) * MS_PER_DAY;
    return true;
}

/* Digits beyond the millisecond are read and forgotten: Exchange writes up to seven. */
static bool clock_take_fraction(struct clock_reader *reader, int *milliseconds)
{
    *milliseconds = 0;
    if (!clock_take(reader, '.'))
        return true;
    int digit;
    if (!clock_take_digit(reader, &digit))
        return false;
    int worth = 100;
    do {
        *milliseconds += digit * worth;
        worth /= 10;
    } while (clock_take_digit(reader, &digit));
    return true;
}

static bool clock_take_time(struct clock_reader *reader, int64_t *ms)
{
    int hour, minute, second, milliseconds;
    if (!clock_take_number(reader, 2, 0, 24, &hour) || !clock_take(reader, ':') ||
        !clock_take_number(reader, 2, 0, 59, &minute) || !clock_take(reader, ':') ||
        !clock_take_number(reader, 2, 0, 59, &second) ||
        !clock_take_fraction(reader, &milliseconds))
        return false;
    /* 24:00:00 is how xs:dateTime may write the end of a day. */
    if (hour == 24 && (minute != 0 || second != 0 || milliseconds != 0))
        return false;
    *ms += (int64_t)hour * MS_PER_HOUR + (int64_t)minute * MS_PER_MINUTE +
           (int64_t)second * MS_PER_SECOND + milliseconds;
    return true;
}

static bool clock_take_zone(struct clock_reader *reader, int64_t *ms)
{
    if (clock_take(reader, 'Z') || reader->next == reader->end)
        return true;
    int sign = clock_take(reader, '-') ? -1 : 1;
    int hours, minutes;
    if ((sign > 0 && !clock_take(reader, '+')) || !clock_take_number(reader, 2, 0, 14, &hours) ||
        !clock_take(reader, ':') || !clock_take_number(reader, 2, 0, 59, &minutes) ||
        (hours == 14 && minutes != 0))
        return false;
    *ms -= sign * ((int64_t)hours * MS_PER_HOUR + (int64_t)minutes * MS_PER_MINUTE);
    return true;
}

static bool clock_is_blank(char character)
{
    return character == ' ' || character == '\t' || character == '\r' || character == '\n';
}

int clock_parse_utc(const char *text, size_t length, int64_t *wall_ms)
{
    struct clock_reader reader = {text, text + length};
    while (reader.next < reader.end && clock_is_blank(*reader.next))
        reader.next++;
    while (reader.next < reader.end && clock_is_blank(reader.end[-1]))
        reader.end--;

    int64_t ms;
    if (!clock_take_date(&reader, &ms) ||
        (clock_take(&reader, 'T') && !clock_take_time(&reader, &ms)) ||
        !clock_take_zone(&reader, &ms) || reader.next != reader.end)
        return -1;
    *wall_ms = ms;
    return 0;
}
