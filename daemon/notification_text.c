#include "daemon/notification_text.h"

#include "daemon/mail_text.h"
#include "daemon/notification_body.h"

/* Addresses and host names are ASCII, as the configuration sees to, and stand as they are: an
 * encoded word is no part of them. */
static void write_header(struct buffer *mail, const struct notification_text *what,
                         const char *subject)
{
    buffer_append_format(mail, "From: exsyncd <%s>\r\nDate: ", what->from);
    mail_write_date(mail, what->date_ms);
    buffer_append_format(mail, "\r\nTo: <%s>\r\n", what->owner);
    mail_write_field(mail, "Subject", subject);
    buffer_append_format(mail,
                         "Message-ID: <%s.exsyncd@%s>\r\n"
                         "Auto-Submitted: auto-generated\r\n"
                         "X-Auto-Response-Suppress: All\r\n"
                         "MIME-Version: 1.0\r\n",
                         what->id, what->host);
}

static void write_part(struct buffer *mail, const char *boundary, const char *type,
                       const char *text, size_t length)
{
    buffer_append_format(mail,
                         "--%s\r\n"
                         "Content-Type: text/%s; charset=utf-8\r\n"
                         "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
                         boundary, type);
    mail_write_quoted_printable(mail, text, length);
    buffer_append_string(mail, "\r\n");
}

void notification_write_message(struct buffer *mail, const struct notification_text *what)
{
    char subject[NOTIFICATION_SUBJECT_SIZE];
    struct buffer boundary = {0}, text = {0};
    /* "=_" is in no quoted-printable text. */
    buffer_append_format(&boundary, "=_%s", what->id);
    notification_write_subject(subject, what);
    write_header(mail, what, subject);
    buffer_append_format(mail, "Content-Type: multipart/alternative;\r\n boundary=\"%s\"\r\n\r\n",
                         boundary.data);
    notification_write_body(&text, &notification_page_plain, subject, what);
    write_part(mail, boundary.data, "plain", text.data, text.length);
    buffer_clear(&text);
    notification_write_body(&text, &notification_page_html, subject, what);
    write_part(mail, boundary.data, "html", text.data, text.length);
    buffer_append_format(mail, "--%s--\r\n", boundary.data);
    buffer_release(&boundary);
    buffer_release(&text);
}
