#include "tools/exsyncctl_output.h"

#include "base/clock.h"
#include "base/shell_word.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

enum {
    LINE_SIZE = 4096,
    PARAGRAPH_WIDTH = 78,
    SECOND = 1000,
    MINUTE = 60 * SECOND,
    HOUR = 60 * MINUTE
};

_Static_assert((int)OUTPUT_TIME_SIZE >= (int)CLOCK_LOCAL_SIZE, "a local time fits");

#define DAY (INT64_C(24) * HOUR)

/* --- colours --- */

void output_colour_begin(const struct exsyncctl *tool, enum output_colour colour)
{
    static const char *const codes[] = {
        [OUTPUT_PLAIN] = "",        [OUTPUT_STRONG] = "\033[1m",   [OUTPUT_FAINT] = "\033[2m",
        [OUTPUT_GOOD] = "\033[32m", [OUTPUT_WARNING] = "\033[33m", [OUTPUT_BAD] = "\033[31m",
    };
    if (tool->colour)
        fputs(codes[colour], stdout);
}

void output_colour_end(const struct exsyncctl *tool, enum output_colour colour)
{
    if (tool->colour && colour != OUTPUT_PLAIN)
        fputs("\033[0m", stdout);
}

void output_print(const struct exsyncctl *tool, enum output_colour colour, const char *format, ...)
{
    char text[LINE_SIZE], line[LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    int wanted = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    size_t length = strlen(text), before = strspn(format, "\n"), after = 0;
    for (const char *end = format + strlen(format); end > format + before && end[-1] == '\n'; end--)
        after++;
    if (wanted >= 0 && (size_t)wanted == length)
        length -= after;
    text_copy_shown(line, sizeof line, text + before, length - before);
    output_colour_begin(tool, colour);
    printf("%.*s%s%.*s", (int)before, format, line, (int)after, format + strlen(format) - after);
    output_colour_end(tool, colour);
}

void output_paragraph(const struct exsyncctl *tool, enum output_colour colour, int indent,
                      const char *text)
{
    int column = 0;
    text += strspn(text, " \n");
    while (*text != '\0') {
        int length = (int)strcspn(text, " \n");
        bool first = column == 0;
        if (!first && column + 1 + length > PARAGRAPH_WIDTH) {
            output_print(tool, colour, "\n");
            first = true;
        }
        output_print(tool, colour, "%*s%.*s", first ? indent : 1, "", length, text);
        column = first ? indent + length : column + 1 + length;
        text += length;
        text += strspn(text, " \n");
    }
    output_print(tool, colour, "\n");
}

/* --- times and durations --- */

/* `large` of the one unit and what is left in the other, when there is some. */
static void write_units(char text[OUTPUT_TIME_SIZE], int64_t milliseconds, int64_t large,
                        const char *large_name, int64_t small, const char *small_name)
{
    int64_t rest = milliseconds % large / small;
    if (rest == 0)
        snprintf(text, OUTPUT_TIME_SIZE, "%" PRId64 " %s", milliseconds / large, large_name);
    else
        snprintf(text, OUTPUT_TIME_SIZE, "%" PRId64 " %s %" PRId64 " %s", milliseconds / large,
                 large_name, rest, small_name);
}

void output_duration(char text[OUTPUT_TIME_SIZE], int64_t milliseconds)
{
    if (milliseconds < 0)
        milliseconds = 0;
    if (milliseconds < SECOND)
        snprintf(text, OUTPUT_TIME_SIZE, "%" PRId64 " ms", milliseconds);
    else if (milliseconds < MINUTE)
        snprintf(text, OUTPUT_TIME_SIZE, "%" PRId64 " s", milliseconds / SECOND);
    else if (milliseconds < HOUR)
        write_units(text, milliseconds, MINUTE, "min", SECOND, "s");
    else if (milliseconds < DAY)
        write_units(text, milliseconds, HOUR, "h", MINUTE, "min");
    else
        write_units(text, milliseconds, DAY, "d", HOUR, "h");
}

static bool read_time(const char *utc, int64_t *wall_ms)
{
    return utc != NULL && clock_parse_utc(utc, strlen(utc), wall_ms) == 0;
}

void output_time(char text[OUTPUT_TIME_SIZE], const char *utc)
{
    int64_t wall_ms;
    if (read_time(utc, &wall_ms))
        clock_format_local(wall_ms, text);
    else
        snprintf(text, OUTPUT_TIME_SIZE, "-");
}

void output_since(char text[OUTPUT_TIME_SIZE], const char *utc)
{
    int64_t wall_ms;
    char duration[OUTPUT_TIME_SIZE];
    snprintf(text, OUTPUT_TIME_SIZE, "-");
    if (!read_time(utc, &wall_ms))
        return;
    int64_t ago = clock_wall_ms() - wall_ms;
    output_duration(duration, ago < 0 ? -ago : ago);
    if (ago > -SECOND && ago < SECOND)
        snprintf(text, OUTPUT_TIME_SIZE, "now");
    else if (ago > 0)
        snprintf(text, OUTPUT_TIME_SIZE, "%.40s ago", duration);
    else
        snprintf(text, OUTPUT_TIME_SIZE, "in %.40s", duration);
}

/* --- hints --- */

void output_paused(const struct exsyncctl *tool, const char *profile)
{
    struct buffer word = {0};
    shell_word_append(&word, profile);
    output_print(tool, OUTPUT_WARNING,
                 "The profile %s is paused: exsyncctl resume %s lets it go on.\n", profile,
                 word.data);
    buffer_release(&word);
}

/* --- members of answers --- */

const char *output_text(const json_t *object, const char *member)
{
    return json_string_value(json_object_get(object, member));
}

const char *output_words(const json_t *object, const char *member)
{
    const char *text = output_text(object, member);
    return text == NULL ? "" : text;
}

int64_t output_number(const json_t *object, const char *member)
{
    return json_integer_value(json_object_get(object, member));
}

bool output_true(const json_t *object, const char *member)
{
    return json_is_true(json_object_get(object, member));
}
