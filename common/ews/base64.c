#include "ews/base64.h"

enum {
    SKIP = 0x40,     /* white space */
    PAD = 0x41,      /* '=' */
    BAD = 0x80,      /* not allowed */
    NO_DIGIT = 0xC0, /* any of these bits: not a digit */
};

/* The value of each character. A text is ASCII, so the upper half is all BAD. */
/* clang-format off */
#define B4 BAD, BAD, BAD, BAD
#define B16 B4, B4, B4, B4
static const uint8_t values[256] = {
    /* 0x00 */ B4, B4, BAD, SKIP, SKIP, BAD, BAD, SKIP, BAD, BAD,
    /* 0x10 */ B16,
    /* 0x20 */ SKIP, BAD, BAD, BAD, B4, BAD, BAD, BAD, 62, BAD, BAD, BAD, 63,
    /* 0x30 */ 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, BAD, BAD, BAD, PAD, BAD, BAD,
    /* 0x40 */ BAD, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    /* 0x50 */ 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, BAD, BAD, BAD, BAD, BAD,
    /* 0x60 */ BAD, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    /* 0x70 */ 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, BAD, BAD, BAD, BAD, BAD,
    /* 0x80 */ B16, B16, B16, B16, B16, B16, B16, B16,
};
/* clang-format on */

static uint8_t *put(uint8_t *out, uint32_t group)
{
    out[0] = (uint8_t)(group >> 16);
    out[1] = (uint8_t)(group >> 8);
    out[2] = (uint8_t)group;
    return out + 3;
}

/* As many whole groups as stand together without white space and padding: the usual case, in which
 * a message is one long line. Moves *text on. */
static uint8_t *decode_groups(const uint8_t **text, const uint8_t *end, uint8_t *out)
{
    const uint8_t *in = *text;
    while (end - in >= 8) {
        uint32_t a = values[in[0]], b = values[in[1]], c = values[in[2]], d = values[in[3]];
        uint32_t e = values[in[4]], f = values[in[5]], g = values[in[6]], h = values[in[7]];
        if (((a | b | c | d | e | f | g | h) & NO_DIGIT) != 0)
            break;
        out = put(out, a << 18 | b << 12 | c << 6 | d);
        out = put(out, e << 18 | f << 12 | g << 6 | h);
        in += 8;
    }
    *text = in;
    return out;
}

/* The last group has one or two '=' in the place of its last digits. */
static uint8_t *decode_padding(struct base64 *decoder, uint8_t *out)
{
    decoder->padding++;
    decoder->digits++;
    decoder->ended = true;
    if (decoder->digits < 3 || decoder->padding > 2) {
        decoder->invalid = true;
        return out;
    }
    if (decoder->digits < 4)
        return out;
    uint32_t bits = decoder->bits << (6 * decoder->padding);
    *out++ = (uint8_t)(bits >> 16);
    if (decoder->padding == 1)
        *out++ = (uint8_t)(bits >> 8);
    decoder->digits = 0;
    return out;
}

static uint8_t *decode_character(struct base64 *decoder, uint8_t character, uint8_t *out)
{
    uint8_t value = values[character];
    if (value == SKIP)
        return out;
    if (value == PAD && !(decoder->ended && decoder->digits == 0))
        return decode_padding(decoder, out);
    if (value >= SKIP || decoder->ended) {
        decoder->invalid = true;
        return out;
    }
    decoder->bits = decoder->bits << 6 | value;
    if (++decoder->digits == 4) {
        out = put(out, decoder->bits & 0xFFFFFF);
        decoder->digits = 0;
        decoder->bits = 0;
    }
    return out;
}

size_t base64_decode(struct base64 *decoder, const char *text, size_t length, char *bytes)
{
    const uint8_t *in = (const uint8_t *)text, *end = in + length;
    uint8_t *out = (uint8_t *)bytes;
    while (in < end && !decoder->invalid) {
        if (decoder->digits == 0 && !decoder->ended)
            out = decode_groups(&in, end, out);
        if (in < end)
            out = decode_character(decoder, *in++, out);
    }
    return (size_t)(out - (uint8_t *)bytes);
}

bool base64_complete(const struct base64 *decoder)
{
    return !decoder->invalid && decoder->digits == 0;
}

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static char *put_digits(char *out, const uint8_t *group)
{
    uint32_t bits = (uint32_t)group[0] << 16 | (uint32_t)group[1] << 8 | group[2];
    out[0] = digits[bits >> 18];
    out[1] = digits[bits >> 12 & 63];
    out[2] = digits[bits >> 6 & 63];
    out[3] = digits[bits & 63];
    return out + 4;
}

size_t base64_encode(struct base64_encoder *encoder, const char *bytes, size_t length, char *text)
{
    const uint8_t *in = (const uint8_t *)bytes, *end = in + length;
    char *out = text;
    while (in < end) {
        if (encoder->count == 0) {
            for (; end - in >= 3; in += 3)
                out = put_digits(out, in);
            if (in == end)
                break;
        }
        encoder->bytes[encoder->count++] = *in++;
        if (encoder->count == 3) {
            out = put_digits(out, encoder->bytes);
            encoder->count = 0;
        }
    }
    return (size_t)(out - text);
}

size_t base64_encode_end(struct base64_encoder *encoder, char *text)
{
    size_t count = encoder->count;
    if (count == 0)
        return 0;
    for (size_t i = count; i < 3; i++)
        encoder->bytes[i] = 0;
    put_digits(text, encoder->bytes);
    for (size_t i = count + 1; i < 4; i++)
        text[i] = '=';
    encoder->count = 0;
    return 4;
}
