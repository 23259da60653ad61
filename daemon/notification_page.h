/* What a notification's text is written on: a page of headings, paragraphs, lists and lines to be
 * copied, as plain text or as HTML. All words are UTF-8 from anywhere: they become one line of
 * valid text, and what HTML would take for markup is escaped. */
#ifndef EXSYNC_DAEMON_NOTIFICATION_PAGE_H
#define EXSYNC_DAEMON_NOTIFICATION_PAGE_H

#include "base/buffer.h"

struct notification_page {
    void (*begin)(struct buffer *page, const char *title);
    void (*heading)(struct buffer *page, const char *words);
    void (*paragraph)(struct buffer *page, const char *words);
    void (*list_begin)(struct buffer *page);
    void (*list_item)(struct buffer *page, const char *words);
    void (*list_end)(struct buffer *page);
    void (*lines)(struct buffer *page, const char *lines); /* as they are: commands, details */
    void (*end)(struct buffer *page);
};

/* Lines end in a line feed. */
extern const struct notification_page notification_page_plain;
extern const struct notification_page notification_page_html;

#endif
