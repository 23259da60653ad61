#include "daemon/unit_file.h"

#include "base/memory.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define UNIT "exsyncd.service"

static bool is_one_of(const char *value, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strcasecmp(value, *words) == 0)
            return true;
    }
    return false;
}

static bool is_off(const char *value)
{
    static const char *const words[] = {"no", "n", "false", "f", "off", "0", NULL};
    return is_one_of(value, words);
}

static bool is_on(const char *value)
{
    static const char *const words[] = {"yes", "y", "true", "t", "on", "1", NULL};
    return is_one_of(value, words);
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

/* The specifiers of systemd.unit(5) that stand for folders of the system, and for the sign itself.
 */
static void append_path(struct buffer *paths, const char *word)
{
    static const struct {
        char letter;
        const char *meaning;
    } specifiers[] = {{'%', "%"},        {'S', "/var/lib"}, {'C', "/var/cache"},
                      {'L', "/var/log"}, {'E', "/etc"},     {'t', "/run"}};
    enum { COUNT = sizeof specifiers / sizeof *specifiers };
    buffer_append_char(paths, '\n');
    for (; *word != '\0'; word++) {
        size_t i = 0;
        while (i < COUNT && (word[0] != '%' || word[1] != specifiers[i].letter))
            i++;
        if (i < COUNT) {
            buffer_append_string(paths, specifiers[i].meaning);
            word++;
        } else {
            buffer_append_char(paths, *word);
        }
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

static void set_environment(struct unit_file *unit, char *value)
{
    static const char cache[] = "KRB5CCNAME=", table[] = "KRB5_CLIENT_KTNAME=";
    if (*value == '\0') {
        buffer_clear(&unit->ticket_cache);
        buffer_clear(&unit->key_table);
    }
    for (char *word; (word = next_word(&value)) != NULL;) {
        if (strncmp(word, cache, sizeof cache - 1) == 0)
            set(&unit->ticket_cache, word + sizeof cache - 1);
        else if (strncmp(word, table, sizeof table - 1) == 0)
            set(&unit->key_table, word + sizeof table - 1);
    }
}

/* What is none of the values is passed over, and what was said before counts. */
static void set_system(struct unit_file *unit, const char *value)
{
    bool strict = strcmp(value, "strict") == 0;
    if (strict || strcmp(value, "full") == 0 || is_on(value) || is_off(value))
        unit->read_only = strict;
}

static void set_home(struct unit_file *unit, const char *value)
{
    bool hidden = is_on(value) || strcmp(value, "tmpfs") == 0;
    bool read_only = strcmp(value, "read-only") == 0;
    if (!hidden && !read_only && !is_off(value))
        return;
    unit->without_home = hidden;
    unit->read_only_home = read_only;
}

static void assign(struct unit_file *unit, char *line)
{
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
    else if (strcmp(line, "Environment") == 0)
        set_environment(unit, value);
    else if (strcmp(line, "ProtectSystem") == 0)
        set_system(unit, value);
    else if (strcmp(line, "ProtectHome") == 0)
        set_home(unit, value);
}

/* The same words mean something else, or nothing, in other sections and before the first. */
static void read_line(struct unit_file *unit, bool *in_service, char *line)
{
    size_t length = strlen(line);
    while (length > 0 && isspace((unsigned char)line[length - 1]))
        line[--length] = '\0';
    line += strspn(line, " \t");
    if (*line == '[')
        *in_service = strcmp(line, "[Service]") == 0;
    else if (*in_service)
        assign(unit, line);
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
    bool in_service = false;
    while ((length = getline(&line, &size, file)) >= 0) {
        if (is_comment(line))
            continue;
        length -= length > 0 && line[length - 1] == '\n';
        bool goes_on = length > 0 && line[length - 1] == '\\';
        buffer_append(&whole, line, (size_t)length - goes_on);
        buffer_append_char(&whole, ' ');
        if (goes_on)
            continue;
        read_line(unit, &in_service, whole.data);
        buffer_clear(&whole);
    }
    if (whole.length > 0)
        read_line(unit, &in_service, whole.data);
    buffer_release(&whole);
    free(line);
    fclose(file);
    return true;
}

/* --- drop-ins --- */

struct drop_in {
    char *name; /* owned, as the next */
    char *path;
};

struct drop_ins {
    struct drop_in *all;
    size_t count;
};

static bool is_drop_in(const char *name)
{
    size_t length = strlen(name);
    return name[0] != '.' && length > 5 && strcmp(name + length - 5, ".conf") == 0;
}

static bool has_drop_in(const struct drop_ins *drop_ins, const char *name)
{
    for (size_t i = 0; i < drop_ins->count; i++) {
        if (strcmp(drop_ins->all[i].name, name) == 0)
            return true;
    }
    return false;
}

/* A file hides those of its name in folders that come later: an empty one, too. */
static void add_drop_ins(struct drop_ins *drop_ins, const char *folder, const char *of)
{
    struct buffer path = {0};
    buffer_append_format(&path, "%s/%s.d", folder, of);
    DIR *opened = opendir(path.data);
    const struct dirent *entry;
    while (opened != NULL && (entry = readdir(opened)) != NULL) {
        if (!is_drop_in(entry->d_name) || has_drop_in(drop_ins, entry->d_name))
            continue;
        struct buffer file = {0};
        buffer_append_format(&file, "%s/%s", path.data, entry->d_name);
        drop_ins->all = memory_resize(drop_ins->all, (drop_ins->count + 1) * sizeof *drop_ins->all);
        drop_ins->all[drop_ins->count++] = (struct drop_in){
            memory_copy_string(entry->d_name), memory_copy_bytes(file.data, file.length)};
        buffer_release(&file);
    }
    if (opened != NULL)
        closedir(opened);
    buffer_release(&path);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct drop_in *)a)->name, ((const struct drop_in *)b)->name);
}

/* In the order of their names, in whatever folder each is; the last word counts. */
static void read_drop_ins(struct unit_file *unit, const char *const *folders, size_t count)
{
    struct drop_ins drop_ins = {0};
    for (size_t i = 0; i < count; i++)
        add_drop_ins(&drop_ins, folders[i], UNIT);
    for (size_t i = 0; i < count; i++)
        add_drop_ins(&drop_ins, folders[i], "service"); /* of all services */
    if (drop_ins.count > 0)
        qsort(drop_ins.all, drop_ins.count, sizeof *drop_ins.all, by_name);
    for (size_t i = 0; i < drop_ins.count; i++) {
        read_file(unit, drop_ins.all[i].path);
        memory_free(drop_ins.all[i].name);
        memory_free(drop_ins.all[i].path);
    }
    memory_free(drop_ins.all);
}

/* --- the whole --- */

/* The unit of the first folder that has one counts, and then the drop-ins of all. */
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
    read_drop_ins(unit, list, count);
    memory_free(folders);
}

void unit_file_release(struct unit_file *unit)
{
    buffer_release(&unit->writable);
    buffer_release(&unit->user);
    buffer_release(&unit->group);
    buffer_release(&unit->groups);
    buffer_release(&unit->ticket_cache);
    buffer_release(&unit->key_table);
}
