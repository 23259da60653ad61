#include "ews/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static size_t encode(const uint8_t *bytes, size_t length, char *text)
{
    size_t at = 0;
    for (size_t i = 0; i < length; i += 3) {
        uint32_t group = (uint32_t)bytes[i] << 16;
        if (i + 1 < length)
            group |= (uint32_t)bytes[i + 1] << 8;
        if (i + 2 < length)
            group |= bytes[i + 2];
        text[at++] = digits[group >> 18];
        text[at++] = digits[group >> 12 & 63];
        text[at++] = i + 1 < length ? digits[group >> 6 & 63] : '=';
        text[at++] = i + 2 < length ? digits[group & 63] : '=';
    }
    text[at] = '\0';
    return at;
}

/* Decodes in pieces, each from and into memory that is exactly large enough. Returns the length, or
 * -1 when the text is not whole. */
static int decode_pieces(const char *text, size_t length, size_t piece, char *bytes)
{
    struct base64 decoder = {0};
    size_t decoded = 0;
    for (size_t at = 0; at < length; at += piece) {
        size_t now = piece < length - at ? piece : length - at;
        char *in = malloc(now), *out = malloc(BASE64_DECODED_MAX(now));
        assert_true(in != NULL && out != NULL);
        memcpy(in, text + at, now);
        size_t count = base64_decode(&decoder, in, now, out);
        assert_true(count <= BASE64_DECODED_MAX(now));
        memcpy(bytes + decoded, out, count);
        decoded += count;
        free(in);
        free(out);
    }
    return base64_complete(&decoder) ? (int)decoded : -1;
}

static void all_lengths_decode_in_all_pieces(void **state)
{
    (void)state;
    uint8_t original[100];
    char text[200], bytes[200];
    for (size_t i = 0; i < sizeof original; i++)
        original[i] = (uint8_t)(i * 167 + 13);
    for (size_t length = 0; length <= sizeof original; length++) {
        size_t encoded = encode(original, length, text);
        for (size_t piece = 1; piece <= encoded + 1; piece++) {
            assert_int_equal(decode_pieces(text, encoded, piece, bytes), (int)length);
            assert_memory_equal(bytes, original, length);
        }
    }
}

static void white_space_may_stand_anywhere(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "QUJDREVGRw==",         " QUJDREVGRw==\r\n",   "QUJD\r\nREVG\r\nRw==",
        "Q U\tJ\nD\rREVGRw= =", "QUJDREVGR w\n=\n=\n", "\n\n\nQUJDREV GRw == ",
    };
    char bytes[64];
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (size_t piece = 1; piece < 30; piece++) {
            assert_int_equal(decode_pieces(texts[i], strlen(texts[i]), piece, bytes), 7);
            assert_memory_equal(bytes, "ABCDEFG", 7);
        }
    }
}

static void what_is_damaged_is_never_complete(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "Q",
        "QU",
        "QUJ",
        "QUJDQ",
        "=",
        "Q=",
        "Q===",
        "QU=",
        "QU=D",
        "QUI=QUJD",
        "QUI==",
        "QU===",
        "QUJD=",
        "QUJD====",
        "QU!D",
        "QUJ\x7f",
        "QU-_",
        "QUJ\xc3\xa4",
        "QUJDQUJDQUJDQU,DQUJD",
        "QUJD\x0b",
        "QU=A",
        "QUI=\x01",
    };
    char bytes[64];
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (size_t piece = 1; piece < 12; piece++) {
            if (decode_pieces(texts[i], strlen(texts[i]), piece, bytes) >= 0)
                fail_msg("\"%s\" was taken", texts[i]);
        }
    }
    assert_int_equal(decode_pieces("QUJD\0", 5, 5, bytes), -1);
}

static void every_byte_is_a_digit_or_white_space_or_an_error(void **state)
{
    (void)state;
    for (int value = 0; value < 256; value++) {
        char text[8] = {'Q', 'U', 'J', (char)value, 'Q', 'U', 'J', 'D'};
        char bytes[16];
        struct base64 decoder = {0};
        base64_decode(&decoder, text, sizeof text, bytes);
        bool digit = value != 0 && strchr(digits, value) != NULL;
        bool space = value == ' ' || value == '\t' || value == '\r' || value == '\n';
        assert_int_equal(decoder.invalid, !digit && !space);
    }
}

static void all_lengths_encode_in_all_pieces(void **state)
{
    (void)state;
    uint8_t original[100];
    char expected[200];
    for (size_t i = 0; i < sizeof original; i++)
        original[i] = (uint8_t)(i * 167 + 13);
    for (size_t length = 0; length <= sizeof original; length++) {
        size_t expected_length = encode(original, length, expected);
        assert_int_equal(BASE64_ENCODED_LENGTH(length), expected_length);
        for (size_t piece = 1; piece <= length + 1; piece++) {
            struct base64_encoder encoder = {0};
            struct base64_encoder ended = {0};
            char text[200];
            size_t at = 0;
            for (size_t from = 0; from < length; from += piece) {
                size_t now = piece < length - from ? piece : length - from;
                char *out = malloc(BASE64_ENCODED_LENGTH(now + 2));
                assert_non_null(out);
                size_t count = base64_encode(&encoder, (const char *)original + from, now, out);
                memcpy(text + at, out, count);
                at += count;
                free(out);
            }
            at += base64_encode_end(&encoder, text + at);
            assert_int_equal(at, expected_length);
            assert_memory_equal(text, expected, at);
            assert_int_equal(base64_encode_end(&ended, text), 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_lengths_decode_in_all_pieces),
        cmocka_unit_test(all_lengths_encode_in_all_pieces),
        cmocka_unit_test(white_space_may_stand_anywhere),
        cmocka_unit_test(what_is_damaged_is_never_complete),
        cmocka_unit_test(every_byte_is_a_digit_or_white_space_or_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
