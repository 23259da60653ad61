#include "daemon/check_sandbox.h"

#include <stdbool.h>
#include <string.h>

static bool is_below(const char *path, const char *folder, size_t length)
{
    while (length > 1 && folder[length - 1] == '/')
        length--;
    return strncmp(path, folder, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

/* --- what is missing --- */

static bool is_home(const char *path)
{
    static const char *const homes[] = {"/home", "/root", "/run/user"};
    for (size_t i = 0; i < sizeof homes / sizeof homes[0]; i++) {
        if (is_below(path, homes[i], strlen(homes[i])))
            return true;
    }
    return false;
}

static bool may_write(const struct unit_file *unit, const char *path)
{
    static const char own[] = "/var/lib/exsyncd";
    bool read_only = unit->read_only || (unit->read_only_home && is_home(path));
    if (!read_only || is_below(path, own, strlen(own)))
        return true;
    const char *next = buffer_string(&unit->writable);
    while (*next == '\n') {
        size_t length = strcspn(++next, "\n");
        if (is_below(path, next, length))
            return true;
        next += length;
    }
    return false;
}

void check_sandbox(const struct unit_file *unit, const char *const *folders, size_t count,
                   struct buffer *report)
{
    struct buffer missing = {0};
    bool hidden = false;
    for (size_t i = 0; unit->installed && i < count; i++) {
        hidden = hidden || (unit->without_home && is_home(folders[i]));
        if (may_write(unit, folders[i]))
            continue;
        buffer_append_string(&missing, "    ReadWritePaths=");
        unit_file_append_path(&missing, folders[i]);
        buffer_append_char(&missing, '\n');
    }
    if (hidden)
        buffer_append_string(&missing, "    ProtectHome=no\n");
    if (missing.length > 0)
        buffer_append_format(
            report,
            "warning: the service exsyncd may not write to folders that the "
            "configuration names; run \"systemctl edit exsyncd\", write these lines, "
            "and restart it:\n"
            "    [Service]\n%s",
            missing.data);
    buffer_release(&missing);
}
