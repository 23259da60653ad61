#define _GNU_SOURCE /* memmem */
#include "config/config_report.h"

#include "base/memory.h"
#include "base/text.h"
#include "config/config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define WARNING "warning: "

uint32_t config_report_add_file(struct config_report *report, const char *path)
{
    report->files = memory_resize(report->files, (report->file_count + 1) * sizeof *report->files);
    report->files[report->file_count] = memory_copy_string(path);
    return (uint32_t)report->file_count++;
}

static void append_place(const struct config_report *report, struct config_place place,
                         struct buffer *text)
{
    buffer_append_string(text, report->files[place.file]);
    if (place.line > 0)
        buffer_append_format(text, ":%u", place.line);
}

/* A name from outside must not be able to write a second line, or to a terminal. */
static void make_fit(struct buffer *text)
{
    struct buffer line = {0};
    buffer_reserve(&line, text->length);
    line.length = text_copy_shown(line.data, text->length + 1, buffer_string(text), text->length);
    buffer_release(text);
    *text = line;
}

static void add(struct config_report *report, struct config_place place, struct buffer *text)
{
    make_fit(text);
    if (report->count == report->capacity) {
        report->capacity = report->capacity == 0 ? 16 : report->capacity * 2;
        report->mistakes =
            memory_resize(report->mistakes, report->capacity * sizeof *report->mistakes);
    }
    report->mistakes[report->count] =
        (struct config_mistake){.place = place, .order = report->count, .text = buffer_take(text)};
    report->count++;
}

static void append_subject(struct buffer *text, const char *section, const char *key)
{
    if (section != NULL)
        buffer_append_format(text, "[%s]", section);
    if (key != NULL)
        buffer_append_format(text, "%s%s", section != NULL ? " " : "", key);
    if (section != NULL || key != NULL)
        buffer_append_string(text, ": ");
}

__attribute__((format(printf, 6, 0))) static void
add_sentence(struct config_report *report, struct config_place place, const char *severity,
             const char *section, const char *key, const char *format, va_list arguments)
{
    struct buffer text = {0};
    append_place(report, place, &text);
    buffer_append_format(&text, ": %s", severity);
    append_subject(&text, section, key);
    buffer_append_format_list(&text, format, arguments);
    add(report, place, &text);
}

void config_report_error(struct config_report *report, struct config_place place,
                         const char *section, const char *key, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_sentence(report, place, "", section, key, format, arguments);
    va_end(arguments);
    report->error_count++;
}

void config_report_warning(struct config_report *report, struct config_place place,
                           const char *section, const char *key, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_sentence(report, place, WARNING, section, key, format, arguments);
    va_end(arguments);
}

char *config_report_where(const struct config_report *report, struct config_place place)
{
    struct buffer text = {0};
    append_place(report, place, &text);
    return buffer_take(&text);
}

/* It stands behind the place, which ends with the first colon that a blank follows: what a mistake
 * quotes may have the word in it, too. */
bool config_is_warning(const char *line, size_t length)
{
    static const char mark[] = ": " WARNING;
    const char *place_end = memmem(line, length, ": ", 2);
    size_t left = place_end == NULL ? 0 : length - (size_t)(place_end - line);
    return left >= strlen(mark) && memcmp(place_end, mark, strlen(mark)) == 0;
}

static int compare_mistakes(const void *left, const void *right)
{
    const struct config_mistake *a = left;
    const struct config_mistake *b = right;
    if (a->place.file != b->place.file)
        return a->place.file < b->place.file ? -1 : 1;
    if (a->place.line != b->place.line)
        return a->place.line < b->place.line ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

/* Several mailboxes can run into one mistake of [mailbox-defaults]; sorting has put the repetitions
 * next to those of the same place. */
static int is_repetition(const struct config_report *report, size_t index)
{
    const struct config_mistake *mistake = &report->mistakes[index];
    while (index-- > 0) {
        const struct config_mistake *earlier = &report->mistakes[index];
        if (earlier->place.file != mistake->place.file ||
            earlier->place.line != mistake->place.line)
            return 0;
        if (strcmp(earlier->text, mistake->text) == 0)
            return 1;
    }
    return 0;
}

void config_report_write(struct config_report *report, struct buffer *output)
{
    if (report->count == 0)
        return;
    qsort(report->mistakes, report->count, sizeof *report->mistakes, compare_mistakes);
    for (size_t i = 0; i < report->count; i++) {
        if (is_repetition(report, i))
            continue;
        buffer_append_string(output, report->mistakes[i].text);
        buffer_append_char(output, '\n');
    }
}

void config_report_release(struct config_report *report)
{
    for (size_t i = 0; i < report->count; i++)
        memory_free(report->mistakes[i].text);
    for (size_t i = 0; i < report->file_count; i++)
        memory_free(report->files[i]);
    memory_free(report->mistakes);
    memory_free(report->files);
    *report = (struct config_report){0};
}
