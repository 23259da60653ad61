#include "config/config_build.h"

#include "base/clock.h"
#include "base/memory.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

void config_build_defaults(struct config_builder *builder)
{
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        if (config_keys[i].initial == NULL)
            continue;
        char *text = config_arena_copy_string(builder->scratch, config_keys[i].initial);
        struct buffer wrong = {0};
        bool good = config_value_read(&config_keys[i], text, &builder->defaults[i], &wrong);
        assert(good);
        (void)good;
        buffer_release(&wrong);
    }
}

void config_build_choose(struct config_chosen chosen[CONFIG_KEY_COUNT],
                         const struct config_section *section)
{
    if (section == NULL)
        return;
    for (const struct config_entry *entry = section->first; entry != NULL; entry = entry->next) {
        struct config_chosen *place = &chosen[entry->key - config_keys];
        if (place->section != section)
            *place = (struct config_chosen){.entry = entry, .section = section};
    }
}

const struct config_value *config_build_value(const struct config_builder *builder,
                                              const struct config_chosen chosen[CONFIG_KEY_COUNT],
                                              enum config_key_id id)
{
    if (chosen[id].entry != NULL && chosen[id].entry->good)
        return &chosen[id].entry->value;
    return config_keys[id].initial == NULL ? NULL : &builder->defaults[id];
}

static void store(struct config_builder *builder, const struct config_key *key,
                  const struct config_value *value, char *field)
{
    bool yes = value->number != 0;
    uint32_t number = (uint32_t)value->number;
    switch (key->kind) {
    case CONFIG_KIND_BOOLEAN:
        memcpy(field, &yes, sizeof yes);
        break;
    case CONFIG_KIND_CHOICE: /* enums and log_level's int have the size of an unsigned */
    case CONFIG_KIND_NUMBER:
        memcpy(field, &number, sizeof number);
        break;
    case CONFIG_KIND_DURATION:
    case CONFIG_KIND_SIZE:
        memcpy(field, &value->number, sizeof value->number);
        break;
    case CONFIG_KIND_TEXT:
    case CONFIG_KIND_PATH:
    case CONFIG_KIND_SOCKET:
    case CONFIG_KIND_ADDRESS:
    case CONFIG_KIND_URL:
    case CONFIG_KIND_SMTP_URL: {
        const char *text = config_strings_intern(&builder->strings, value->text);
        memcpy(field, &text, sizeof text);
        break;
    }
    default:
        assert(false); /* a key of such a kind is more than one field */
    }
}

void config_build_fields(struct config_builder *builder,
                         const struct config_chosen chosen[CONFIG_KEY_COUNT],
                         enum config_section_kind kind, void *target)
{
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        const struct config_key *key = &config_keys[i];
        if (key->section != kind || key->field == SIZE_MAX)
            continue;
        const struct config_value *value =
            config_build_value(builder, chosen, (enum config_key_id)i);
        if (value != NULL)
            store(builder, key, value, (char *)target + key->field);
    }
}

void config_build_error(struct config_builder *builder, struct config_chosen chosen,
                        const char *format, ...)
{
    struct buffer text = {0};
    va_list arguments;
    va_start(arguments, format);
    buffer_append_format_list(&text, format, arguments);
    va_end(arguments);
    config_report_error(builder->report, chosen.entry->place, chosen.section->title,
                        chosen.entry->key->name, "%s", buffer_string(&text));
    buffer_release(&text);
}

void config_build_warning(struct config_builder *builder, struct config_chosen chosen,
                          const char *format, ...)
{
    struct buffer text = {0};
    va_list arguments;
    va_start(arguments, format);
    buffer_append_format_list(&text, format, arguments);
    va_end(arguments);
    config_report_warning(builder->report, chosen.entry->place, chosen.section->title,
                          chosen.entry->key->name, "%s", buffer_string(&text));
    buffer_release(&text);
}

void config_build_missing(struct config_builder *builder, const struct config_section *section,
                          enum config_key_id id, const char *sentence)
{
    config_report_error(builder->report, section->place, section->title, config_keys[id].name, "%s",
                        sentence);
}

bool config_build_process_from(struct config_builder *builder, struct config_chosen chosen,
                               int64_t *time_ms)
{
    if (chosen.entry == NULL || !chosen.entry->good || chosen.entry->value.now)
        return false;
    *time_ms = chosen.entry->value.time_ms;
    if (*time_ms > clock_wall_ms())
        config_build_warning(builder, chosen,
                             "is still to come; mail that is received before then is left alone");
    return true;
}
