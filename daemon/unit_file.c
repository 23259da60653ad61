#include "daemon/unit_file.h"

#include "base/memory.h"

#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define UNIT "exsyncd.service"

static bool is_off(const char *value)
{
    return strcasecmp(value, "no") == 0 || strcasecmp(value, "false") == 0 ||
           strcasecmp(value, "off") == 0 || strcmp(value, "0") == 0;
}

/* --- words --- */

/* The next word of a list, as systemd.syntax(7) has it: words stand between blanks, in quotes when
 * they have some themselves; a backslash takes away what the next character means. NULL: there is
 * none. It is written over where it stood. */
static char *next_word(char **rest)
{
    char *from = *rest + strspn(*rest, " \t"), *word = from, *to = from;
    char quote = '\0';
    if (*from == '\0')
        return NULL;
    for (; *from != '\0' && (quote != '\0' || strchr(" \t", *from) == NULL); from++) {
        if (quote == '\0' ? strchr("\"'", *from) != NULL : *from == quote)
            quote = quote == '\0' ? *from : '\0';
        else if (*from == '\\' && from[1] != '\0')
            *to++ = *++from;
        else
            *to++ = *from;
    }
    *rest = from + (*from != '\0');
    *to = '\0';
    return word;
}

/* Of the specifiers of systemd.unit(5) only the one that stands for the sign itself. */
static void append_path(struct buffer *paths, const char *word)
{
    buffer_append_char(paths, '\n');
    for (; *word != '\0'; word++) {
        buffer_append_char(paths, *word);
        word += word[0] == '%' && word[1] == '%';
    }
}

/* They may have a - or + in front: systemd.exec(5). */
static void add_paths(struct buffer *paths, char *value)
{
    if (*value == '\0')
        buffer_clear(paths);
    for (char *word; (word = next_word(&value)) != NULL;)
        append_path(paths, word + strspn(word, "-+"));
}

void unit_file_append_path(struct buffer *text, const char *path)
{
    bool quoted = path[strcspn(path, " \t\"'\\")] != '\0';
    buffer_append_string(text, quoted ? "\"" : "");
    for (; *path != '\0'; path++) {
        if (*path == '"' || *path == '\\')
            buffer_append_char(text, '\\');
        buffer_append_char(text, *path);
        if (*path == '%')
            buffer_append_char(text, '%');
    }
    buffer_append_string(text, quoted ? "\"" : "");
}

/* --- reading --- */

static void set(struct buffer *text, const char *value)
{
    buffer_clear(text);
    buffer_append_string(text, value);
}

/* Behind each other, as an empty value forgets those before it. */
static void add_groups(struct buffer *groups, const char *value)
{
    if (*value == '\0')
        buffer_clear(groups);
    buffer_append_format(groups, " %s", value);
}

static void read_line(struct unit_file *unit, char *line)
{
    size_t length = strlen(line);
    while (length > 0 && isspace((unsigned char)line[length - 1]))
        line[--length] = '\0';
    line += strspn(line, " \t");
    char *value = strchr(line, '=');
    if (value == NULL)
        return;
    size_t key = strcspn(line, " \t=");
    value += 1 + strspn(value + 1, " \t");
    line[key] = '\0';
    if (strcmp(line, "User") == 0)
        set(&unit->user, value);
    else if (strcmp(line, "Group") == 0)
        set(&unit->group, value);
    else if (strcmp(line, "SupplementaryGroups") == 0)
        add_groups(&unit->groups, value);
    else if (strcmp(line, "ReadWritePaths") == 0)
        add_paths(&unit->writable, value);
    else if (strcmp(line, "ProtectSystem") == 0)
        unit->read_only = strcmp(value, "strict") == 0;
    else if (strcmp(line, "ProtectHome") == 0)
        unit->without_home = !is_off(value);
}

static bool is_comment(const char *line)
{
    line += strspn(line, " \t");
    return *line == '#' || *line == ';';
}

/* A line that ends in a backslash goes on in the next one that is no comment. */
static bool read_file(struct unit_file *unit, const char *path)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    struct buffer whole = {0};
    while ((length = getline(&line, &size, file)) >= 0) {
        if (is_comment(line))
            continue;
        length -= length > 0 && line[length - 1] == '\n';
        bool goes_on = length > 0 && line[length - 1] == '\\';
        buffer_append(&whole, line, (size_t)length - goes_on);
        buffer_append_char(&whole, ' ');
        if (goes_on)
            continue;
        read_line(unit, whole.data);
        buffer_clear(&whole);
    }
    if (whole.length > 0)
        read_line(unit, whole.data);
    buffer_release(&whole);
    free(line);
    fclose(file);
    return true;
}

static void read_drop_ins(struct unit_file *unit, const char *folder)
{
    glob_t found;
    struct buffer pattern = {0};
    buffer_append_format(&pattern, "%s/" UNIT ".d/*.conf", folder);
    if (glob(pattern.data, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            read_file(unit, found.gl_pathv[i]);
        globfree(&found);
    }
    buffer_release(&pattern);
}

/* The unit of the first folder that has one counts, and the drop-ins of all, the first's last. */
void unit_file_read(struct unit_file *unit)
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
    for (size_t i = 0; i < count && !unit->installed; i++) {
        struct buffer path = {0};
        buffer_append_format(&path, "%s/" UNIT, list[i]);
        unit->installed = read_file(unit, path.data);
        buffer_release(&path);
    }
    for (size_t i = count; i > 0; i--)
        read_drop_ins(unit, list[i - 1]);
    memory_free(folders);
}

void unit_file_release(struct unit_file *unit)
{
    buffer_release(&unit->writable);
    buffer_release(&unit->user);
    buffer_release(&unit->group);
    buffer_release(&unit->groups);
}
