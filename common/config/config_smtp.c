/* The section [smtp]: the server that takes notifications. */
#include "config/config_build.h"

#include <string.h>
#include <unistd.h>

enum { HOST_SIZE = 256 };

static bool is_address(struct config_builder *builder, const char *text, const char **address)
{
    struct buffer wrong = {0};
    char *copy = config_arena_copy_string(builder->scratch, text);
    bool good = config_read_address(copy, &wrong);
    if (good)
        *address = config_strings_intern(&builder->strings, copy);
    buffer_release(&wrong);
    return good;
}

/* exsyncd at this machine, by the first of its names that makes an address. */
static const char *default_from(struct config_builder *builder, const char *mail_name)
{
    char host[HOST_SIZE] = "";
    const char *address = NULL;
    gethostname(host, sizeof host - 1);
    const char *const names[] = {mail_name, host, "localhost"};
    for (size_t i = 0; i < sizeof names / sizeof *names && address == NULL; i++) {
        struct buffer text = {0};
        buffer_append_format(&text, "exsyncd@%s", names[i] == NULL ? "" : names[i]);
        is_address(builder, text.data, &address);
        buffer_release(&text);
    }
    return address;
}

static void check_starttls(struct config_builder *builder, const struct config_chosen *chosen,
                           const struct config_smtp *smtp)
{
    struct config_chosen starttls = chosen[CONFIG_KEY_SMTP_STARTTLS];
    if (smtp->url == NULL || starttls.entry == NULL || !starttls.entry->good)
        return;
    if (config_smtp_url_is_encrypted(smtp->url))
        config_build_error(builder, starttls,
                           "is of no use with smtps://, which is encrypted from the start; delete "
                           "it");
    else if (smtp->starttls != CONFIG_STARTTLS_REQUIRED && smtp->username != NULL &&
             !config_smtp_url_is_this_machine(smtp->url))
        config_build_error(builder, starttls,
                           "could send the password without encryption to another machine; write "
                           "required, or delete username");
}

void config_build_smtp(struct config_builder *builder, struct config *config)
{
    const struct config_section *section = builder->document->sections[CONFIG_SECTION_SMTP].first;
    if (section == NULL)
        return;
    struct config_chosen chosen[CONFIG_KEY_COUNT] = {0};
    struct config_smtp *smtp = config_arena_allocate(builder->arena, sizeof *smtp);
    config->smtp = smtp;
    config_build_choose(chosen, section);
    config_build_fields(builder, chosen, CONFIG_SECTION_SMTP, smtp);
    if (chosen[CONFIG_KEY_SMTP_URL].entry == NULL)
        config_build_missing(builder, section, CONFIG_KEY_SMTP_URL,
                             "is missing; write url = smtp://HOST:PORT");
    struct config_account account = {
        .username = chosen[CONFIG_KEY_SMTP_USERNAME],
        .file = chosen[CONFIG_KEY_SMTP_PASSWORD_FILE],
        .credential = chosen[CONFIG_KEY_SMTP_PASSWORD_CREDENTIAL],
        .form = "NAME",
    };
    smtp->password = config_build_password(builder, &account);
    smtp->tls_verify = config_build_tls(builder, chosen, CONFIG_KEY_SMTP_TLS_VERIFICATION,
                                        CONFIG_KEY_SMTP_TLS_CA_FILE, "the notifications");
    check_starttls(builder, chosen, smtp);
    if (smtp->from == NULL)
        smtp->from = default_from(builder, config->mail_name);
}
