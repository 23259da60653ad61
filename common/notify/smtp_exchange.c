#include "notify/smtp_exchange.h"

#include "base/clock.h"

#include <ctype.h>
#include <string.h>

/* The answer to QUIT changes nothing any more. */
enum { QUIT_PATIENCE_MS = 2000 };

static const struct command {
    const char *verb;
    enum smtp_stage stage;
} commands[] = {
    {"EHLO", SMTP_STAGE_EHLO},         {"HELO", SMTP_STAGE_EHLO}, {"AUTH", SMTP_STAGE_AUTH},
    {"STARTTLS", SMTP_STAGE_STARTTLS}, {"MAIL", SMTP_STAGE_MAIL}, {"RCPT", SMTP_STAGE_RCPT},
    {"DATA", SMTP_STAGE_DATA},         {"QUIT", SMTP_STAGE_QUIT},
};

const char *smtp_stage_name(enum smtp_stage stage)
{
    static const char *const names[SMTP_STAGE_COUNT] = {
        "connect", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "message", "QUIT",
    };
    return names[stage];
}

static void begin_answer(struct smtp_exchange *exchange)
{
    exchange->code = 0;
    exchange->continued = false;
    exchange->answer_length = 0;
    exchange->answer[0] = '\0';
}

/* --- what goes out --- */

static enum smtp_stage find_stage(const char *line, size_t length, enum smtp_stage otherwise)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        size_t verb = strlen(commands[i].verb);
        if (length > verb && strncmp(line, commands[i].verb, verb) == 0 &&
            isspace((unsigned char)line[verb]))
            return commands[i].stage;
    }
    return otherwise;
}

/* libcurl shows each line that it sends, the lines of a sign-in among them: nothing is kept but
 * which command it is. */
static int on_debug(CURL *easy, curl_infotype kind, char *line, size_t length, void *argument)
{
    struct smtp_exchange *exchange = argument;
    (void)easy;
    if (kind != CURLINFO_HEADER_OUT || exchange->quit_ms != 0)
        return 0;
    enum smtp_stage stage = find_stage(line, length, exchange->stage);
    if (stage == SMTP_STAGE_QUIT) {
        exchange->quit_ms = clock_monotonic_ms();
        return 0;
    }
    exchange->stage = stage;
    begin_answer(exchange);
    return 0;
}

static size_t on_read(char *room, size_t size, size_t count, void *argument)
{
    struct smtp_exchange *exchange = argument;
    size_t length = exchange->length - exchange->taken;
    if (exchange->stage != SMTP_STAGE_MESSAGE) {
        exchange->stage = SMTP_STAGE_MESSAGE;
        begin_answer(exchange);
    }
    if (length > size * count)
        length = size * count;
    memcpy(room, exchange->message + exchange->taken, length);
    exchange->taken += length;
    exchange->whole = length == 0;
    return length;
}

/* --- what comes in --- */

static void append_answer(struct smtp_exchange *exchange, const char *words, size_t length)
{
    size_t room = sizeof exchange->answer - 1 - exchange->answer_length;
    if (length > room)
        length = room;
    memcpy(exchange->answer + exchange->answer_length, words, length);
    exchange->answer_length += length;
    exchange->answer[exchange->answer_length] = '\0';
}

static bool has_code(const char *line, size_t length)
{
    return length >= 3 && isdigit((unsigned char)line[0]) && isdigit((unsigned char)line[1]) &&
           isdigit((unsigned char)line[2]);
}

/* RFC 5321, 4.2.1: "550-First line" and, last, "550 Last line". */
static void take_line(struct smtp_exchange *exchange, const char *line, size_t length)
{
    while (length > 0 && isspace((unsigned char)line[length - 1]))
        length--;
    if (!has_code(line, length))
        return;
    if (!exchange->continued)
        begin_answer(exchange);
    bool first = exchange->answer_length == 0;
    exchange->continued = length > 3 && line[3] == '-';
    exchange->code = (unsigned)((line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0'));
    append_answer(exchange, line, first ? 3 : 0);
    if (length > 4) {
        append_answer(exchange, " ", 1);
        append_answer(exchange, line + 4, length - 4);
    }
}

static size_t on_header(char *line, size_t size, size_t count, void *argument)
{
    struct smtp_exchange *exchange = argument;
    if (exchange->quit_ms == 0)
        take_line(exchange, line, size * count);
    return size * count;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *argument)
{
    (void)bytes, (void)argument;
    return size * count;
}

/* libcurl calls this about once a second while it waits. */
static int on_progress(void *argument, curl_off_t total_down, curl_off_t down, curl_off_t total_up,
                       curl_off_t up)
{
    const struct smtp_exchange *exchange = argument;
    (void)total_down, (void)down, (void)total_up, (void)up;
    if (exchange->cancelled)
        return 1;
    return exchange->quit_ms != 0 && clock_monotonic_ms() - exchange->quit_ms > QUIT_PATIENCE_MS;
}

void smtp_exchange_attach(struct smtp_exchange *exchange, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L); /* for the debug function; nothing is printed */
    curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, on_debug);
    curl_easy_setopt(easy, CURLOPT_DEBUGDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, exchange);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
}
