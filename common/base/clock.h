/* The one source of time. Milliseconds everywhere unless a name says otherwise. */
#ifndef EXSYNC_BASE_CLOCK_H
#define EXSYNC_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* Milliseconds since 1970-01-01T00:00:00Z. Can jump when an administrator sets the clock. */
int64_t clock_wall_ms(void);

/* Milliseconds since some fixed moment; never goes back. For time limits and intervals. */
uint64_t clock_monotonic_ms(void);

enum { CLOCK_TEXT_SIZE = sizeof "2026-01-31T23:59:59.000Z" };

/* Writes the UTC time as xs:dateTime ("2026-01-31T23:59:59Z", milliseconds only when not zero). */
void clock_format_utc(int64_t wall_ms, char text[CLOCK_TEXT_SIZE]);

enum { CLOCK_LOCAL_SIZE = 48 };

/* The same for people: local time and its zone, "2026-01-31 23:59:59 CET". */
void clock_format_local(int64_t wall_ms, char text[CLOCK_LOCAL_SIZE]);

/* Reads an xs:dateTime with or without fraction and time zone (none means UTC), and a plain date.
 * Returns 0, or -1 when the text is no time. */
int clock_parse_utc(const char *text, size_t length, int64_t *wall_ms);

#endif
