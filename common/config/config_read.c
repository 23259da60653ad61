#define _GNU_SOURCE /* strcasestr */
#include "config/config_read.h"

#include "base/memory.h"
#include "config/config_line.h"
#include "config/config_suggest.h"
#include "config/config_title.h"

#include <dirent.h>
#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* One file while it is read. */
struct file_reader {
    struct config_document *document;
    struct config_lines lines;
    uint32_t file;
    bool awaiting;  /* a line was handed to the library and no key has come of it yet */
    bool skipping;  /* the section is not known: its keys are not looked at */
    bool misplaced; /* keys before the first section were reported */
    enum config_section_kind kind;
    struct config_section *section; /* NULL before the first */
};

static struct config_place here(const struct file_reader *reader)
{
    return (struct config_place){.file = reader->file, .line = reader->lines.number};
}

static struct config_section *add_section(struct config_document *document,
                                          enum config_section_kind kind)
{
    struct config_section_list *list = &document->sections[kind];
    struct config_section *section = config_arena_allocate(document->scratch, sizeof *section);
    if (list->first == NULL)
        list->first = section;
    else
        list->last->next = section;
    list->last = section;
    list->count++;
    return section;
}

static void open_section(struct file_reader *reader, char *line)
{
    struct config_document *document = reader->document;
    struct config_title title;
    reader->skipping = !config_title_read(document, here(reader), line, &title);
    if (reader->skipping)
        return;
    reader->kind = title.kind;
    reader->section = document->sections[title.kind].first;
    if (config_sections[title.kind].name == NULL && reader->section != NULL)
        return;
    reader->section = add_section(document, title.kind);
    reader->section->title = title.title;
    reader->section->name = title.name;
    reader->section->place = here(reader);
}

static void report_line(const struct file_reader *reader, const char *sentence)
{
    const char *section = reader->section == NULL ? NULL : reader->section->title;
    config_report_error(reader->document->report, here(reader), section, NULL, "%s", sentence);
}

static void report_without_key(struct file_reader *reader)
{
    if (!reader->awaiting)
        return;
    reader->awaiting = false;
    if (!reader->skipping)
        report_line(reader, "the line has no =; write KEY = VALUE, and begin a comment with #");
}

/* What libinih calls for the next line: only lines that should have a key come through. */
static char *next_line(char *line, int size, void *stream)
{
    struct file_reader *reader = stream;
    struct config_report *report = reader->document->report;
    for (;;) {
        report_without_key(reader);
        enum config_line_kind kind = config_lines_next(&reader->lines, line, (size_t)size);
        switch (kind) {
        case CONFIG_LINE_KEY:
            reader->awaiting = true;
            memcpy(line + strlen(line), "\n", 2); /* config_lines_next leaves room for it */
            return line;
        case CONFIG_LINE_TITLE:
            open_section(reader, line);
            break;
        case CONFIG_LINE_TOO_LONG:
            config_report_error(report, here(reader), NULL, NULL,
                                "the line is too long; at most %d bytes are read, and a list of "
                                "folders may be given in several lines of folders",
                                size - 2);
            reader->skipping = reader->skipping || line[0] == '[';
            break;
        case CONFIG_LINE_GARBLED:
            report_line(reader, "the line has a control character or is not UTF-8; write the file "
                                "in UTF-8");
            reader->skipping = reader->skipping || line[0] == '[';
            break;
        case CONFIG_LINE_BINARY:
            report_line(reader, "the line has a zero byte, or the file is in UTF-16; the rest is "
                                "not read; write the file in UTF-8");
            return NULL;
        case CONFIG_LINE_ENDLESS:
            report_line(reader, "the file is larger than 64 MB; the rest is not read; it cannot be "
                                "a configuration");
            return NULL;
        case CONFIG_LINE_FAILED:
            config_report_error(report, here(reader), NULL, NULL,
                                "the file cannot be read: %s; the rest is not read",
                                strerror(errno));
            return NULL;
        case CONFIG_LINE_END:
            return NULL;
        }
    }
}

static bool looks_like_password(const char *name)
{
    return strcasestr(name, "passw") != NULL || strcasestr(name, "secret") != NULL ||
           strcasecmp(name, "pass") == 0 || strcasecmp(name, "pwd") == 0;
}

static void report_unknown_key(struct file_reader *reader, const char *name)
{
    const char *title = reader->section->title;
    struct config_report *report = reader->document->report;
    struct config_suggestion suggestion = config_suggestion_start(name);
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        if (config_key_allowed(&config_keys[i], reader->kind))
            config_suggestion_consider(&suggestion, config_keys[i].name);
    }
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        if (strcmp(config_keys[i].name, name) != 0)
            continue;
        const struct config_section_description *home = &config_sections[config_keys[i].section];
        config_report_error(report, here(reader), title, name,
                            "is no key of this section; it belongs into [%s%s%s]", home->keyword,
                            home->name == NULL ? "" : " ", home->name == NULL ? "" : home->name);
        return;
    }
    if (looks_like_password(name) && (suggestion.best == NULL || suggestion.distance > 1))
        config_report_error(report, here(reader), title, name,
                            "is no key; a password is not written here but into a file of its own "
                            "(chmod 600) that password_file names");
    else if (suggestion.best != NULL)
        config_report_error(report, here(reader), title, name, "is no key; did you mean %s?",
                            suggestion.best);
    else
        config_report_error(report, here(reader), title, name,
                            "is no key; exsyncd.conf(5) lists them");
}

static bool is_duplicate(struct file_reader *reader, const struct config_key *key)
{
    const struct config_entry *earlier =
        config_section_find(reader->section, (enum config_key_id)(key - config_keys));
    if (earlier == NULL || key->kind == CONFIG_KIND_FOLDERS || key->kind == CONFIG_KIND_LIST)
        return false;
    char *where = config_report_where(reader->document->report, earlier->place);
    config_report_error(reader->document->report, here(reader), reader->section->title, key->name,
                        "is given twice, first at %s; delete one of them", where);
    memory_free(where);
    return true;
}

static void add_entry(struct file_reader *reader, const struct config_key *key, const char *text)
{
    struct config_section *section = reader->section;
    struct config_arena *scratch = reader->document->scratch;
    struct config_entry *entry = config_arena_allocate(scratch, sizeof *entry);
    struct buffer wrong = {0};
    entry->key = key;
    entry->place = here(reader);
    if (text[0] == '\0')
        buffer_append_string(&wrong, "has no value; write one, or delete the line for the default");
    else
        entry->good =
            config_value_read(key, config_arena_copy_string(scratch, text), &entry->value, &wrong);
    if (!entry->good)
        config_report_error(reader->document->report, entry->place, section->title, key->name, "%s",
                            buffer_string(&wrong));
    buffer_release(&wrong);
    if (section->first == NULL)
        section->first = entry;
    else
        section->last->next = entry;
    section->last = entry;
}

/* libinih's handler: a line with a key and a value. Its sections are not used. */
static int take_key(void *user, const char *section, const char *name, const char *text)
{
    (void)section;
    struct file_reader *reader = user;
    reader->awaiting = false;
    if (reader->skipping)
        return 1;
    if (reader->section == NULL) {
        if (!reader->misplaced)
            report_line(reader, "a key stands before the first section; write [exsyncd] or another "
                                "section above it");
        reader->misplaced = true;
        return 1;
    }
    const struct config_key *key = config_key_find(reader->kind, name);
    if (name[0] == '\0')
        report_line(reader, "nothing stands before the =; write KEY = VALUE");
    else if (key == NULL)
        report_unknown_key(reader, name);
    else if (!is_duplicate(reader, key))
        add_entry(reader, key, text);
    return 1;
}

static bool read_file(struct config_document *document, const char *path)
{
    uint32_t file = config_report_add_file(document->report, path);
    struct config_place place = {.file = file};
    struct file_reader reader = {.document = document, .file = file};
    reader.lines.stream = fopen(path, "re");
    if (reader.lines.stream == NULL) {
        config_report_error(document->report, place, NULL, NULL, "cannot be read: %s; %s",
                            strerror(errno),
                            errno == ENOENT ? "write it, or name another with --config"
                                            : "let the user who runs this read it");
        return false;
    }
    /* The library's result says nothing that was not reported above, but for its own memory. */
    if (ini_parse_stream(next_line, &reader, take_key, &reader) == -2)
        config_report_error(document->report, place, NULL, NULL,
                            "cannot be read: no memory; try again");
    fclose(reader.lines.stream);
    return true;
}

static int is_configuration(const struct dirent *file)
{
    size_t length = strlen(file->d_name);
    return file->d_name[0] != '.' && length > 5 && strcmp(file->d_name + length - 5, ".conf") == 0;
}

static int compare_names(const struct dirent **left, const struct dirent **right)
{
    return strcmp((*left)->d_name, (*right)->d_name);
}

/* Opening a pipe would wait for its other end. /dev/null is how files are masked. */
static bool can_be_opened(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return true; /* opening it will say why */
    return S_ISREG(status.st_mode) || (S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3));
}

static void read_folder(struct config_document *document, const char *folder)
{
    struct dirent **files = NULL;
    int count = scandir(folder, &files, is_configuration, compare_names);
    if (count < 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return;
        int error = errno;
        struct config_place place = {.file = config_report_add_file(document->report, folder)};
        config_report_error(document->report, place, NULL, NULL,
                            "cannot be read: %s; let the user who runs this read it",
                            strerror(error));
        return;
    }
    for (int i = 0; i < count; i++) {
        struct buffer path = {0};
        buffer_append_format(&path, "%s/%s", folder, files[i]->d_name);
        if (can_be_opened(path.data)) {
            read_file(document, path.data);
        } else {
            struct config_place place = {.file =
                                             config_report_add_file(document->report, path.data)};
            config_report_error(document->report, place, NULL, NULL,
                                "is no file; take it away or name it so that it does not end in "
                                ".conf");
        }
        buffer_release(&path);
        free(files[i]);
    }
    free(files);
}

void config_document_read(struct config_document *document, const char *main_path)
{
    if (!read_file(document, main_path))
        return;
    const char *slash = strrchr(main_path, '/');
    struct buffer folder = {0};
    buffer_append(&folder, main_path, slash == NULL ? 0 : (size_t)(slash - main_path) + 1);
    buffer_append_string(&folder, "conf.d");
    read_folder(document, folder.data);
    buffer_release(&folder);
}

const struct config_entry *config_section_find(const struct config_section *section,
                                               enum config_key_id id)
{
    if (section == NULL)
        return NULL;
    for (const struct config_entry *entry = section->first; entry != NULL; entry = entry->next) {
        if (entry->key == &config_keys[id])
            return entry;
    }
    return NULL;
}
