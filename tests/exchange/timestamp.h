/* Points in time: seconds since 1970, UTC. */
#ifndef EXCHANGE_TIMESTAMP_H
#define EXCHANGE_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

enum { TIMESTAMP_SIZE = 32 };

/* Writes 2026-01-31T09:00:00Z, as EWS writes times. */
void timestamp_format(int64_t time, char text[static TIMESTAMP_SIZE]);

/* Reads an xs:dateTime; fractions are dropped, an offset is applied, none means UTC. */
bool timestamp_parse(const char *text, int64_t *time);

/* Reads an xs:dateTime, or seconds from now: -3600. */
bool timestamp_parse_option(const char *text, int64_t *time);

/* Reads the Date field of a message (RFC 5322 section 3.3, obsolete zones included). */
bool timestamp_parse_mail_date(const char *text, int64_t *time);

/* Now. */
int64_t timestamp_now(void);

#endif
