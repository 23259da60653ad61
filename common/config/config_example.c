#include "config/config_example.h"

#include "config/config_value.h"

#include <string.h>

const char config_example_syntax[] =
    "A line is [SECTION], KEY = VALUE, or a comment, which begins with # or ;. Behind a value a "
    "comment begins with a space and a semicolon. Values are written without quotes, end with "
    "their line, and may hold any other character, % too. A line has at most 198 bytes.";

static const char introduction[] =
    "The configuration of exsyncd. The files of conf.d beside it that end in .conf are read after "
    "it, in the order of their names; they may open any section, but nothing may be given twice. "
    "Check it with exsyncd --check-config; take it into use with SIGHUP.";

static const char values[] =
    "Yes and no may also be written true and false, on and off, 1 and 0. Durations have a unit: "
    "500ms, 30s, 5m, 1h, 90d, 2w, or several: 1h 30m. Sizes are bytes or have a unit: KB, MB and "
    "GB count in thousands, KiB, MiB and GiB (or K, M and G) in 1024s.\n"
    "Below, every key is commented out and shows its default, or an example where there is none.";

enum { LINE_WIDTH = 78 };

/* Writes one paragraph as comment lines. */
static void write_paragraph(struct buffer *text, const char *words, size_t length)
{
    size_t column = 0;
    while (length > 0) {
        const char *space = memchr(words, ' ', length);
        size_t word = space == NULL ? length : (size_t)(space - words);
        if (column > 0 && column + 1 + word > LINE_WIDTH) {
            buffer_append_char(text, '\n');
            column = 0;
        }
        buffer_append_string(text, column == 0 ? "# " : " ");
        buffer_append(text, words, word);
        column += word + (column == 0 ? 2 : 1);
        words += word;
        length -= word;
        if (length > 0) {
            words++;
            length--;
        }
    }
    buffer_append_char(text, '\n');
}

static void write_comment(struct buffer *text, const char *comment)
{
    for (;;) {
        size_t length = strcspn(comment, "\n");
        write_paragraph(text, comment, length);
        if (comment[length] == '\0')
            return;
        buffer_append_string(text, "#\n");
        comment += length + 1;
    }
}

void config_example_write_range(const struct config_key *key, struct buffer *text)
{
    switch (key->kind) {
    case CONFIG_KIND_NUMBER:
        buffer_append_format(text, "%llu to %llu.", (unsigned long long)key->minimum,
                             (unsigned long long)key->maximum);
        break;
    case CONFIG_KIND_DURATION:
        config_append_duration(text, key->minimum);
        buffer_append_string(text, " to ");
        config_append_duration(text, key->maximum);
        buffer_append_char(text, '.');
        break;
    case CONFIG_KIND_DURATIONS:
        buffer_append_string(text, "Each ");
        config_append_duration(text, key->minimum);
        buffer_append_string(text, " to ");
        config_append_duration(text, key->maximum);
        buffer_append_char(text, '.');
        break;
    case CONFIG_KIND_SIZE:
        config_append_size(text, key->minimum);
        buffer_append_string(text, " to ");
        config_append_size(text, key->maximum);
        buffer_append_char(text, '.');
        break;
    case CONFIG_KIND_CHOICE:
    case CONFIG_KIND_AFTER:
        buffer_append_string(text, "One of ");
        for (const struct config_choice *choice = key->choices; choice->name != NULL; choice++) {
            const char *separator = choice == key->choices   ? ""
                                    : choice[1].name == NULL ? " or "
                                                             : ", ";
            buffer_append_format(text, "%s%s", separator, choice->name);
        }
        buffer_append_char(text, '.');
        break;
    default:
        break;
    }
}

static void write_key(struct buffer *text, const struct config_key *key)
{
    struct buffer comment = {0};
    buffer_append_format(&comment, "%s ", key->text);
    config_example_write_range(key, &comment);
    if (comment.data[comment.length - 1] == ' ')
        comment.length--;
    buffer_append_string(&comment, key->initial == NULL ? " For example:" : "");
    write_comment(text, comment.data);
    buffer_release(&comment);
    buffer_append_format(text, "#%s = %s\n\n", key->name,
                         key->initial != NULL ? key->initial : key->example);
}

void config_example_write(struct buffer *text)
{
    write_comment(text, introduction);
    buffer_append_string(text, "#\n");
    write_comment(text, config_example_syntax);
    buffer_append_string(text, "#\n");
    write_comment(text, values);
    for (size_t section = 0; section < CONFIG_SECTION_COUNT; section++) {
        const struct config_section_description *description = &config_sections[section];
        buffer_append_string(text, "\n");
        write_comment(text, description->text);
        /* A section that is there already needs a name of the administrator's. */
        buffer_append_format(text, "%s[%s]\n\n",
                             description->name != NULL || description->optional ? "#" : "",
                             description->example);
        for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
            if ((size_t)config_keys[i].section == section)
                write_key(text, &config_keys[i]);
        }
    }
    while (text->length > 1 && text->data[text->length - 2] == '\n')
        text->length--;
    text->data[text->length] = '\0';
}
