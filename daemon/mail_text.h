/* What every mail that the daemon writes is made of. Lines end in CRLF. Sources: RFC 5322 (dates,
 * fields); RFC 2047 (encoded words); RFC 2045, section 6.7 (quoted-printable). */
#ifndef EXSYNC_DAEMON_MAIL_TEXT_H
#define EXSYNC_DAEMON_MAIL_TEXT_H

#include "base/buffer.h"

#include <stddef.h>
#include <stdint.h>

/* Appends "Tue, 14 Nov 2023 22:23:20 +0000". */
void mail_write_date(struct buffer *mail, int64_t wall_ms);

/* Appends the value of a field: as it is, or as encoded words where it cannot stand so. It is one
 * line of UTF-8. */
void mail_write_value(struct buffer *mail, const char *value);

/* Appends "NAME: VALUE" with its line end, folded between words so that lines stay under 76 bytes.
 * Control characters of the value become spaces. */
void mail_write_field(struct buffer *mail, const char *name, const char *value);

/* Appends UTF-8 with line feeds as quoted-printable, lines under 76 bytes; ends with a line end. */
void mail_write_quoted_printable(struct buffer *mail, const char *text, size_t length);

#endif
