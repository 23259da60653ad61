#include "config/config_build.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static void build_sign_in(struct config_builder *builder, const struct config_section *section,
                          const struct config_chosen *chosen, struct config_profile *profile)
{
    struct config_account account = {
        .username = chosen[CONFIG_KEY_USERNAME],
        .file = chosen[CONFIG_KEY_PASSWORD_FILE],
        .credential = chosen[CONFIG_KEY_PASSWORD_CREDENTIAL],
        .form = "DOMAIN\\NAME or NAME@DOMAIN",
    };
    profile->password = config_build_password(builder, &account);
    if (account.username.entry == NULL && account.file.entry == NULL &&
        account.credential.entry == NULL && profile->auth != CONFIG_AUTH_NEGOTIATE)
        config_build_missing(builder, section, CONFIG_KEY_USERNAME,
                             "is missing; auth = ntlm and auth = basic need a username and a "
                             "password_file or password_credential");
    if (profile->auth == CONFIG_AUTH_BASIC && profile->username != NULL &&
        strchr(profile->username, ':') != NULL)
        config_build_error(builder, account.username,
                           "has a colon, which auth = basic cannot carry; write the name only");
}

static void check_retries(struct config_builder *builder, const struct config_chosen *chosen,
                          const struct config_profile *profile)
{
    struct config_chosen shortest = chosen[CONFIG_KEY_RETRY_MIN];
    struct config_chosen longest = chosen[CONFIG_KEY_RETRY_MAX];
    if (profile->retry_min_ms <= profile->retry_max_ms)
        return;
    if (longest.entry != NULL)
        config_build_error(builder, longest, "is shorter than retry_min (%s); make it longer",
                           shortest.entry != NULL ? shortest.entry->value.text
                                                  : config_keys[CONFIG_KEY_RETRY_MIN].initial);
    else
        config_build_error(builder, shortest, "is longer than retry_max (%s); make it shorter",
                           config_keys[CONFIG_KEY_RETRY_MAX].initial);
}

static void build_profile(struct config_builder *builder, const struct config_section *section,
                          struct config_profile *profile)
{
    struct config_chosen chosen[CONFIG_KEY_COUNT] = {0};
    config_build_choose(chosen, section);
    profile->name = config_strings_intern(&builder->strings, section->name);
    config_build_fields(builder, chosen, CONFIG_SECTION_PROFILE, profile);
    if (chosen[CONFIG_KEY_URL].entry == NULL)
        config_build_missing(builder, section, CONFIG_KEY_URL,
                             "is missing; write url = https://HOST/EWS/Exchange.asmx");
    build_sign_in(builder, section, chosen, profile);
    profile->tls_verify = config_build_tls(builder, chosen, CONFIG_KEY_TLS_VERIFICATION,
                                           CONFIG_KEY_TLS_CA_FILE, "the mail");
    check_retries(builder, chosen, profile);
    config_build_notify(builder, chosen, profile);
    profile->has_process_from = config_build_process_from(
        builder, chosen[CONFIG_KEY_PROFILE_PROCESS_FROM], &profile->process_from_ms);
}

static int compare_sections(const void *left, const void *right)
{
    const struct config_section *a = *(const struct config_section *const *)left;
    const struct config_section *b = *(const struct config_section *const *)right;
    int order = strcmp(a->name, b->name);
    if (order == 0 && a->place.file != b->place.file)
        order = a->place.file < b->place.file ? -1 : 1;
    if (order == 0)
        order = a->place.line < b->place.line ? -1 : 1;
    return order;
}

static void report_duplicate(struct config_builder *builder, const struct config_section *first,
                             const struct config_section *second)
{
    char *where = config_report_where(builder->report, first->place);
    config_report_error(builder->report, second->place, second->title, NULL,
                        "is there twice, first at %s; delete or rename one of them", where);
    memory_free(where);
}

void config_build_profiles(struct config_builder *builder)
{
    const struct config_section_list *list = &builder->document->sections[CONFIG_SECTION_PROFILE];
    const struct config_section **sections = memory_allocate_array(list->count, sizeof *sections);
    size_t count = 0;
    for (const struct config_section *section = list->first; section != NULL;
         section = section->next)
        sections[count++] = section;
    if (count > 0)
        qsort(sections, count, sizeof *sections, compare_sections);

    builder->profiles = config_arena_allocate(builder->arena, count * sizeof *builder->profiles);
    builder->profile_used = config_arena_allocate(builder->scratch, count + 1);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && strcmp(sections[i]->name, sections[i - 1]->name) == 0)
            report_duplicate(builder, sections[i - 1], sections[i]);
        else
            build_profile(builder, sections[i], &builder->profiles[builder->profile_count++]);
    }
    memory_free(sections);
}
