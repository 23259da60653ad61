/* What a hostile server can put into the fields of an answer's head: Set-Cookie, Retry-After, and
 * the lines themselves. Built with -fsanitize=fuzzer it is a libFuzzer target; with FUZZ_STANDALONE
 * it runs once over each file that it is given. */
#include "base/memory.h"
#include "http/http.h"
#include "http/http_cookies.h"
#include "http/http_headers.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const int64_t NOW_MS = INT64_C(1790000000000);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
    if (!truth)
        abort();
}

/* Whatever the server says, this is what goes out in a Cookie field. */
static void check_cookies(const char *cookies)
{
    if (cookies == NULL)
        return;
    size_t length = strlen(cookies);
    require(length > 0 && length <= HTTP_COOKIES_LIMIT);
    for (size_t i = 0; i < length; i++)
        require(cookies[i] >= ' ' && cookies[i] < 0x7f);
    require(cookies[0] != ';' && cookies[0] != ' ' && cookies[length - 1] != ' ');
}

static void take_line(char **cookies, const char *line, size_t length)
{
    const char *value = line;
    size_t value_length = length;
    uint16_t status;
    int64_t seconds;
    http_headers_status(line, length, &status);
    http_headers_field(line, length, "Set-Cookie", &value, &value_length);
    http_cookies_set(cookies, value, value_length, NOW_MS);
    check_cookies(*cookies);
    http_headers_date(value, value_length, &seconds);
    require(http_headers_retry_after(value, value_length, NOW_MS) <= HTTP_RETRY_AFTER_LIMIT_MS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *cookies = NULL;
    const char *rest = (const char *)data;
    while (size > 0) {
        const char *end = memchr(rest, '\n', size);
        size_t length = end != NULL ? (size_t)(end - rest) : size;
        /* In memory of its own, so that a byte too far is seen. */
        char *line = memory_allocate(length > 0 ? length : 1);
        memcpy(line, rest, length);
        take_line(&cookies, line, length);
        memory_free(line);
        size -= length + (end != NULL ? 1 : 0);
        rest += length + (end != NULL ? 1 : 0);
    }
    memory_free(cookies);
    return 0;
}
