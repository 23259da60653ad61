#include "base/uuid.h"

#include "base/random.h"

#include <stddef.h>

static void uuid_write(unsigned char bytes[16], unsigned version, char text[UUID_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | version << 4);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80); /* the variant of RFC 9562 */

    char *out = text;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *out++ = '-';
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 0x0f];
    }
    *out = '\0';
}

void uuid_generate(char text[UUID_TEXT_SIZE])
{
    unsigned char bytes[16];
    random_bytes(bytes, sizeof bytes);
    uuid_write(bytes, 4, text);
}

void uuid_generate_ordered(int64_t wall_ms, unsigned sequence, char text[UUID_TEXT_SIZE])
{
    unsigned char bytes[16];
    random_bytes(bytes, sizeof bytes);
    for (unsigned i = 0; i < 6; i++)
        bytes[i] = (unsigned char)((uint64_t)wall_ms >> (40 - 8 * i));
    bytes[6] = (unsigned char)(sequence >> 8);
    bytes[7] = (unsigned char)sequence;
    uuid_write(bytes, 7, text);
}
