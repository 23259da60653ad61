#include "fixture_smtp.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { LINE_SIZE = 4096 };

/* Several connections may come at once. */
static void note(struct buffer *buffer, const char *text, size_t length)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&mutex);
    buffer_append(buffer, text, length);
    pthread_mutex_unlock(&mutex);
}

/* False when the connection is to end. */
static bool act(struct fixture_connection *connection, const struct fixture_smtp *smtp,
                enum fixture_smtp_stage stage, const char *usual)
{
    if (stage != smtp->stage)
        return fixture_send_text(connection, usual);
    switch (smtp->action) {
    case FIXTURE_SMTP_ANSWER:
        return fixture_send_text(connection, smtp->answer);
    case FIXTURE_SMTP_CLOSE:
        break;
    case FIXTURE_SMTP_RESET:
        fixture_reset(connection);
        break;
    case FIXTURE_SMTP_HANG:
        fixture_expect_end(connection);
        break;
    }
    return false;
}

static bool take_message(struct fixture_connection *connection, struct fixture_smtp *smtp)
{
    char line[LINE_SIZE];
    for (size_t count = 1; fixture_receive_line(connection, line, sizeof line); count++) {
        size_t length = strlen(line);
        if (strcmp(line, ".\r\n") == 0)
            return true;
        smtp->wrong_line_end =
            smtp->wrong_line_end || length < 2 || strcmp(line + length - 2, "\r\n") != 0;
        bool dot = line[0] == '.';
        note(&smtp->message, line + dot, length - dot);
        if (count == smtp->take)
            return false;
    }
    return false;
}

static bool greet(struct fixture_connection *connection, const struct fixture_smtp *smtp)
{
    char answer[256];
    snprintf(answer, sizeof answer, "250-fixture\r\n%s%s250 HELP\r\n",
             smtp->offers_starttls && !smtp->encrypted ? "250-STARTTLS\r\n" : "",
             smtp->offers_auth ? "250-AUTH PLAIN\r\n" : "");
    return act(connection, smtp, FIXTURE_SMTP_EHLO, answer);
}

static bool sign_in(struct fixture_connection *connection, struct fixture_smtp *smtp)
{
    char line[LINE_SIZE];
    return fixture_send_text(connection, "334 \r\n") &&
           fixture_receive_line(connection, line, sizeof line) &&
           act(connection, smtp, FIXTURE_SMTP_AUTH, "235 welcome\r\n");
}

static bool is(const char *line, const char *verb)
{
    return strncasecmp(line, verb, strlen(verb)) == 0;
}

static bool obey(struct fixture_connection *connection, struct fixture_smtp *smtp, const char *line)
{
    if (is(line, "EHLO") || is(line, "HELO"))
        return greet(connection, smtp);
    if (is(line, "STARTTLS")) {
        smtp->encrypted = act(connection, smtp, FIXTURE_SMTP_STARTTLS, "220 go ahead\r\n");
        /* Any answer but the usual one refuses. */
        if (smtp->encrypted && smtp->stage == FIXTURE_SMTP_STARTTLS)
            return !(smtp->encrypted = false);
        return smtp->encrypted && fixture_start_tls(connection);
    }
    if (is(line, "AUTH"))
        return sign_in(connection, smtp);
    if (is(line, "MAIL") || is(line, "RCPT")) {
        note(&smtp->mail, line, strlen(line));
        return act(connection, smtp, is(line, "MAIL") ? FIXTURE_SMTP_MAIL : FIXTURE_SMTP_RCPT,
                   "250 fine\r\n");
    }
    if (is(line, "DATA")) {
        bool answered = act(connection, smtp, FIXTURE_SMTP_DATA, "354 go ahead\r\n");
        if (!answered || smtp->stage == FIXTURE_SMTP_DATA)
            return answered;
        return take_message(connection, smtp) &&
               act(connection, smtp, FIXTURE_SMTP_MESSAGE, "250 taken\r\n");
    }
    if (is(line, "QUIT"))
        return act(connection, smtp, FIXTURE_SMTP_QUIT, "221 bye\r\n") && false;
    return fixture_send_text(connection, "500 what?\r\n");
}

static void serve(struct fixture_connection *connection, void *argument)
{
    struct fixture_smtp *smtp = argument;
    char line[LINE_SIZE];
    smtp->encrypted = smtp->certificate.host != NULL && !smtp->certificate.later;
    if (!act(connection, smtp, FIXTURE_SMTP_GREETING, "220 fixture ESMTP\r\n"))
        return;
    do {
        if (!fixture_receive_line(connection, line, sizeof line))
            return;
        char command[LINE_SIZE];
        int length = snprintf(command, sizeof command, "%.*s ", (int)strcspn(line, " \r\n"), line);
        note(&smtp->commands, command, (size_t)length);
    } while (obey(connection, smtp, line));
}

void fixture_smtp_start(struct fixture_smtp *smtp)
{
    smtp->server = fixture_server_start(serve, smtp,
                                        smtp->certificate.host == NULL ? NULL : &smtp->certificate);
}

void fixture_smtp_stop(struct fixture_smtp *smtp)
{
    if (smtp->server != NULL)
        fixture_server_stop(smtp->server);
    smtp->server = NULL;
}

void fixture_smtp_release(struct fixture_smtp *smtp)
{
    buffer_release(&smtp->commands);
    buffer_release(&smtp->mail);
    buffer_release(&smtp->message);
}
