#include "config/config.h"

#include "base/memory.h"
#include "config/config_build.h"

#include <stdlib.h>
#include <string.h>

/* What is odd but possible; looked for when nothing is wrong. */
static void warn_of_what_is_not_used(struct config_builder *builder)
{
    const struct config_section_list *profiles =
        &builder->document->sections[CONFIG_SECTION_PROFILE];
    if (builder->document->sections[CONFIG_SECTION_MAILBOX].count == 0) {
        config_report_warning(builder->report, (struct config_place){.file = 0}, NULL, NULL,
                              "there is no mailbox; write a section [mailbox ADDRESS] for each");
        return;
    }
    for (const struct config_section *section = profiles->first; section != NULL;
         section = section->next) {
        for (size_t i = 0; i < builder->profile_count; i++) {
            if (strcmp(builder->profiles[i].name, section->name) == 0 && !builder->profile_used[i])
                config_report_warning(builder->report, section->place, section->title, NULL,
                                      "no mailbox is on it; write profile = %s in a mailbox's "
                                      "section, or delete it",
                                      section->name);
        }
    }
}

static void warn_of_who_is_not_told(struct config_builder *builder, const struct config *config)
{
    const struct config_section *smtp = builder->document->sections[CONFIG_SECTION_SMTP].first;
    const struct config_section *section =
        builder->document->sections[CONFIG_SECTION_PROFILE].first;
    bool by_smtp = false;
    for (; section != NULL; section = section->next) {
        const struct config_profile *profile = config_find_profile(config, section->name);
        by_smtp = by_smtp || (profile->notify_channels & CONFIG_NOTIFY_SMTP) != 0;
        if (profile->owner == NULL)
            config_report_warning(builder->report, section->place, section->title,
                                  config_keys[CONFIG_KEY_OWNER].name,
                                  "is missing; nobody is told when its mailboxes fail; write owner "
                                  "= ADDRESS");
    }
    if (smtp != NULL && !by_smtp)
        config_report_warning(builder->report, smtp->place, smtp->title, NULL,
                              "no profile uses it; write notify = smtp in one, or delete it");
}

static void build(struct config_builder *builder, struct config *config)
{
    struct config_chosen chosen[CONFIG_KEY_COUNT] = {0};
    config_build_defaults(builder);
    config_build_choose(chosen, builder->document->sections[CONFIG_SECTION_DAEMON].first);
    config_build_fields(builder, chosen, CONFIG_SECTION_DAEMON, config);
    config_build_profiles(builder);
    config->profiles = builder->profiles;
    config->profile_count = builder->profile_count;
    config_build_mailboxes(builder, config);
    config_build_maps(builder, chosen, config);
    config_build_smtp(builder, config);
    config->uses_credentials = builder->uses_credentials;
    /* What is not used may only seem so when something else is wrong. */
    if (builder->report->error_count == 0) {
        warn_of_what_is_not_used(builder);
        warn_of_who_is_not_told(builder, config);
    }
}

struct config *config_load(const char *main_path, struct buffer *report)
{
    struct config_holder *holder = memory_allocate(sizeof *holder);
    struct config_report mistakes = {0};
    struct config_arena scratch = {0};
    struct config_document document = {.scratch = &scratch, .report = &mistakes};
    struct config_builder builder = {
        .document = &document, .report = &mistakes, .arena = &holder->arena, .scratch = &scratch};
    builder.strings.arena = &holder->arena;
    builder.folder_lists.arena = &scratch;

    config_document_read(&document, main_path);
    build(&builder, &holder->config);
    config_report_write(&mistakes, report);
    bool good = mistakes.error_count == 0;

    config_strings_release(&builder.strings);
    config_strings_release(&builder.folder_lists);
    memory_free(builder.settings);
    config_report_release(&mistakes);
    config_arena_release(&scratch);
    if (good)
        return &holder->config;
    config_free(&holder->config);
    return NULL;
}

void config_free(struct config *config)
{
    if (config == NULL)
        return;
    struct config_holder *holder = (struct config_holder *)config;
    for (size_t i = 0; i < config->profile_count; i++)
        secret_free(config->profiles[i].password);
    if (config->smtp != NULL)
        secret_free(config->smtp->password);
    config_arena_release(&holder->arena);
    memory_free(holder);
}

size_t config_memory(const struct config *config)
{
    const struct config_holder *holder = (const struct config_holder *)config;
    return sizeof *holder + holder->arena.bytes;
}

static int compare_mailbox(const void *address, const void *mailbox)
{
    return strcmp(address, ((const struct config_mailbox *)mailbox)->address);
}

const struct config_mailbox *config_find_mailbox(const struct config *config, const char *address)
{
    if (config->mailbox_count == 0)
        return NULL;
    return bsearch(address, config->mailboxes, config->mailbox_count, sizeof *config->mailboxes,
                   compare_mailbox);
}

static int compare_profile(const void *name, const void *profile)
{
    return strcmp(name, ((const struct config_profile *)profile)->name);
}

const struct config_profile *config_find_profile(const struct config *config, const char *name)
{
    if (config->profile_count == 0)
        return NULL;
    return bsearch(name, config->profiles, config->profile_count, sizeof *config->profiles,
                   compare_profile);
}
