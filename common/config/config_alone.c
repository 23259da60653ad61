/* One path of the [exsyncd] section alone. */
#include "config/config.h"

#include "base/memory.h"
#include "config/config_read.h"

static bool read_alone(const char *main_path, enum config_key_id key, char **path,
                       struct buffer *report)
{
    struct config_report mistakes = {0};
    struct config_arena scratch = {0};
    struct config_document document = {.scratch = &scratch, .report = &mistakes};
    config_document_read(&document, main_path);
    const struct config_entry *entry =
        config_section_find(document.sections[CONFIG_SECTION_DAEMON].first, key);
    bool given = entry != NULL && entry->good;
    bool known = given || mistakes.error_count == 0;
    *path = given ? memory_copy_string(entry->value.text) : NULL;
    if (!known)
        config_report_write(&mistakes, report);
    config_report_release(&mistakes);
    config_arena_release(&scratch);
    return known;
}

bool config_read_control_socket(const char *main_path, char **path, struct buffer *report)
{
    return read_alone(main_path, CONFIG_KEY_CONTROL_SOCKET, path, report);
}

bool config_read_state_directory(const char *main_path, char **path, struct buffer *report)
{
    return read_alone(main_path, CONFIG_KEY_STATE_DIRECTORY, path, report);
}
