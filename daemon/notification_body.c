#include "daemon/notification_body.h"

#include "base/text.h"
#include "daemon/alert_text.h"
#include "daemon/notification_section.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

enum { SECTIONS_SHOWN = 20, TIME_SIZE = 64 };

struct body {
    struct buffer *text;
    const struct notification_page *page;
    const struct notification_text *what;
};

static void say(const struct body *body, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A paragraph. */
static void say(const struct body *body, const char *format, ...)
{
    struct buffer words = {0};
    va_list arguments;
    va_start(arguments, format);
    buffer_append_format_list(&words, format, arguments);
    va_end(arguments);
    body->page->paragraph(body->text, words.data);
    buffer_release(&words);
}

/* "2026-01-31 14:05 CET": local time with its zone. */
static void format_time(int64_t wall_ms, char text[TIME_SIZE])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm day;
    localtime_r(&seconds, &day);
    strftime(text, TIME_SIZE, "%Y-%m-%d %H:%M %Z", &day);
}

static void say_how_many_more(const struct body *body, uint64_t total, uint64_t shown)
{
    if (total > shown)
        say(body, "and %" PRIu64 " more: exsyncctl alerts", total - shown);
}

static bool is_item(const struct store_alert_row *alert)
{
    return alert_scope_of(alert->scope) == FAILURE_SCOPE_ITEM;
}

/* --- a cause --- */

static void say_what_happened(const struct body *body, const struct notification_section *section)
{
    for (size_t i = 0; i < section->count && i < NOTIFICATION_SHOWN; i++) {
        const struct store_alert_row *alert = section->alerts[i];
        struct buffer sentence = {0};
        char since[TIME_SIZE];
        alert_write_sentence(&sentence, alert->opening, body->what->profile, STORE_TOLD_DONE, NULL);
        format_time(alert->opened_ms, since);
        say(body, "%s", sentence.data);
        say(body, "Since %s.", since);
        buffer_release(&sentence);
    }
    say_how_many_more(body, section->count, NOTIFICATION_SHOWN);
}

static void say_which_mailboxes(const struct body *body, const struct notification_section *section)
{
    body->page->heading(body->text, "Which mailboxes");
    if (section->mailbox_count == 0) {
        say(body, "All mailboxes of the profile %s.", body->what->profile);
        return;
    }
    size_t shown =
        section->mailbox_count < NOTIFICATION_SHOWN ? section->mailbox_count : NOTIFICATION_SHOWN;
    body->page->list_begin(body->text);
    for (size_t i = 0; i < shown; i++)
        body->page->list_item(body->text, section->mailboxes[i]);
    body->page->list_end(body->text);
    say_how_many_more(body, section->mailbox_total, shown);
}

static void say_commands(const struct body *body, const struct notification_section *section,
                         const struct remedy_place *place)
{
    struct buffer commands = {0};
    remedy_write_commands(&commands, section->category, place);
    if (commands.length > 0) {
        say(body, "In %s:",
            section->category == FAILURE_AUTHENTICATION
                ? "PowerShell, with the Active Directory module"
                : "the Exchange Management Shell");
        body->page->lines(body->text, commands.data);
        if (section->mailbox_total > 1 && strstr(commands.data, place->mailbox) != NULL)
            say(body, "%s stands for each of the %" PRIu64 " mailboxes.", place->mailbox,
                section->mailbox_total);
    }
    buffer_release(&commands);
}

static void say_what_to_do(const struct body *body, const struct notification_section *section)
{
    const struct store_alert_row *first = section->alerts[0];
    const struct remedy_place place = notification_place(body->what, first);
    struct buffer words = {0};
    body->page->heading(body->text, "What to do");
    say_commands(body, section, &place);
    remedy_write_words(&words, section->category, first->remedy, &place);
    say(body, "%s", words.data);
    buffer_release(&words);
}

static void say_details(const struct body *body, const struct notification_section *section)
{
    const struct store_alert_row *first = section->alerts[0];
    struct buffer details = {0};
    body->page->heading(body->text, section->count > 1 ? "Details of the first" : "Details");
    alert_write_details(&details, first->activity,
                        first->text[0] != '\0' ? first->text : first->sentence, first->trace);
    body->page->lines(body->text, details.data);
    if (first->code[0] != '\0')
        say(body, "%s (%s)", first->sentence, first->code);
    buffer_release(&details);
}

static void say_section(const struct body *body, const struct notification_section *section)
{
    body->page->heading(body->text, "What happened");
    say_what_happened(body, section);
    say_which_mailboxes(body, section);
    say_what_to_do(body, section);
    say_details(body, section);
}

/* --- the whole --- */

static bool only_items(const struct notification_text *what)
{
    for (size_t i = 0; i < what->alert_count; i++) {
        if (!is_item(&what->alerts[i]))
            return false;
    }
    return true;
}

static void say_how_it_goes_on(const struct body *body)
{
    body->page->heading(body->text, "How it goes on");
    if (only_items(body->what))
        say(body, "Other mail goes on as before. exsyncd keeps what it could not send, with the "
                  "reason; what it could not receive is still in the mailbox.");
    else
        say(body, "exsyncd tests again by itself, and goes on where it stopped as soon as it can. "
                  "Until then mail that comes in stays in Exchange, and mail that is submitted "
                  "stays here: nothing is lost.");
    say(body, "You get one message when all is well again. All alerts: exsyncctl alerts");
}

static void say_place(const struct body *body)
{
    const struct notification_text *what = body->what;
    say(body, "exsyncd on %s, profile %s, account %s, %s", what->host, what->profile,
        what->account == NULL ? "of the Kerberos ticket" : what->account, what->url);
}

static void say_trouble(const struct body *body)
{
    const struct notification_text *what = body->what;
    struct notification_sections sections = notification_sections_make(what);
    uint64_t seen = 0;
    for (size_t i = 0; i < sections.count && i < SECTIONS_SHOWN; i++) {
        say_section(body, &sections.all[i]);
        seen += sections.all[i].count;
    }
    uint64_t total = notification_alert_total(what);
    if (total > seen) {
        body->page->heading(body->text, "And more");
        say(body, "There %s %" PRIu64 " more %s: exsyncctl alerts",
            text_plural(total - seen, "is", "are"), total - seen,
            text_plural(total - seen, "alert", "alerts"));
    }
    notification_sections_free(&sections);
    say_how_it_goes_on(body);
}

static void say_over(const struct body *body, const struct store_alert_row *alert)
{
    char from[TIME_SIZE], to[TIME_SIZE];
    format_time(alert->opened_ms, from);
    format_time(alert->resolved_ms, to);
    say(body, "%s", alert->opening);
    say(body, "From %s to %s.", from, to);
}

static void say_well(const struct body *body)
{
    const struct notification_text *what = body->what;
    say(body,
        "All is well again: nothing that you were told of the email server profile %s is still "
        "wrong. Nothing needs to be done; mail that had to wait is caught up by itself.",
        what->profile);
    body->page->heading(body->text, "What is over");
    for (size_t i = 0; i < what->alert_count && i < NOTIFICATION_SHOWN; i++)
        say_over(body, &what->alerts[i]);
    say_how_many_more(body, notification_alert_total(what),
                      what->alert_count < NOTIFICATION_SHOWN ? what->alert_count
                                                             : NOTIFICATION_SHOWN);
}

void notification_write_body(struct buffer *text, const struct notification_page *page,
                             const char *title, const struct notification_text *what)
{
    const struct body body = {text, page, what};
    page->begin(text, title);
    if (what->kind == NOTIFICATION_WELL)
        say_well(&body);
    else
        say_trouble(&body);
    say_place(&body);
    page->end(text);
}
