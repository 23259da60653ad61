#include "xml_text.h"

#include <stdint.h>
#include <string.h>

/* The length of the UTF-8 character at `text`, 0 when there is none; `character` gets its code. */
static size_t utf8_character(const uint8_t *text, size_t length, uint32_t *character)
{
    uint8_t first = text[0];
    size_t size = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (size == 0 || first > 0xF4 || size > length)
        return 0;
    uint32_t code = size == 1 ? first : first & (0x7FU >> size);
    for (size_t i = 1; i < size; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3FU);
    }
    if ((size == 3 && code < 0x800) || (size == 4 && code < 0x10000) || code > 0x10FFFF ||
        (code >= 0xD800 && code <= 0xDFFF))
        return 0;
    *character = code;
    return size;
}

bool text_is_utf8(const char *text, size_t length)
{
    uint32_t character;
    for (size_t at = 0; at < length;) {
        size_t size = utf8_character((const uint8_t *)text + at, length - at, &character);
        if (size == 0)
            return false;
        at += size;
    }
    return true;
}

static bool is_xml_character(uint32_t character)
{
    return character >= 0x20 ? character != 0xFFFE && character != 0xFFFF
                             : character == '\t' || character == '\n' || character == '\r';
}

static const char *escape_of(uint32_t character)
{
    switch (character) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\r':
        return "&#xD;";
    default:
        return NULL;
    }
}

void xml_append_escaped(struct buffer *buffer, const char *text, size_t length)
{
    size_t copied = 0;
    for (size_t at = 0; at < length;) {
        uint32_t character = 0;
        size_t size = utf8_character((const uint8_t *)text + at, length - at, &character);
        const char *instead =
            size == 0 || !is_xml_character(character) ? "\xEF\xBF\xBD" : escape_of(character);
        if (instead != NULL) {
            buffer_append(buffer, text + copied, at - copied);
            buffer_append_string(buffer, instead);
            copied = at + (size > 0 ? size : 1);
        }
        at += size > 0 ? size : 1;
    }
    buffer_append(buffer, text + copied, length - copied);
}

void xml_append_element(struct buffer *buffer, const char *name, const char *text)
{
    buffer_append_string(buffer, "<t:");
    buffer_append_string(buffer, name);
    buffer_append_char(buffer, '>');
    xml_append_escaped(buffer, text, strlen(text));
    buffer_append_string(buffer, "</t:");
    buffer_append_string(buffer, name);
    buffer_append_char(buffer, '>');
}
