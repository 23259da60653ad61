/* Base64 in pieces cut anywhere: decoded as it comes in, encoded as it goes out.
 *
 * Space, tab, CR and LF may stand anywhere. Anything else that is not of the alphabet, padding that
 * is not at the end, and an end in the middle of a group are errors: what a damaged text decodes to
 * is not the message. Source: RFC 4648, section 4; RFC 2045, section 6.8. */
#ifndef EXSYNC_EWS_BASE64_H
#define EXSYNC_EWS_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* {0} is the beginning of a text. */
struct base64 {
    uint32_t bits;  /* of the group that is not complete yet */
    uint8_t digits; /* how many digits it has, padding included */
    uint8_t padding;
    bool ended;   /* padding was seen: nothing may follow */
    bool invalid; /* an error was seen: nothing more is decoded */
};

/* The most bytes that `length` more characters can bring. */
#define BASE64_DECODED_MAX(length) ((length) / 4 * 3 + 3)

/* Decodes a piece into `bytes`, which has room for BASE64_DECODED_MAX(length). Returns how many
 * bytes it brought; see `invalid`. */
size_t base64_decode(struct base64 *decoder, const char *text, size_t length, char *bytes);

/* Whether the text may end here: no error was seen and the last group is complete. */
bool base64_complete(const struct base64 *decoder);

/* {0} is the beginning of a text. */
struct base64_encoder {
    uint8_t bytes[3]; /* of the group that is not complete yet */
    uint8_t count;    /* at most two between the calls */
};

/* How long the text of `length` bytes is, without line ends. */
#define BASE64_ENCODED_LENGTH(length) (((length) + 2) / 3 * 4)

/* Encodes a piece into `text`, which has room for BASE64_ENCODED_LENGTH(length + 2). Returns how
 * many characters it brought. */
size_t base64_encode(struct base64_encoder *encoder, const char *bytes, size_t length, char *text);

/* Ends the text: up to four more characters. */
size_t base64_encode_end(struct base64_encoder *encoder, char *text);

#endif
