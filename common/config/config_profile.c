#define _GNU_SOURCE /* memmem */
#include "config/config_build.h"
#include "config/config_password.h"

#include "base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LARGEST_CERTIFICATES = 4 * 1024 * 1024 };

static void missing(struct config_builder *builder, const struct config_section *section,
                    enum config_key_id id, const char *sentence)
{
    config_report_error(builder->report, section->place, section->title, config_keys[id].name, "%s",
                        sentence);
}

static void read_password(struct config_builder *builder, struct config_chosen chosen,
                          struct config_profile *profile)
{
    struct buffer wrong = {0};
    if (!chosen.entry->good)
        return;
    if (chosen.entry->key == &config_keys[CONFIG_KEY_PASSWORD_FILE])
        profile->password = config_password_from_file(chosen.entry->value.text, &wrong);
    else
        profile->password = config_password_from_credential(chosen.entry->value.text, &wrong);
    if (profile->password == NULL)
        config_build_error(builder, chosen, "%s", buffer_string(&wrong));
    buffer_release(&wrong);
}

static void build_sign_in(struct config_builder *builder, const struct config_section *section,
                          const struct config_chosen *chosen, struct config_profile *profile)
{
    struct config_chosen username = chosen[CONFIG_KEY_USERNAME];
    struct config_chosen file = chosen[CONFIG_KEY_PASSWORD_FILE];
    struct config_chosen credential = chosen[CONFIG_KEY_PASSWORD_CREDENTIAL];
    struct config_chosen password = file.entry != NULL ? file : credential;

    if (file.entry != NULL && credential.entry != NULL)
        config_build_error(builder, credential,
                           "is given beside password_file; delete one of them");
    if (username.entry != NULL && password.entry == NULL)
        config_build_error(builder, username,
                           "has no password; write password_file or password_credential, too");
    if (username.entry == NULL && password.entry != NULL)
        config_build_error(builder, password,
                           "has no username; write username = DOMAIN\\NAME or NAME@DOMAIN, too");
    if (username.entry == NULL && password.entry == NULL && profile->auth != CONFIG_AUTH_NEGOTIATE)
        missing(builder, section, CONFIG_KEY_USERNAME,
                "is missing; auth = ntlm and auth = basic need a username and a password_file or "
                "password_credential");
    if (profile->auth == CONFIG_AUTH_BASIC && profile->username != NULL &&
        strchr(profile->username, ':') != NULL)
        config_build_error(builder, username,
                           "has a colon, which auth = basic cannot carry; write the name only");
    if (password.entry != NULL)
        read_password(builder, password, profile);
}

/* Certificates that cannot be read are found out now, not at the first connection. */
static void check_certificates(struct config_builder *builder, struct config_chosen chosen)
{
    struct stat status;
    if (chosen.entry == NULL || !chosen.entry->good)
        return;
    const char *path = chosen.entry->value.text;
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
        config_build_error(builder, chosen, "'%s' is no regular file; name one with certificates",
                           path);
        return;
    }
    FILE *stream = fopen(path, "re");
    if (stream == NULL) {
        config_build_error(builder, chosen,
                           "'%s' cannot be read: %s; name a file that the user who runs exsyncd "
                           "can read",
                           path, strerror(errno));
        return;
    }
    char *bytes = memory_allocate(LARGEST_CERTIFICATES);
    size_t length = fread(bytes, 1, LARGEST_CERTIFICATES, stream);
    fclose(stream);
    if (memmem(bytes, length, "-----BEGIN", 10) == NULL) {
        bool binary = length > 1 && bytes[0] == 0x30; /* an ASN.1 sequence: DER */
        config_build_error(builder, chosen, "'%s' holds no certificate in PEM; %s", path,
                           binary ? "convert it: openssl x509 -inform DER -in FILE -out FILE.pem"
                                  : "name a file with BEGIN CERTIFICATE lines");
    }
    memory_free(bytes);
}

static void build_tls(struct config_builder *builder, const struct config_chosen *chosen,
                      struct config_profile *profile)
{
    profile->tls_verify =
        config_build_value(builder, chosen, CONFIG_KEY_TLS_VERIFICATION)->number != 0;
    if (!profile->tls_verify)
        config_build_warning(builder, chosen[CONFIG_KEY_TLS_VERIFICATION],
                             "the server's certificate is not checked; anybody in between can take "
                             "the password and the mail");
    check_certificates(builder, chosen[CONFIG_KEY_TLS_CA_FILE]);
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
        missing(builder, section, CONFIG_KEY_URL,
                "is missing; write url = https://HOST/EWS/Exchange.asmx");
    build_sign_in(builder, section, chosen, profile);
    build_tls(builder, chosen, profile);
    check_retries(builder, chosen, profile);
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
