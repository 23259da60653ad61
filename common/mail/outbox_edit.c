#include "mail/header.h"
#include "mail/outbox_private.h"

#include "base/clock.h"
#include "base/memory.h"

#include <time.h>

/* What was seen of the fields that there may be one of. */
struct seen {
    bool from;
    bool message_id;
    bool date;
};

/* Bcc names those whom nobody is to see, Return-Path is for whoever delivers; a line that is no
 * field could be taken for the header's end. */
static bool is_left_out(const struct header_field *field)
{
    return field->name_length == 0 || header_field_is(field, "Bcc") ||
           header_field_is(field, "Resent-Bcc") || header_field_is(field, "Return-Path");
}

static void copy_from(const struct header_field *field, const struct outbox_edit *edit,
                      struct seen *seen, struct buffer *edited)
{
    if (edit->from == NULL)
        buffer_append(edited, field->start, field->length);
    else if (!seen->from)
        buffer_append_format(edited, "From: %s\r\n", edit->from);
    seen->from = true;
}

/* The first that can be used stays; others would make the message's name a matter of taste. */
static void copy_message_id(const struct header_field *field, struct seen *seen,
                            struct buffer *edited)
{
    char *id = outbox_message_id(field);
    if (id != NULL && !seen->message_id) {
        buffer_append(edited, field->start, field->length);
        seen->message_id = true;
    }
    memory_free(id);
}

static void copy_field(const struct header_field *field, const struct outbox_edit *edit,
                       struct seen *seen, struct buffer *edited)
{
    if (is_left_out(field) || (edit->without_to && header_field_is(field, "To")) ||
        (edit->without_cc && header_field_is(field, "Cc")))
        return;
    seen->date |= header_field_is(field, "Date");
    if (header_field_is(field, "From"))
        copy_from(field, edit, seen, edited);
    else if (header_field_is(field, "Message-ID"))
        copy_message_id(field, seen, edited);
    else
        buffer_append(edited, field->start, field->length);
}

/* RFC 5322, section 3.3, in UTC. A time that no calendar has, or of the future, is now. */
static void append_date(int64_t date_ms, struct buffer *edited)
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int64_t now_ms = clock_wall_ms();
    time_t seconds = (time_t)((date_ms > 0 && date_ms < now_ms ? date_ms : now_ms) / 1000);
    struct tm when;
    gmtime_r(&seconds, &when);
    buffer_append_format(edited, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[when.tm_wday],
                         when.tm_mday, months[when.tm_mon], when.tm_year + 1900, when.tm_hour,
                         when.tm_min, when.tm_sec);
}

void outbox_edit_header(const char *header, size_t length, const struct outbox_edit *edit,
                        int64_t date_ms, struct buffer *edited)
{
    struct header_field field;
    struct seen seen = {0};
    size_t offset = 0;
    while (header_next(header, length, &offset, &field))
        copy_field(&field, edit, &seen, edited);
    if (!seen.from && edit->from != NULL)
        buffer_append_format(edited, "From: %s\r\n", edit->from);
    if (!seen.message_id && edit->message_id != NULL)
        buffer_append_format(edited, "Message-ID: %s\r\n", edit->message_id);
    if (!seen.date)
        append_date(date_ms, edited);
    buffer_append_string(edited, "\r\n");
}
