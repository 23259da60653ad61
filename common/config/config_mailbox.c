#include "config/config_build.h"
#include "config/config_maildir.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* A mailbox on its way into the configuration. */
struct draft {
    struct config_mailbox mailbox;
    const struct config_section *section;
    struct config_chosen renamed_from;
    const char *path; /* of its Maildir */
};

static struct config_mailbox_rare *make_rare(struct config_builder *builder, struct draft *draft)
{
    struct config_mailbox_rare *rare = config_arena_allocate(builder->arena, sizeof *rare);
    if (draft->mailbox.rare != NULL)
        *rare = *draft->mailbox.rare;
    draft->mailbox.rare = rare;
    return rare;
}

static void build_identity(struct config_builder *builder, struct draft *draft,
                           struct config_chosen given)
{
    const struct config_profile *profile = draft->mailbox.settings->profile;
    const struct config_section *section = draft->section;
    bool needed =
        profile != NULL && profile->impersonation && profile->connecting_sid == CONFIG_SID_SID;
    if (given.entry == NULL && needed)
        config_report_error(builder->report, section->place, section->title,
                            config_keys[CONFIG_KEY_IDENTITY].name,
                            "is missing; the profile '%s' has connecting_sid = sid, so write the "
                            "mailbox's SID, such as %s",
                            profile->name, config_keys[CONFIG_KEY_IDENTITY].example);
    if (given.entry == NULL || !given.entry->good || profile == NULL)
        return;
    const char *text = given.entry->value.text;
    if (!needed && !(profile->impersonation && profile->connecting_sid == CONFIG_SID_UPN))
        config_build_error(builder, given,
                           "is of no use here; the profile '%s' names mailboxes by their address, "
                           "so delete it, or give the profile connecting_sid = upn or sid",
                           profile->name);
    else if (needed && !config_is_sid(text))
        config_build_error(builder, given, "'%s' is no SID; write one such as %s", text,
                           config_keys[CONFIG_KEY_IDENTITY].example);
    else if (!needed && strchr(text, '@') == NULL)
        config_build_error(builder, given,
                           "'%s' is no user principal name; write one such as "
                           "anna@contoso.com",
                           text);
    make_rare(builder, draft)->identity = config_strings_intern(&builder->strings, text);
}

static void build_renamed(struct config_builder *builder, struct draft *draft,
                          struct config_chosen given)
{
    if (given.entry == NULL || !given.entry->good)
        return;
    draft->renamed_from = given;
    make_rare(builder, draft)->renamed_from =
        config_strings_intern(&builder->strings, given.entry->value.text);
}

static void build_draft(struct config_builder *builder, const struct config_section *defaults,
                        const struct config_section *section, struct draft *draft)
{
    struct config_chosen chosen[CONFIG_KEY_COUNT] = {0};
    struct buffer path = {0};
    config_build_choose(chosen, defaults);
    config_build_choose(chosen, section);
    draft->section = section;
    draft->mailbox.address = config_arena_copy_string(builder->arena, section->name);
    draft->mailbox.settings = config_build_settings(builder, section, chosen);
    if (!draft->mailbox.settings->incoming && !draft->mailbox.settings->outgoing)
        config_report_warning(builder->report, section->place, section->title, NULL,
                              "neither incoming nor outgoing mail is on; nothing is done for it");
    build_identity(builder, draft, chosen[CONFIG_KEY_IDENTITY]);
    build_renamed(builder, draft, chosen[CONFIG_KEY_RENAMED_FROM]);
    config_maildir_expand(draft->mailbox.settings->maildir, section->name, &path);
    draft->path = config_arena_copy_string(builder->scratch, path.data);
    buffer_release(&path);
}

static int compare_places(const struct draft *a, const struct draft *b)
{
    if (a->section->place.file != b->section->place.file)
        return a->section->place.file < b->section->place.file ? -1 : 1;
    return a->section->place.line < b->section->place.line
               ? -1
               : a->section->place.line > b->section->place.line;
}

static int compare_addresses(const void *left, const void *right)
{
    const struct draft *a = left;
    const struct draft *b = right;
    int order = strcmp(a->mailbox.address, b->mailbox.address);
    return order != 0 ? order : compare_places(a, b);
}

static int compare_paths(const void *left, const void *right)
{
    const struct draft *a = *(const struct draft *const *)left;
    const struct draft *b = *(const struct draft *const *)right;
    int order = strcmp(a->path, b->path);
    return order != 0 ? order : compare_places(a, b);
}

static int compare_renamed(const void *left, const void *right)
{
    const struct draft *a = *(const struct draft *const *)left;
    const struct draft *b = *(const struct draft *const *)right;
    int order = strcmp(a->mailbox.rare->renamed_from, b->mailbox.rare->renamed_from);
    return order != 0 ? order : compare_places(a, b);
}

static void check_addresses(struct config_builder *builder, const struct draft *drafts,
                            size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const struct draft *first = &drafts[i - 1], *second = &drafts[i];
        if (strcmp(first->mailbox.address, second->mailbox.address) != 0)
            continue;
        char *where = config_report_where(builder->report, first->section->place);
        config_report_error(builder->report, second->section->place, second->section->title, NULL,
                            "is there twice, first at %s; delete one of them", where);
        memory_free(where);
    }
}

static void check_paths(struct config_builder *builder, struct draft *drafts, size_t count,
                        const struct draft **sorted)
{
    for (size_t i = 0; i < count; i++)
        sorted[i] = &drafts[i];
    qsort(sorted, count, sizeof *sorted, compare_paths);
    for (size_t i = 1; i < count; i++) {
        const struct draft *first = sorted[i - 1], *second = sorted[i];
        if (strcmp(first->path, second->path) != 0 ||
            strcmp(first->mailbox.address, second->mailbox.address) == 0)
            continue;
        char *where = config_report_where(builder->report, first->section->place);
        config_report_error(builder->report, second->section->place, second->section->title,
                            config_keys[CONFIG_KEY_DELIVER].name,
                            "the Maildir %s is also that of %s at %s; give each mailbox its own, "
                            "with %%u or %%d/%%n in the path",
                            second->path, first->mailbox.address, where);
        memory_free(where);
    }
}

static int compare_with_address(const void *address, const void *draft)
{
    return strcmp(address, ((const struct draft *)draft)->mailbox.address);
}

static void check_renamed_alone(struct config_builder *builder, const struct draft *draft,
                                const struct draft *drafts, size_t count)
{
    const char *old = draft->mailbox.rare->renamed_from;
    if (strcmp(old, draft->mailbox.address) == 0) {
        config_build_error(builder, draft->renamed_from,
                           "is the mailbox's own address; write the one that it had before");
        return;
    }
    const struct draft *other = bsearch(old, drafts, count, sizeof *drafts, compare_with_address);
    if (other == NULL)
        return;
    char *where = config_report_where(builder->report, other->section->place);
    config_build_error(builder, draft->renamed_from,
                       "%s is still a mailbox at %s; delete that section, or this key", old, where);
    memory_free(where);
}

static void check_renamed(struct config_builder *builder, struct draft *drafts, size_t count,
                          const struct draft **sorted)
{
    size_t renamed = 0;
    for (size_t i = 0; i < count; i++) {
        if (drafts[i].renamed_from.entry == NULL)
            continue;
        check_renamed_alone(builder, &drafts[i], drafts, count);
        sorted[renamed++] = &drafts[i];
    }
    if (renamed > 0)
        qsort(sorted, renamed, sizeof *sorted, compare_renamed);
    for (size_t i = 1; i < renamed; i++) {
        const struct draft *first = sorted[i - 1], *second = sorted[i];
        const char *old = second->mailbox.rare->renamed_from;
        if (strcmp(first->mailbox.rare->renamed_from, old) != 0)
            continue;
        char *where = config_report_where(builder->report, first->renamed_from.entry->place);
        config_build_error(builder, second->renamed_from,
                           "%s was renamed to %s already, at %s; delete one of them", old,
                           first->mailbox.address, where);
        memory_free(where);
    }
}

void config_build_mailboxes(struct config_builder *builder, struct config *config)
{
    const struct config_section_list *list = &builder->document->sections[CONFIG_SECTION_MAILBOX];
    const struct config_section *defaults =
        builder->document->sections[CONFIG_SECTION_MAILBOX_DEFAULTS].first;
    if (list->count == 0)
        return;
    struct draft *drafts = memory_allocate_array(list->count, sizeof *drafts);
    const struct draft **sorted = memory_allocate_array(list->count, sizeof *sorted);
    size_t count = 0;
    for (const struct config_section *section = list->first; section != NULL;
         section = section->next)
        build_draft(builder, defaults, section, &drafts[count++]);
    qsort(drafts, count, sizeof *drafts, compare_addresses);
    check_addresses(builder, drafts, count);
    check_paths(builder, drafts, count, sorted);
    check_renamed(builder, drafts, count, sorted);

    struct config_mailbox *mailboxes =
        config_arena_allocate(builder->arena, count * sizeof *mailboxes);
    for (size_t i = 0; i < count; i++)
        mailboxes[i] = drafts[i].mailbox;
    config->mailboxes = mailboxes;
    config->mailbox_count = count;
    memory_free(sorted);
    memory_free(drafts);
}
