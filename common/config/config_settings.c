#include "config/config_build.h"
#include "config/config_suggest.h"

#include "base/memory.h"

#include <string.h>
#include <strings.h>

/* Finds the mailbox's profile; NULL, with the mistake reported, when there is none. */
static const struct config_profile *choose_profile(struct config_builder *builder,
                                                   const struct config_section *mailbox,
                                                   struct config_chosen chosen)
{
    struct config_report *report = builder->report;
    const char *key = config_keys[CONFIG_KEY_PROFILE].name;
    if (chosen.entry != NULL && !chosen.entry->good)
        return NULL;
    if (builder->profile_count == 0) {
        /* One sentence at the first mailbox is enough. */
        const struct config_section_list *list =
            &builder->document->sections[CONFIG_SECTION_MAILBOX];
        if (mailbox == list->first)
            config_report_error(report, mailbox->place, mailbox->title, key,
                                "there is no profile at all; write a section [profile NAME]");
        return NULL;
    }
    if (chosen.entry == NULL) {
        if (builder->profile_count == 1)
            return &builder->profiles[0];
        config_report_error(report, mailbox->place, mailbox->title, key,
                            "is missing, and there are several profiles; write profile = %s here "
                            "or in [mailbox-defaults]",
                            builder->profiles[0].name);
        return NULL;
    }
    const char *name = chosen.entry->value.text;
    struct config_suggestion suggestion = config_suggestion_start(name);
    for (size_t i = 0; i < builder->profile_count; i++) {
        if (strcmp(builder->profiles[i].name, name) == 0)
            return &builder->profiles[i];
        config_suggestion_consider(&suggestion, builder->profiles[i].name);
    }
    if (suggestion.best != NULL)
        config_build_error(builder, chosen, "there is no profile '%s'; did you mean %s?", name,
                           suggestion.best);
    else
        config_build_error(builder, chosen,
                           "there is no profile '%s'; write a section [profile "
                           "%s], or name one that there is",
                           name, name);
    return NULL;
}

/* The folders that hold, as one string: equal lists have equal pointers. */
static const char *join_folders(struct config_builder *builder, const struct config_chosen *chosen)
{
    struct config_chosen given = chosen[CONFIG_KEY_FOLDERS];
    struct buffer list = {0};
    if (given.entry == NULL)
        buffer_append_string(&list, builder->defaults[CONFIG_KEY_FOLDERS].text);
    for (const struct config_entry *entry = given.entry; entry != NULL; entry = entry->next) {
        if (entry->key != given.entry->key || !entry->good)
            continue;
        const char *rest = entry->value.text;
        size_t length = 0;
        for (const char *folder = config_next_folder(&rest, &length); folder != NULL;
             folder = config_next_folder(&rest, &length)) {
            if (list.length > 0)
                buffer_append_char(&list, ',');
            buffer_append(&list, folder, length);
        }
    }
    const char *folders = config_strings_intern(&builder->folder_lists, buffer_string(&list));
    buffer_release(&list);
    return folders;
}

static bool holds_folder(const char *list, const char *wanted, size_t wanted_length)
{
    size_t length = 0;
    for (const char *folder = config_next_folder(&list, &length); folder != NULL;
         folder = config_next_folder(&list, &length)) {
        if (length == wanted_length && strncasecmp(folder, wanted, length) == 0)
            return true;
    }
    return false;
}

static void check_folders(struct config_builder *builder, const struct config_chosen *chosen,
                          const char *folders)
{
    struct config_chosen given = chosen[CONFIG_KEY_FOLDERS];
    const char *rest = folders;
    size_t length = 0;
    for (const char *folder = config_next_folder(&rest, &length); folder != NULL;
         folder = config_next_folder(&rest, &length)) {
        if (given.entry != NULL && rest != NULL && holds_folder(rest, folder, length))
            config_build_error(builder, given, "'%.*s' is there twice; delete one of them",
                               (int)length, folder);
    }
}

/* What was moved there would be found there. */
static void check_undeliverable(struct config_builder *builder, const struct config_chosen *chosen,
                                const char *folders)
{
    static const char undeliverable[] = "Undeliverable";
    if (holds_folder(folders, undeliverable, sizeof undeliverable - 1))
        config_build_error(builder, chosen[CONFIG_KEY_UNDELIVERABLE_FOLDER],
                           "'%s' is one of the folders that mail is taken from; take it out of "
                           "them, or write no",
                           undeliverable);
}

static void build_after_processing(struct config_builder *builder,
                                   const struct config_chosen *chosen, const char *folders,
                                   struct config_mailbox_settings *settings)
{
    struct config_chosen given = chosen[CONFIG_KEY_AFTER_PROCESSING];
    const struct config_value *value =
        config_build_value(builder, chosen, CONFIG_KEY_AFTER_PROCESSING);
    settings->after_processing = (enum config_after_processing)value->number;
    if (settings->after_processing != CONFIG_AFTER_MOVE)
        return;
    settings->move_folder = config_strings_intern(&builder->strings, value->text);
    if (holds_folder(folders, value->text, strlen(value->text)))
        config_build_error(builder, given,
                           "'%s' is one of the folders that mail is taken from; name another",
                           value->text);
}

static void build_delivery(struct config_builder *builder, const struct config_chosen *chosen,
                           struct config_mailbox_settings *settings)
{
    struct config_chosen group = chosen[CONFIG_KEY_DELIVER_GROUP];
    struct config_chosen mode = chosen[CONFIG_KEY_DELIVER_MODE];
    struct buffer wrong = {0};
    settings->maildir = config_strings_intern(
        &builder->strings, config_build_value(builder, chosen, CONFIG_KEY_DELIVER)->text);
    if (group.entry != NULL && group.entry->good) {
        settings->has_deliver_group = true;
        if (!config_build_group(builder, group.entry->value.text, &settings->deliver_group, &wrong))
            config_build_error(builder, group, "%s", buffer_string(&wrong));
        buffer_release(&wrong);
    }
    settings->deliver_mode = group.entry != NULL ? 0640 : 0600;
    if (mode.entry == NULL || !mode.entry->good)
        return;
    settings->deliver_mode = (mode_t)mode.entry->value.number;
    if ((settings->deliver_mode & 04) != 0)
        config_build_warning(builder, mode,
                             "everybody on this machine can read the mail; 0640 with a "
                             "deliver_group keeps it to some");
    else if (group.entry != NULL && (settings->deliver_mode & 040) == 0)
        config_build_warning(builder, mode, "the deliver_group cannot read the mail; 0640 lets it");
}

static void build_candidate(struct config_builder *builder, const struct config_section *mailbox,
                            const struct config_chosen *chosen, const char *folders,
                            struct config_mailbox_settings *settings)
{
    config_build_fields(builder, chosen, CONFIG_SECTION_MAILBOX_DEFAULTS, settings);
    settings->profile = choose_profile(builder, mailbox, chosen[CONFIG_KEY_PROFILE]);
    check_folders(builder, chosen, folders);
    if (settings->undeliverable_folder)
        check_undeliverable(builder, chosen, folders);
    build_after_processing(builder, chosen, folders, settings);
    build_delivery(builder, chosen, settings);
    struct config_chosen from = chosen[CONFIG_KEY_MAILBOX_PROCESS_FROM];
    settings->has_process_from =
        config_build_process_from(builder, from, &settings->process_from_ms);
    if (from.entry == NULL && settings->profile != NULL) {
        settings->has_process_from = settings->profile->has_process_from;
        settings->process_from_ms = settings->profile->process_from_ms;
    }
    config_build_submitters(builder, chosen, settings);
}

static bool equal(const struct config_mailbox_settings *a, const struct config_mailbox_settings *b)
{
    /* Strings are interned: equal ones have equal pointers. Folders are compared by the caller. */
    return a->profile == b->profile && a->incoming == b->incoming && a->outgoing == b->outgoing &&
           a->maildir == b->maildir && a->has_deliver_group == b->has_deliver_group &&
           a->deliver_group == b->deliver_group && a->deliver_mode == b->deliver_mode &&
           a->line_endings == b->line_endings && a->after_processing == b->after_processing &&
           a->move_folder == b->move_folder && a->has_process_from == b->has_process_from &&
           a->process_from_ms == b->process_from_ms && a->submitters == b->submitters &&
           a->undeliverable_folder == b->undeliverable_folder;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static size_t hash_settings(const struct config_mailbox_settings *settings, const char *folders)
{
    uint64_t hash = mix(1, (uintptr_t)settings->profile);
    hash = mix(hash, (uintptr_t)folders);
    hash = mix(hash, (uintptr_t)settings->maildir);
    hash = mix(hash, (uintptr_t)settings->move_folder);
    hash = mix(hash, (uint64_t)settings->process_from_ms);
    hash = mix(hash, (uintptr_t)settings->submitters);
    hash = mix(hash, (uint64_t)settings->deliver_group << 32 | settings->deliver_mode);
    hash = mix(hash, (uint64_t)settings->after_processing << 4 | settings->line_endings << 2 |
                         (unsigned)settings->incoming << 1 | settings->outgoing);
    return (size_t)hash;
}

static struct config_settings_place *find_place(const struct config_builder *builder,
                                                const struct config_mailbox_settings *settings,
                                                const char *folders)
{
    size_t mask = builder->settings_capacity - 1;
    for (size_t i = hash_settings(settings, folders) & mask;; i = (i + 1) & mask) {
        struct config_settings_place *place = &builder->settings[i];
        if (place->settings == NULL ||
            (place->folders == folders && equal(place->settings, settings)))
            return place;
    }
}

static void grow(struct config_builder *builder)
{
    struct config_settings_place *old = builder->settings;
    size_t old_capacity = builder->settings_capacity;
    builder->settings_capacity = old_capacity == 0 ? 16 : old_capacity * 2;
    builder->settings =
        memory_allocate_array(builder->settings_capacity, sizeof *builder->settings);
    for (size_t i = 0; i < old_capacity; i++) {
        if (old[i].settings != NULL)
            *find_place(builder, old[i].settings, old[i].folders) = old[i];
    }
    memory_free(old);
}

static const char *const *split_folders(struct config_builder *builder, const char *list)
{
    size_t count = 1;
    for (const char *comma = strchr(list, ','); comma != NULL; comma = strchr(comma + 1, ','))
        count++;
    const char **folders = config_arena_allocate(builder->arena, (count + 1) * sizeof *folders);
    size_t length = 0;
    for (size_t i = 0; i < count; i++) {
        const char *folder = config_next_folder(&list, &length);
        folders[i] = config_arena_copy(builder->arena, folder, length);
    }
    return folders;
}

const struct config_mailbox_settings *
config_build_settings(struct config_builder *builder, const struct config_section *mailbox,
                      const struct config_chosen chosen[CONFIG_KEY_COUNT])
{
    struct config_mailbox_settings candidate = {0};
    const char *folders = join_folders(builder, chosen);
    build_candidate(builder, mailbox, chosen, folders, &candidate);
    if (builder->settings_count * 4 >= builder->settings_capacity * 3)
        grow(builder);
    struct config_settings_place *place = find_place(builder, &candidate, folders);
    if (place->settings == NULL) {
        struct config_mailbox_settings *settings =
            config_arena_allocate(builder->arena, sizeof *settings);
        *settings = candidate;
        settings->folders = split_folders(builder, folders);
        *place = (struct config_settings_place){.settings = settings, .folders = folders};
        builder->settings_count++;
    }
    if (candidate.profile != NULL)
        builder->profile_used[candidate.profile - builder->profiles] = true;
    return place->settings;
}
