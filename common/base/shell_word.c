#include "base/shell_word.h"

#include "base/memory.h"
#include "base/text.h"

#include <string.h>

static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                            "0123456789@%+=:,./_-";

static void append_in_single_quotes(struct buffer *text, const char *value)
{
    buffer_append_char(text, '\'');
    for (; *value != '\0'; value++) {
        if (*value == '\'')
            buffer_append_string(text, "'\\''");
        else
            buffer_append_char(text, *value);
    }
    buffer_append_char(text, '\'');
}

void shell_word_append(struct buffer *text, const char *value)
{
    size_t size = strlen(value) + 1;
    char *line = memory_allocate(size);
    text_copy_line(line, size, value, size - 1);
    if (line[0] != '\0' && line[strspn(line, plain)] == '\0')
        buffer_append_string(text, line);
    else if (strpbrk(line, "\"$`\\!") == NULL)
        buffer_append_format(text, "\"%s\"", line);
    else
        append_in_single_quotes(text, line);
    memory_free(line);
}
