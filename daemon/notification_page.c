#include "daemon/notification_page.h"

#include "base/text.h"

#include <string.h>

/* --- plain text --- */

static void append_clean(struct buffer *page, const char *words, size_t length)
{
    buffer_reserve(page, length);
    page->length += text_copy_line(page->data + page->length, length + 1, words, length);
}

static void plain_nothing(struct buffer *page)
{
    (void)page;
}

/* The title is the subject of the mail. */
static void plain_begin(struct buffer *page, const char *title)
{
    (void)page;
    (void)title;
}

static void plain_paragraph(struct buffer *page, const char *words)
{
    append_clean(page, words, strlen(words));
    buffer_append_string(page, "\n\n");
}

static void plain_heading(struct buffer *page, const char *words)
{
    size_t begin = page->length;
    append_clean(page, words, strlen(words));
    size_t length = page->length - begin;
    buffer_append_char(page, '\n');
    for (size_t i = 0; i < length; i++)
        buffer_append_char(page, '-');
    buffer_append_string(page, "\n\n");
}

static void plain_list_item(struct buffer *page, const char *words)
{
    buffer_append_string(page, "* ");
    append_clean(page, words, strlen(words));
    buffer_append_char(page, '\n');
}

static void plain_list_end(struct buffer *page)
{
    buffer_append_char(page, '\n');
}

static void plain_lines(struct buffer *page, const char *lines)
{
    while (*lines != '\0') {
        size_t length = strcspn(lines, "\n");
        buffer_append_string(page, "    ");
        append_clean(page, lines, length);
        buffer_append_char(page, '\n');
        lines += length + (lines[length] == '\n');
    }
    buffer_append_char(page, '\n');
}

const struct notification_page notification_page_plain = {
    .begin = plain_begin,
    .heading = plain_heading,
    .paragraph = plain_paragraph,
    .list_begin = plain_nothing,
    .list_item = plain_list_item,
    .list_end = plain_list_end,
    .lines = plain_lines,
    .end = plain_nothing,
};

/* --- HTML --- */

/* No colour is set: in the dark as in the light the reader's own are right. */
#define STYLE_BODY      "margin:0 auto;padding:1em;max-width:40em;font:16px/1.45 sans-serif"
#define STYLE_HEADING   "margin:1.4em 0 0.5em;font-size:1.1em;line-height:1.3"
#define STYLE_PARAGRAPH "margin:0 0 0.8em;overflow-wrap:anywhere"
#define STYLE_LIST      "margin:0 0 0.8em;padding-left:1.2em;overflow-wrap:anywhere"
#define STYLE_LINES                                                                            \
    "margin:0 0 0.8em;padding-left:0.7em;border-left:3px solid;white-space:pre-wrap;overflow-" \
    "wrap:anywhere;font:0.85em/1.5 monospace"

static void append_escaped(struct buffer *page, const char *words, size_t length)
{
    struct buffer clean = {0};
    append_clean(&clean, words, length);
    for (const char *at = buffer_string(&clean); *at != '\0'; at++) {
        if (*at == '&')
            buffer_append_string(page, "&amp;");
        else if (*at == '<')
            buffer_append_string(page, "&lt;");
        else if (*at == '>')
            buffer_append_string(page, "&gt;");
        else if (*at == '"')
            buffer_append_string(page, "&quot;");
        else if (*at == '\'')
            buffer_append_string(page, "&#39;");
        else
            buffer_append_char(page, *at);
    }
    buffer_release(&clean);
}

static void html_begin(struct buffer *page, const char *title)
{
    buffer_append_string(
        page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
              "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">\n"
              "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
              "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
    append_escaped(page, title, strlen(title));
    buffer_append_string(page, "</title>\n</head>\n<body style=\"" STYLE_BODY "\">\n");
}

static void html_heading(struct buffer *page, const char *words)
{
    buffer_append_string(page, "<h2 style=\"" STYLE_HEADING "\">");
    append_escaped(page, words, strlen(words));
    buffer_append_string(page, "</h2>\n");
}

static void html_paragraph(struct buffer *page, const char *words)
{
    buffer_append_string(page, "<p style=\"" STYLE_PARAGRAPH "\">");
    append_escaped(page, words, strlen(words));
    buffer_append_string(page, "</p>\n");
}

static void html_list_begin(struct buffer *page)
{
    buffer_append_string(page, "<ul style=\"" STYLE_LIST "\">\n");
}

static void html_list_item(struct buffer *page, const char *words)
{
    buffer_append_string(page, "<li>");
    append_escaped(page, words, strlen(words));
    buffer_append_string(page, "</li>\n");
}

static void html_list_end(struct buffer *page)
{
    buffer_append_string(page, "</ul>\n");
}

static void html_lines(struct buffer *page, const char *lines)
{
    buffer_append_string(page, "<pre style=\"" STYLE_LINES "\">");
    while (*lines != '\0') {
        size_t length = strcspn(lines, "\n");
        append_escaped(page, lines, length);
        lines += length + (lines[length] == '\n');
        if (*lines != '\0')
            buffer_append_char(page, '\n');
    }
    buffer_append_string(page, "</pre>\n");
}

static void html_end(struct buffer *page)
{
    buffer_append_string(page, "</body>\n</html>\n");
}

const struct notification_page notification_page_html = {
    .begin = html_begin,
    .heading = html_heading,
    .paragraph = html_paragraph,
    .list_begin = html_list_begin,
    .list_item = html_list_item,
    .list_end = html_list_end,
    .lines = html_lines,
    .end = html_end,
};
