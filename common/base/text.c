#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* One step through the text: how many bytes belong together, and whether they are a character. */
struct text_step {
    size_t length;
    uint32_t character;
    bool valid;
};

/* The second byte's range depends on the first: it shuts out overlong forms (E0, F0), surrogates
 * (ED) and what lies beyond U+10FFFF (F4). */
static bool text_second_byte_fits(unsigned char first, unsigned char second)
{
    unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    return second >= low && second <= high;
}

static struct text_step text_next(const unsigned char *bytes, size_t left)
{
    unsigned char first = bytes[0];
    if (first < 0x80)
        return (struct text_step){1, first, true};
    if (first < 0xc2 || first > 0xf4)
        return (struct text_step){1, 0, false};

    size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    uint32_t character = first & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (i == left)
            return (struct text_step){i, 0, false};
        bool fits = i == 1 ? text_second_byte_fits(first, bytes[1]) : (bytes[i] & 0xc0) == 0x80;
        if (!fits)
            return (struct text_step){i, 0, false};
        character = character << 6 | (bytes[i] & 0x3fu);
    }
    return (struct text_step){length, character, true};
}

static bool text_is_control(uint32_t character)
{
    return character < 0x20 || (character >= 0x7f && character < 0xa0) || character == 0x2028 ||
           character == 0x2029;
}

/* Marks of direction: what follows them, or stands between them, is shown in another order. */
static bool text_is_direction(uint32_t character)
{
    return character == 0x061c || character == 0x200e || character == 0x200f ||
           (character >= 0x202a && character <= 0x202e) ||
           (character >= 0x2066 && character <= 0x2069);
}

static size_t text_copy(char *line, size_t size, const char *text, size_t length, bool shown)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t used = 0;
    size_t i = 0;
    while (i < length) {
        struct text_step step = text_next(bytes + i, length - i);
        bool kept = step.valid && !text_is_control(step.character) &&
                    !(shown && text_is_direction(step.character));
        size_t needed = kept ? step.length : 1;
        if (needed > size - 1 - used)
            break;
        if (kept)
            memcpy(line + used, text + i, needed);
        else
            line[used] = step.valid ? ' ' : '?';
        used += needed;
        i += step.length;
    }
    line[used] = '\0';
    return used;
}

size_t text_copy_line(char *line, size_t size, const char *text, size_t length)
{
    return text_copy(line, size, text, length, false);
}

size_t text_copy_shown(char *line, size_t size, const char *text, size_t length)
{
    return text_copy(line, size, text, length, true);
}

const char *text_plural(uint64_t count, const char *one, const char *many)
{
    return count == 1 ? one : many;
}
