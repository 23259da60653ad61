#include "daemon/nondelivery_text.h"

#include "base/text.h"
#include "base/uuid.h"
#include "daemon/mail_text.h"

#include <string.h>

enum { SUBJECT_SIZE = 200 }; /* as it is shown */

static const char *status_of(const struct failure *failure)
{
    if (!failure->permanent)
        return "4.4.7"; /* given up after a while */
    if (failure->category == FAILURE_AUTHORIZATION)
        return "5.7.1";
    return "5.0.0";
}

static void write_header(struct buffer *text, const struct nondelivery_text *what,
                         const char *boundary)
{
    char id[UUID_TEXT_SIZE];
    uuid_generate(id);
    buffer_append_string(text, "Return-Path: <>\r\nDate: ");
    mail_write_date(text, what->now_ms);
    buffer_append_format(text,
                         "\r\nFrom: Mail Delivery System <MAILER-DAEMON@%s>\r\n"
                         "To: <%s>\r\n"
                         "Subject: Undelivered: ",
                         what->host, what->mailbox);
    mail_write_value(text, what->submission->row.subject);
    buffer_append_format(text, "\r\nMessage-ID: <%s@%s>\r\n", id, what->host);
    if (what->submission->row.message_id != NULL)
        buffer_append_format(text, "In-Reply-To: %s\r\nReferences: %s\r\n",
                             what->submission->row.message_id, what->submission->row.message_id);
    buffer_append_format(text,
                         "Auto-Submitted: auto-replied\r\n"
                         "MIME-Version: 1.0\r\n"
                         "Content-Type: multipart/report; report-type=delivery-status;\r\n"
                         " boundary=\"%s\"\r\n\r\n",
                         boundary);
}

static void write_whereabouts(struct buffer *text, const struct nondelivery_text *what)
{
    if (what->submission->lost)
        buffer_append_format(text,
                             "\r\nThe message itself is not there any more: there is no file %s "
                             "on %s.\r\n\r\n",
                             what->file, what->host);
    else
        buffer_append_format(text, "\r\nThe message is kept on %s as %s.\r\n\r\n", what->host,
                             what->file);
}

static void write_explanation(struct buffer *text, const struct nondelivery_text *what)
{
    static const char *const names[] = {
        [BACKEND_TO] = "To", [BACKEND_CC] = "Cc", [BACKEND_BCC] = "Bcc"};
    const struct failure *failure = what->failure;
    buffer_append_string(text, "Content-Type: text/plain; charset=utf-8\r\n"
                               "Content-Transfer-Encoding: 8bit\r\n\r\n");
    const char *subject = what->submission->row.subject;
    char shown[SUBJECT_SIZE];
    size_t length = text_copy_line(shown, sizeof shown, subject, strlen(subject));
    bool in_doubt = failure->in_doubt;
    buffer_append_format(text, "This message %s:\r\n\r\n    Subject: %s%s\r\n",
                         in_doubt ? "may or may not have been sent" : "was not sent", shown,
                         length < strlen(subject) ? " ..." : "");
    for (size_t i = 0; i < what->submission->recipient_count; i++)
        buffer_append_format(text, "    %s: %s\r\n", names[what->submission->recipients[i].kind],
                             what->submission->recipients[i].address);
    buffer_append_format(text, "\r\n%s\r\n", failure->sentence == NULL ? "" : failure->sentence);
    if (failure->text[0] != '\0')
        buffer_append_format(text, "%s\"%s\" (%s)\r\n",
                             failure->http_status != 0 ? "Exchange said: " : "", failure->text,
                             failure->code);
    if (failure->remedy != NULL && failure->remedy[0] != '\0')
        buffer_append_format(text, "%s\r\n", failure->remedy);
    write_whereabouts(text, what);
}

static void write_status(struct buffer *text, const struct nondelivery_text *what)
{
    const struct failure *failure = what->failure;
    buffer_append_format(text,
                         "Content-Type: message/delivery-status\r\n\r\n"
                         "Reporting-MTA: dns; %s\r\n"
                         "X-Exsyncd-Submission: %s\r\n"
                         "Arrival-Date: ",
                         what->host, what->submission->row.id);
    mail_write_date(text, what->submission->row.queued_ms);
    buffer_append_string(text, "\r\n");
    for (size_t i = 0; i < what->submission->recipient_count; i++)
        buffer_append_format(text,
                             "\r\nFinal-Recipient: rfc822; %s\r\n"
                             "Action: failed\r\n"
                             "Status: %s\r\n"
                             "Diagnostic-Code: x-exchange; %s\r\n",
                             what->submission->recipients[i].address, status_of(failure),
                             failure->code);
    buffer_append_string(text, "\r\n");
}

static void write_original(struct buffer *text, const struct nondelivery_text *what)
{
    buffer_append_format(
        text, "Content-Type: text/rfc822-headers\r\n\r\nFrom: <%s>\r\nSubject: ", what->mailbox);
    mail_write_value(text, what->submission->row.subject);
    buffer_append_string(text, "\r\n");
    if (what->submission->row.message_id != NULL)
        buffer_append_format(text, "Message-ID: %s\r\n", what->submission->row.message_id);
    buffer_append_string(text, "\r\n");
}

void nondelivery_write(struct buffer *text, const struct nondelivery_text *what)
{
    char boundary[UUID_TEXT_SIZE];
    uuid_generate(boundary);
    write_header(text, what, boundary);
    void (*const parts[])(struct buffer *, const struct nondelivery_text *) = {
        write_explanation, write_status, write_original};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        buffer_append_format(text, "--%s\r\n", boundary);
        parts[i](text, what);
    }
    buffer_append_format(text, "--%s--\r\n", boundary);
}
