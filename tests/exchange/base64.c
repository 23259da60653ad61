#include "base64.h"

#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void encode_group(char *out, const uint8_t *in)
{
    uint32_t bits = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
    out[0] = alphabet[bits >> 18];
    out[1] = alphabet[bits >> 12 & 63];
    out[2] = alphabet[bits >> 6 & 63];
    out[3] = alphabet[bits & 63];
}

void base64_append(struct buffer *buffer, const void *bytes, size_t length)
{
    const uint8_t *in = bytes;
    buffer_reserve(buffer, (length + 2) / 3 * 4);
    char *out = buffer->data + buffer->length;
    size_t whole = length / 3 * 3;
    for (size_t i = 0; i < whole; i += 3, out += 4)
        encode_group(out, in + i);
    size_t rest = length - whole;
    if (rest > 0) {
        uint8_t last[3] = {in[whole], rest == 2 ? in[whole + 1] : 0, 0};
        encode_group(out, last);
        memset(out + rest + 1, '=', 3 - rest);
        out += 4;
    }
    *out = '\0';
    buffer->length = (size_t)(out - buffer->data);
}

static int value_of(char character)
{
    if (character >= 'A' && character <= 'Z')
        return character - 'A';
    if (character >= 'a' && character <= 'z')
        return character - 'a' + 26;
    if (character >= '0' && character <= '9')
        return character - '0' + 52;
    if (character == '+')
        return 62;
    return character == '/' ? 63 : -1;
}

bool base64_decode(struct buffer *buffer, const char *text, size_t length)
{
    buffer_reserve(buffer, length / 4 * 3 + 3);
    uint32_t bits = 0;
    unsigned held = 0;
    size_t padding = 0;
    size_t characters = 0;
    for (size_t i = 0; i < length; i++) {
        if (strchr(" \t\r\n", text[i]) != NULL && text[i] != '\0')
            continue;
        characters++;
        if (text[i] == '=') {
            padding++;
            continue;
        }
        int value = value_of(text[i]);
        if (value < 0 || padding > 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            buffer_append_char(buffer, (char)(bits >> held & 0xFF));
        }
    }
    return characters % 4 == 0 && padding <= 2;
}
