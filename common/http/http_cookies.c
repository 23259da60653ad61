#include "http/http_cookies.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "http/http.h"
#include "http/http_headers.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* A run of bytes within somebody else's text. */
struct piece {
    const char *bytes;
    size_t length;
};

static bool is_token_char(char character)
{
    static const char separators[] = "()<>@,;:\\\"/[]?={} \t";
    return character > 0x20 && character < 0x7f && strchr(separators, character) == NULL;
}

static bool is_token(struct piece text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (!is_token_char(text.bytes[i]))
            return false;
    }
    return text.length > 0;
}

static bool is_visible(struct piece text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.bytes[i] <= 0x20 || text.bytes[i] >= 0x7f || text.bytes[i] == ';')
            return false;
    }
    return true;
}

static bool piece_equal(struct piece a, struct piece b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.bytes, b.bytes, a.length) == 0);
}

static bool piece_is(struct piece text, const char *word)
{
    return text.length == strlen(word) && strncasecmp(text.bytes, word, text.length) == 0;
}

static struct piece piece_trim(struct piece text)
{
    while (text.length > 0 && (text.bytes[0] == ' ' || text.bytes[0] == '\t')) {
        text.bytes++;
        text.length--;
    }
    while (text.length > 0 &&
           (text.bytes[text.length - 1] == ' ' || text.bytes[text.length - 1] == '\t'))
        text.length--;
    return text;
}

/* Takes the text up to the separator off the front of `rest`, the separator too. */
static struct piece piece_cut(struct piece *rest, char separator)
{
    struct piece first = *rest;
    const char *end = rest->length > 0 ? memchr(rest->bytes, separator, rest->length) : NULL;
    if (end != NULL)
        first.length = (size_t)(end - rest->bytes);
    size_t taken = first.length + (end != NULL ? 1 : 0);
    rest->bytes += taken;
    rest->length -= taken;
    return piece_trim(first);
}

/* Max-Age: digits with an optional minus; what is neither means nothing. */
static bool max_age_removes(struct piece value, bool *known)
{
    bool negative = value.length > 0 && value.bytes[0] == '-';
    bool zero = true;
    size_t digits = negative ? 1 : 0;
    size_t first = digits;
    while (digits < value.length && value.bytes[digits] >= '0' && value.bytes[digits] <= '9') {
        zero = zero && value.bytes[digits] == '0';
        digits++;
    }
    *known = digits == value.length && digits > first;
    return *known && (negative || zero);
}

/* Max-Age counts more than Expires, whichever comes first. */
static bool attributes_remove(struct piece attributes, int64_t now_wall_ms)
{
    bool expired = false;
    bool aged = false;
    bool age_known = false;
    while (attributes.length > 0) {
        struct piece value = piece_cut(&attributes, ';');
        struct piece name = piece_cut(&value, '=');
        value = piece_trim(value);
        bool known = false;
        int64_t seconds;
        if (piece_is(name, "Max-Age")) {
            bool removes = max_age_removes(value, &known);
            aged = known ? removes : aged;
            age_known = age_known || known;
        } else if (piece_is(name, "Expires") &&
                   http_headers_date(value.bytes, value.length, &seconds)) {
            expired = seconds <= now_wall_ms / 1000;
        }
    }
    return age_known ? aged : expired;
}

/* Writes all cookies but `name` to `kept`. */
static void copy_others(struct buffer *kept, const char *cookies, struct piece name)
{
    struct piece rest = {cookies, cookies != NULL ? strlen(cookies) : 0};
    while (rest.length > 0) {
        struct piece whole = piece_cut(&rest, ';');
        struct piece value = whole;
        struct piece other = piece_cut(&value, '=');
        if (other.length == 0 || piece_equal(other, name))
            continue;
        if (kept->length > 0)
            buffer_append(kept, "; ", 2);
        buffer_append(kept, whole.bytes, whole.length);
    }
}

/* Drops cookies from the front, where the oldest are, until `needed` more bytes fit. */
static void make_room(struct buffer *kept, size_t needed)
{
    while (kept->length > 0 && kept->length + 2 + needed > HTTP_COOKIES_LIMIT) {
        const char *end = memchr(kept->data, ';', kept->length);
        size_t first = end != NULL ? (size_t)(end - kept->data) + 1 : kept->length;
        if (first < kept->length && kept->data[first] == ' ')
            first++;
        buffer_consume(kept, first);
    }
}

void http_cookies_set(char **cookies, const char *field, size_t length, int64_t now_wall_ms)
{
    struct piece attributes = {field, length};
    struct piece value = piece_cut(&attributes, ';');
    if (value.length == 0 || memchr(value.bytes, '=', value.length) == NULL)
        return;
    struct piece name = piece_cut(&value, '=');
    value = piece_trim(value);
    size_t needed = name.length + 1 + value.length;
    if (!is_token(name) || !is_visible(value) || needed > HTTP_COOKIES_LIMIT)
        return;

    struct buffer kept = {0};
    copy_others(&kept, *cookies, name);
    if (value.length > 0 && !attributes_remove(attributes, now_wall_ms)) {
        make_room(&kept, needed);
        if (kept.length > 0)
            buffer_append(&kept, "; ", 2);
        buffer_append(&kept, name.bytes, name.length);
        buffer_append_char(&kept, '=');
        buffer_append(&kept, value.bytes, value.length);
    }
    memory_free(*cookies);
    /* A copy without spare room: there is one for each mailbox, for ever. */
    *cookies = kept.length > 0 ? memory_copy_bytes(kept.data, kept.length) : NULL;
    buffer_release(&kept);
}
