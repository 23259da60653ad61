#include "config/config_line.h"

#include "base/text.h"

#include <ctype.h>
#include <string.h>

enum { LARGEST_FILE = 64 * 1024 * 1024, LARGEST_LINE = 1024 };

/* Fills `line` with the bytes up to the end of the line. */
static enum config_line_kind read_raw(struct config_lines *lines, char *line, size_t size,
                                      size_t *length)
{
    bool long_line = false, binary = false;
    int byte = getc_unlocked(lines->stream);
    size_t used = 0;
    *length = 0;
    if (byte == EOF)
        return ferror(lines->stream) ? CONFIG_LINE_FAILED : CONFIG_LINE_END;
    lines->number++;
    for (; byte != EOF && byte != '\n'; byte = getc_unlocked(lines->stream)) {
        if (++lines->bytes > LARGEST_FILE)
            return CONFIG_LINE_ENDLESS;
        binary = binary || byte == '\0';
        if (used < size - 2)
            line[used++] = (char)byte;
        else if (byte != '\r')
            long_line = true;
    }
    line[used] = '\0';
    *length = used;
    if (ferror(lines->stream))
        return CONFIG_LINE_FAILED;
    if (lines->number == 1 &&
        (strncmp(line, "\xff\xfe", 2) == 0 || strncmp(line, "\xfe\xff", 2) == 0))
        binary = true;
    return binary ? CONFIG_LINE_BINARY : long_line ? CONFIG_LINE_TOO_LONG : CONFIG_LINE_KEY;
}

static size_t strip(char *line, size_t length, bool first)
{
    size_t start = first && strncmp(line, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; /* a byte order mark */
    while (start < length && isspace((unsigned char)line[start]))
        start++;
    while (length > start && isspace((unsigned char)line[length - 1]))
        length--;
    length -= start;
    memmove(line, line + start, length);
    line[length] = '\0';
    for (size_t i = 0; i < length; i++) {
        if (line[i] == '\t')
            line[i] = ' ';
    }
    return length;
}

static bool is_clean(const char *line, size_t length)
{
    char copy[LARGEST_LINE];
    size_t size = length + 1 < sizeof copy ? length + 1 : sizeof copy;
    return text_copy_line(copy, size, line, length) == length && memcmp(copy, line, length) == 0;
}

enum config_line_kind config_lines_next(struct config_lines *lines, char *line, size_t size)
{
    if (size > LARGEST_LINE)
        size = LARGEST_LINE;
    for (;;) {
        size_t length = 0;
        enum config_line_kind kind = read_raw(lines, line, size, &length);
        if (kind != CONFIG_LINE_KEY && kind != CONFIG_LINE_TOO_LONG)
            return kind;
        length = strip(line, length, lines->number == 1);
        if (length == 0 || line[0] == ';' || line[0] == '#')
            continue;
        if (kind == CONFIG_LINE_TOO_LONG)
            return kind;
        if (!is_clean(line, length))
            return CONFIG_LINE_GARBLED;
        return line[0] == '[' ? CONFIG_LINE_TITLE : CONFIG_LINE_KEY;
    }
}
