/* 16-byte digests by which items are known: SHA-256 cut to 128 bits, so that nobody who chooses a
 * Message-ID can make two items look like one. Source: FIPS 180-4; computed by libcrypto. */
#ifndef EXSYNC_BASE_DIGEST_H
#define EXSYNC_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DIGEST_SIZE = 16 };

struct digest {
    uint8_t bytes[DIGEST_SIZE];
};

/* One part of what is digested; parts are length-prefixed, so ("ab", "c") is not ("a", "bc"). */
struct digest_part {
    const void *bytes;
    size_t length;
};

struct digest digest_of(const struct digest_part *parts, size_t count);
bool digest_equal(const struct digest *a, const struct digest *b);

#endif
