#include "daemon/check_sandbox.h"

#include "base/memory.h"

#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define UNIT "exsyncd.service"

/* What the unit and its drop-ins come to. */
struct sandbox {
    bool installed;
    bool read_only;      /* ProtectSystem=strict */
    bool without_home;   /* ProtectHome is not off */
    struct buffer paths; /* that may be written, each behind a newline */
};

static bool is_below(const char *path, const char *folder, size_t length)
{
    while (length > 1 && folder[length - 1] == '/')
        length--;
    return strncmp(path, folder, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

static bool is_off(const char *value)
{
    return strcasecmp(value, "no") == 0 || strcasecmp(value, "false") == 0 ||
           strcasecmp(value, "off") == 0 || strcmp(value, "0") == 0;
}

/* --- reading --- */

/* Paths stand between spaces and may have a - or + in front: systemd.exec(5). */
static void add_paths(struct sandbox *sandbox, char *value)
{
    if (*value == '\0')
        buffer_clear(&sandbox->paths);
    char *rest = NULL;
    for (char *word = strtok_r(value, " \t", &rest); word != NULL;
         word = strtok_r(NULL, " \t", &rest))
        buffer_append_format(&sandbox->paths, "\n%s", word + strspn(word, "-+"));
}

static void read_line(struct sandbox *sandbox, char *line)
{
    line[strcspn(line, "\r\n")] = '\0';
    line += strspn(line, " \t");
    char *value = strchr(line, '=');
    if (value == NULL || *line == '#' || *line == ';')
        return;
    size_t key = strcspn(line, " \t=");
    value += 1 + strspn(value + 1, " \t");
    line[key] = '\0';
    if (strcmp(line, "ReadWritePaths") == 0)
        add_paths(sandbox, value);
    else if (strcmp(line, "ProtectSystem") == 0)
        sandbox->read_only = strcmp(value, "strict") == 0;
    else if (strcmp(line, "ProtectHome") == 0)
        sandbox->without_home = !is_off(value);
}

static bool read_file(struct sandbox *sandbox, const char *path)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, file) >= 0)
        read_line(sandbox, line);
    free(line);
    fclose(file);
    return true;
}

static void read_drop_ins(struct sandbox *sandbox, const char *folder)
{
    glob_t found;
    struct buffer pattern = {0};
    buffer_append_format(&pattern, "%s/" UNIT ".d/*.conf", folder);
    if (glob(pattern.data, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            read_file(sandbox, found.gl_pathv[i]);
        globfree(&found);
    }
    buffer_release(&pattern);
}

/* The unit of the first folder that has one counts, and the drop-ins of all, the first's last. */
static void read_unit(struct sandbox *sandbox)
{
    const char *given = getenv("SYSTEMD_UNIT_PATH");
    char *folders = memory_copy_string(
        given != NULL && given[0] != '\0' ? given
                                          : "/etc/systemd/system:/run/systemd/system:"
                                            "/usr/local/lib/systemd/system:/usr/lib/systemd/system:"
                                            "/lib/systemd/system");
    const char *list[16];
    size_t count = 0;
    char *rest = NULL;
    for (char *folder = strtok_r(folders, ":", &rest); folder != NULL && count < 16;
         folder = strtok_r(NULL, ":", &rest))
        list[count++] = folder;
    for (size_t i = 0; i < count && !sandbox->installed; i++) {
        struct buffer path = {0};
        buffer_append_format(&path, "%s/" UNIT, list[i]);
        sandbox->installed = read_file(sandbox, path.data);
        buffer_release(&path);
    }
    for (size_t i = count; i > 0; i--)
        read_drop_ins(sandbox, list[i - 1]);
    memory_free(folders);
}

/* --- what is missing --- */

static bool may_write(const struct sandbox *sandbox, const char *path)
{
    static const char own[] = "/var/lib/exsyncd";
    if (!sandbox->read_only || is_below(path, own, strlen(own)))
        return true;
    const char *next = buffer_string(&sandbox->paths);
    while (*next == '\n') {
        size_t length = strcspn(++next, "\n");
        if (is_below(path, next, length))
            return true;
        next += length;
    }
    return false;
}

static bool is_hidden(const struct sandbox *sandbox, const char *path)
{
    static const char *const homes[] = {"/home", "/root", "/run/user"};
    for (size_t i = 0; sandbox->without_home && i < sizeof homes / sizeof homes[0]; i++) {
        if (is_below(path, homes[i], strlen(homes[i])))
            return true;
    }
    return false;
}

void check_sandbox(const char *const *folders, size_t count, struct buffer *report)
{
    struct sandbox sandbox = {0};
    struct buffer missing = {0};
    bool hidden = false;
    read_unit(&sandbox);
    for (size_t i = 0; sandbox.installed && i < count; i++) {
        hidden = hidden || is_hidden(&sandbox, folders[i]);
        if (!may_write(&sandbox, folders[i]))
            buffer_append_format(&missing, "    ReadWritePaths=%s\n", folders[i]);
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
    buffer_release(&sandbox.paths);
}
