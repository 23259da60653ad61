/* CRLF to LF: cut anywhere, the result is what the whole text gives, byte by byte. The first byte
 * says how long the pieces are. */
#include "mail/line_endings.h"

#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t expected(const char *text, size_t length, char *output)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] != '\r' || i + 1 == length || text[i + 1] != '\n')
            output[count++] = text[i];
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t piece = 1 + data[0] % 16;
    const char *text = (const char *)data + 1;
    size_t length = size - 1;
    char *right = memory_allocate(size);
    char *output = memory_allocate(size + 1);
    struct line_endings state = {0};
    size_t count = 0;
    for (size_t at = 0; at < length; at += piece) {
        size_t part = length - at < piece ? length - at : piece;
        count += line_endings_convert(&state, text + at, part, output + count);
    }
    count += line_endings_end(&state, output + count);
    if (count != expected(text, length, right) || memcmp(output, right, count) != 0)
        abort();
    memory_free(right);
    memory_free(output);
    return 0;
}
