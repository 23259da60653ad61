#include "daemon/mail_text.h"

#include "base/memory.h"
#include "base/text.h"
#include "mail/encoded_word.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

enum { LINE_MAX_BYTES = 75 };

void mail_write_date(struct buffer *mail, int64_t wall_ms)
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm day;
    gmtime_r(&seconds, &day);
    buffer_append_format(mail, "%s, %d %s %d %02d:%02d:%02d +0000", days[day.tm_wday], day.tm_mday,
                         months[day.tm_mon], day.tm_year + 1900, day.tm_hour, day.tm_min,
                         day.tm_sec);
}

void mail_write_value(struct buffer *mail, const char *value)
{
    if (encoded_words_needed(value))
        encoded_words_append(mail, value);
    else
        buffer_append_string(mail, value);
}

/* Breaks before words that would make the line too long; `column`: where it begins. */
static void write_folded(struct buffer *mail, const char *value, size_t column)
{
    while (*value != '\0') {
        size_t spaces = strspn(value, " ");
        size_t word = spaces + strcspn(value + spaces, " ");
        if (column + word > LINE_MAX_BYTES && spaces > 0 && word > spaces) {
            buffer_append_string(mail, "\r\n");
            column = 0;
        }
        buffer_append(mail, value, word);
        column += word;
        value += word;
    }
}

void mail_write_field(struct buffer *mail, const char *name, const char *value)
{
    size_t size = strlen(value) + 1;
    char *line = memory_allocate(size);
    text_copy_line(line, size, value, size - 1);
    buffer_append_format(mail, "%s: ", name);
    if (encoded_words_needed(line))
        encoded_words_append(mail, line);
    else
        write_folded(mail, line, strlen(name) + 2);
    buffer_append_string(mail, "\r\n");
    memory_free(line);
}

/* --- quoted-printable --- */

/* White space at the end of a line is lost on the way; a full stop at its beginning is something
 * else to SMTP. */
static bool stands_as_it_is(unsigned char byte, bool begins, bool ends)
{
    if (byte == ' ' || byte == '\t')
        return !ends;
    return byte > ' ' && byte < 0x7f && byte != '=' && !(begins && byte == '.');
}

static void write_quoted_line(struct buffer *mail, const char *line, size_t length)
{
    size_t column = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)line[i];
        bool plain = stands_as_it_is(byte, column == 0, i + 1 == length);
        size_t width = plain ? 1 : 3;
        if (column + width > LINE_MAX_BYTES - 1) { /* "=" must fit behind it */
            buffer_append_string(mail, "=\r\n");
            column = 0;
            plain = stands_as_it_is(byte, true, i + 1 == length);
            width = plain ? 1 : 3;
        }
        if (plain)
            buffer_append_char(mail, (char)byte);
        else
            buffer_append_format(mail, "=%02X", byte);
        column += width;
    }
    buffer_append_string(mail, "\r\n");
}

void mail_write_quoted_printable(struct buffer *mail, const char *text, size_t length)
{
    const char *end = text + length;
    while (text < end) {
        const char *feed = memchr(text, '\n', (size_t)(end - text));
        const char *line_end = feed == NULL ? end : feed;
        write_quoted_line(mail, text, (size_t)(line_end - text));
        text = feed == NULL ? end : feed + 1;
    }
}
