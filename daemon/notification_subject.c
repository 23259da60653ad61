#include "daemon/notification_section.h"

#include "base/memory.h"
#include "base/text.h"
#include "daemon/alert_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the alerts are about: the first of each kind, NULL where there is none. */
struct extent {
    const struct store_alert_row *absorbing;
    const struct store_alert_row *profile;
    const struct store_alert_row *mailbox;
    const struct store_alert_row *item;
    uint64_t mailboxes; /* that do not synchronize, each once */
    uint64_t items;
};

static int compare_names(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

static uint64_t count_different(const char **names, size_t count)
{
    uint64_t different = 0;
    qsort(names, count, sizeof *names, compare_names);
    for (size_t i = 0; i < count; i++)
        different += i == 0 || strcmp(names[i - 1], names[i]) != 0;
    return different;
}

static const struct store_alert_row **kind_of(struct extent *extent,
                                              const struct store_alert_row *alert)
{
    if (alert->absorbs)
        return &extent->absorbing;
    switch (alert_scope_of(alert->scope)) {
    case FAILURE_SCOPE_PROFILE:
    case FAILURE_SCOPE_SERVER:
        return &extent->profile;
    case FAILURE_SCOPE_ITEM:
        return &extent->item;
    case FAILURE_SCOPE_NONE:
    case FAILURE_SCOPE_MAILBOX:
        break;
    }
    return &extent->mailbox;
}

static struct extent find_extent(const struct notification_text *what)
{
    struct extent extent = {0};
    const char **names = memory_allocate_array(what->alert_count + 1, sizeof *names);
    size_t count = 0;
    for (size_t i = 0; i < what->alert_count; i++) {
        const struct store_alert_row **kind = kind_of(&extent, &what->alerts[i]);
        if (*kind == NULL)
            *kind = &what->alerts[i];
        if (kind == &extent.mailbox)
            names[count++] = what->alerts[i].mailbox;
        else if (kind == &extent.item)
            extent.items++;
    }
    extent.mailboxes = count_different(names, count);
    memory_free(names);
    return extent;
}

/* "300 mailboxes of profile contoso don't synchronize" */
static void write_mailboxes(struct buffer *words, const char *before, uint64_t count,
                            const char *profile)
{
    buffer_append_format(words, "%s%" PRIu64 " %s of profile %s %s synchronize", before, count,
                         text_plural(count, "mailbox", "mailboxes"), profile,
                         text_plural(count, "doesn't", "don't"));
}

static void write_mailbox(struct buffer *words, const struct store_alert_row *alert,
                          const char *profile)
{
    enum failure_category category = alert_category_of(alert->category);
    if (category == FAILURE_IMPERSONATION)
        buffer_append_format(words, "%s may not be impersonated (profile %s)", alert->mailbox,
                             profile);
    else
        buffer_append_format(words, "%s doesn't synchronize: %s error (profile %s)", alert->mailbox,
                             alert_category_word(category), profile);
}

static void write_items(struct buffer *words, const struct extent *extent, const char *profile,
                        bool more)
{
    bool sent = strcmp(extent->item->direction, cycle_direction_name(CYCLE_OUTGOING)) == 0;
    if (extent->items > 1 || more)
        buffer_append_format(words,
                             "%s%" PRIu64 " messages of profile %s were not sent or "
                             "received",
                             more ? "at least " : "", extent->items, profile);
    else
        buffer_append_format(words, "a message %s %s was not %s (profile %s)", sent ? "of" : "to",
                             extent->item->mailbox, sent ? "sent" : "received", profile);
}

static void write_trouble(struct buffer *words, const struct notification_text *what)
{
    struct extent extent = find_extent(what);
    bool more = notification_alert_total(what) > what->alert_count;
    if (extent.absorbing != NULL && notification_mailbox_total(what) > 0)
        write_mailboxes(words, "", notification_mailbox_total(what), what->profile);
    else if (extent.absorbing != NULL)
        buffer_append_format(words, "most mailboxes of profile %s don't synchronize",
                             what->profile);
    else if (extent.profile != NULL)
        buffer_append_format(words, "profile %s doesn't synchronize: %s error", what->profile,
                             alert_category_word(alert_category_of(extent.profile->category)));
    else if (extent.mailboxes > 1 || (more && extent.mailboxes > 0))
        write_mailboxes(words, more ? "at least " : "", extent.mailboxes, what->profile);
    else if (extent.mailbox != NULL)
        write_mailbox(words, extent.mailbox, what->profile);
    else if (extent.item != NULL)
        write_items(words, &extent, what->profile, more);
    else
        buffer_append_format(words, "profile %s has alerts", what->profile);
}

void notification_write_subject(char subject[NOTIFICATION_SUBJECT_SIZE],
                                const struct notification_text *what)
{
    struct buffer words = {0};
    buffer_append_string(&words, "exsyncd: ");
    if (what->kind == NOTIFICATION_WELL)
        buffer_append_format(&words, "all is well again (profile %s)", what->profile);
    else
        write_trouble(&words, what);
    text_copy_line(subject, NOTIFICATION_SUBJECT_SIZE, words.data, words.length);
    buffer_release(&words);
}
