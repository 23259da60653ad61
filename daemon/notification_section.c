#include "daemon/notification_section.h"

#include "base/memory.h"
#include "daemon/alert_text.h"

#include <stdlib.h>
#include <string.h>

uint64_t notification_alert_total(const struct notification_text *what)
{
    return what->alert_total > what->alert_count ? what->alert_total : what->alert_count;
}

uint64_t notification_mailbox_total(const struct notification_text *what)
{
    return what->mailbox_total > what->mailbox_count ? what->mailbox_total : what->mailbox_count;
}

struct remedy_place notification_place(const struct notification_text *what,
                                       const struct store_alert_row *alert)
{
    bool example = alert->absorbs && alert->mailbox[0] == '\0' && what->mailbox_count > 0;
    return (struct remedy_place){
        .account = what->account,
        .profile = what->profile,
        .url = what->url,
        .mailbox = example ? what->mailboxes[0] : alert->mailbox,
        .scope = alert_scope_of(alert->scope),
    };
}

static bool same_cause(const struct store_alert_row *one, const struct store_alert_row *other)
{
    return strcmp(one->category, other->category) == 0 && strcmp(one->code, other->code) == 0;
}

static struct notification_section *section_for(struct notification_sections *sections,
                                                const struct store_alert_row *alert, size_t most)
{
    for (size_t i = 0; i < sections->count; i++) {
        if (same_cause(sections->all[i].alerts[0], alert))
            return &sections->all[i];
    }
    struct notification_section *section = &sections->all[sections->count++];
    section->category = alert_category_of(alert->category);
    section->alerts = memory_allocate_array(most, sizeof(*section->alerts));
    return section;
}

static int compare_names(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

static void sort_mailboxes(struct notification_section *section)
{
    qsort(section->mailboxes, section->mailbox_count, sizeof(*section->mailboxes), compare_names);
    size_t kept = 0;
    for (size_t i = 0; i < section->mailbox_count; i++) {
        if (kept == 0 || strcmp(section->mailboxes[kept - 1], section->mailboxes[i]) != 0)
            section->mailboxes[kept++] = section->mailboxes[i];
    }
    section->mailbox_count = kept;
    section->mailbox_total = kept;
}

static void find_mailboxes(struct notification_section *section,
                           const struct notification_text *what)
{
    bool absorbs = false;
    section->mailboxes =
        memory_allocate_array(section->count + what->mailbox_count + 1, sizeof(char *));
    for (size_t i = 0; i < section->count; i++) {
        absorbs |= section->alerts[i]->absorbs;
        if (section->alerts[i]->mailbox[0] != '\0')
            section->mailboxes[section->mailbox_count++] = section->alerts[i]->mailbox;
    }
    for (size_t i = 0; absorbs && i < what->mailbox_count; i++)
        section->mailboxes[section->mailbox_count++] = what->mailboxes[i];
    sort_mailboxes(section);
    if (absorbs && notification_mailbox_total(what) > section->mailbox_total)
        section->mailbox_total = notification_mailbox_total(what);
}

struct notification_sections notification_sections_make(const struct notification_text *what)
{
    struct notification_sections sections = {0};
    sections.all = memory_allocate_array(what->alert_count + 1, sizeof(*sections.all));
    for (size_t i = 0; i < what->alert_count; i++) {
        struct notification_section *section =
            section_for(&sections, &what->alerts[i], what->alert_count - i);
        section->alerts[section->count++] = &what->alerts[i];
    }
    for (size_t i = 0; i < sections.count; i++)
        find_mailboxes(&sections.all[i], what);
    return sections;
}

void notification_sections_free(struct notification_sections *sections)
{
    for (size_t i = 0; i < sections->count; i++) {
        memory_free(sections->all[i].alerts);
        memory_free(sections->all[i].mailboxes);
    }
    memory_free(sections->all);
    *sections = (struct notification_sections){0};
}
