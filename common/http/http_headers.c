#include "http/http_headers.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

enum { DATE_SHORTEST = 8, DATE_SIZE = 64 };

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

static bool is_space(char character)
{
    return character == ' ' || character == '\t' || character == '\r' || character == '\n';
}

bool http_headers_status(const char *line, size_t length, uint16_t *status)
{
    static const char start[] = "HTTP/";
    if (length < sizeof start - 1 || memcmp(line, start, sizeof start - 1) != 0)
        return false;
    const char *space = memchr(line, ' ', length);
    if (space == NULL)
        return false;
    const char *code = space + 1;
    size_t left = length - (size_t)(code - line);
    if (left < 3 || !is_digit(code[0]) || !is_digit(code[1]) || !is_digit(code[2]) ||
        (left > 3 && is_digit(code[3])))
        return false;
    *status = (uint16_t)((code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0'));
    return true;
}

bool http_headers_field(const char *line, size_t length, const char *name, const char **value,
                        size_t *value_length)
{
    size_t name_length = strlen(name);
    if (length <= name_length || line[name_length] != ':' ||
        strncasecmp(line, name, name_length) != 0)
        return false;
    const char *begin = line + name_length + 1;
    const char *end = line + length;
    while (begin < end && is_space(*begin))
        begin++;
    while (end > begin && is_space(end[-1]))
        end--;
    *value = begin;
    *value_length = (size_t)(end - begin);
    return true;
}

static bool is_word(const char *value, size_t length, const char *word)
{
    return length == strlen(word) && strncasecmp(value, word, length) == 0;
}

bool http_headers_is_plain_transfer(const char *value, size_t length)
{
    return is_word(value, length, "chunked") || is_word(value, length, "identity");
}

bool http_headers_date(const char *value, size_t length, int64_t *seconds)
{
    char date[DATE_SIZE];
    if (length < DATE_SHORTEST || length >= DATE_SIZE || memchr(value, '\0', length) != NULL)
        return false;
    /* All forms begin with the day of the week; curl_getdate would take bare numbers too. */
    if (!((value[0] >= 'A' && value[0] <= 'Z') || (value[0] >= 'a' && value[0] <= 'z')))
        return false;
    memcpy(date, value, length);
    date[length] = '\0';
    time_t time = curl_getdate(date, NULL);
    if (time == -1)
        return false;
    *seconds = (int64_t)time;
    return true;
}

uint32_t http_headers_retry_after(const char *value, size_t length, int64_t now_wall_ms)
{
    int64_t wait_ms = 0;
    size_t digits = 0;
    while (digits < length && is_digit(value[digits])) {
        if (wait_ms < HTTP_RETRY_AFTER_LIMIT_MS)
            wait_ms = wait_ms * 10 + (int64_t)(value[digits] - '0') * 1000;
        digits++;
    }
    int64_t seconds;
    if (digits == 0 && http_headers_date(value, length, &seconds) && seconds < INT64_MAX / 1000 &&
        seconds > INT64_MIN / 1000)
        wait_ms = seconds * 1000 - now_wall_ms;
    else if (digits != length)
        return 0;
    if (wait_ms <= 0)
        return 0;
    return wait_ms < HTTP_RETRY_AFTER_LIMIT_MS ? (uint32_t)wait_ms : HTTP_RETRY_AFTER_LIMIT_MS;
}
