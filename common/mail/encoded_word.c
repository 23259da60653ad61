#define _GNU_SOURCE /* memmem */
#include "mail/encoded_word.h"

#include <errno.h>
#include <iconv.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    WORD_LENGTH_MAX = 2048, /* the RFC allows 75 */
    CHARSET_SIZE = 32,
};

struct encoded_word {
    char charset[CHARSET_SIZE]; /* as iconv calls it */
    char encoding;              /* 'q' or 'b' */
    const char *text;
    size_t text_length;
    size_t length; /* of the whole word */
};

/* --- charsets --- */

static const struct {
    const char *name;
    const char *converter; /* a superset where programs are known to use one */
} charsets[] = {
    {"us-ascii", "ISO-8859-1"},
    {"ascii", "ISO-8859-1"},
    {"utf-8", "UTF-8"},
    {"utf8", "UTF-8"},
    {"latin1", "ISO-8859-1"},
    {"koi8-r", "KOI8-R"},
    {"koi8-u", "KOI8-U"},
    {"gb2312", "GB18030"},
    {"gbk", "GB18030"},
    {"gb18030", "GB18030"},
    {"big5", "BIG5"},
    {"big5-hkscs", "BIG5-HKSCS"},
    {"shift_jis", "CP932"},
    {"windows-31j", "CP932"},
    {"iso-2022-jp", "ISO-2022-JP"},
    {"euc-jp", "EUC-JP"},
    {"euc-kr", "CP949"},
    {"ks_c_5601-1987", "CP949"},
    {"iso-2022-kr", "ISO-2022-KR"},
    {"tis-620", "TIS-620"},
    {"windows-874", "CP874"},
    {"macintosh", "MACINTOSH"},
};

/* "iso-8859-15", "windows-1252" */
static bool charset_is_numbered(const char *name, const char *prefix)
{
    size_t length = strlen(prefix);
    if (strncasecmp(name, prefix, length) != 0)
        return false;
    size_t digits = strspn(name + length, "0123456789");
    return digits > 0 && digits <= 2 && name[length + digits] == '\0';
}

/* Puts the converter's name in the place of the charset's; false when it is not known. */
static bool charset_find(char charset[CHARSET_SIZE])
{
    charset[strcspn(charset, "*")] = '\0';
    for (size_t i = 0; i < sizeof charsets / sizeof charsets[0]; i++) {
        if (strcasecmp(charset, charsets[i].name) == 0) {
            snprintf(charset, CHARSET_SIZE, "%s", charsets[i].converter);
            return true;
        }
    }
    return charset_is_numbered(charset, "iso-8859-") || charset_is_numbered(charset, "windows-12");
}

static void charset_convert(const char *charset, struct buffer *raw, struct buffer *decoded)
{
    iconv_t converter = iconv_open("UTF-8", charset);
    char *in = raw->data;
    size_t in_left = raw->length;
    while (converter != (iconv_t)-1 && in_left > 0) {
        buffer_reserve(decoded, 64 + 2 * in_left);
        char *out = decoded->data + decoded->length;
        size_t room = decoded->capacity - decoded->length - 1;
        size_t left = room;
        size_t result = iconv(converter, &in, &in_left, &out, &left);
        decoded->length += room - left;
        if (result == (size_t)-1 && errno != E2BIG && in_left > 0) {
            buffer_append_char(decoded, '?');
            in++;
            in_left--;
        }
    }
    if (converter != (iconv_t)-1)
        iconv_close(converter);
    else
        buffer_append(decoded, raw->data, raw->length);
}

/* --- one word --- */

static const char *find(const char *from, const char *end, const char *what)
{
    return memmem(from, (size_t)(end - from), what, strlen(what));
}

/* Whether an encoded word begins with `text`. */
static bool word_begins(const char *text, size_t length, struct encoded_word *word)
{
    if (length < 2 || text[0] != '=' || text[1] != '?')
        return false;
    const char *end = text + (length < WORD_LENGTH_MAX ? length : WORD_LENGTH_MAX);
    const char *charset = text + 2;
    const char *mark = find(charset, end, "?");
    if (mark == NULL || end - mark < 3 || mark[2] != '?' || mark - charset >= CHARSET_SIZE)
        return false;
    const char *close = find(mark + 3, end, "?=");
    if (close == NULL)
        return false;
    snprintf(word->charset, sizeof word->charset, "%.*s", (int)(mark - charset), charset);
    word->encoding = mark[1] == 'Q' || mark[1] == 'q'   ? 'q'
                     : mark[1] == 'B' || mark[1] == 'b' ? 'b'
                                                        : '\0';
    word->text = mark + 3;
    word->text_length = (size_t)(close - word->text);
    word->length = (size_t)(close + 2 - text);
    return word->encoding != '\0' && charset_find(word->charset);
}

static int hex_digit(char character)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *digit = character != '\0' ? strchr(digits, character) : NULL;
    return digit != NULL ? (int)((digit - digits) % 16) : -1;
}

static void word_decode_q(const struct encoded_word *word, struct buffer *raw)
{
    for (size_t i = 0; i < word->text_length; i++) {
        char character = word->text[i];
        bool escape = character == '=' && i + 2 < word->text_length;
        int high = escape ? hex_digit(word->text[i + 1]) : -1;
        int low = escape ? hex_digit(word->text[i + 2]) : -1;
        if (high >= 0 && low >= 0) {
            character = (char)(high * 16 + low);
            i += 2;
        } else if (character == '_') {
            character = ' ';
        }
        buffer_append_char(raw, character);
    }
}

static void word_decode_b(const struct encoded_word *word, struct buffer *raw)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned bits = 0;
    unsigned count = 0;
    for (size_t i = 0; i < word->text_length; i++) {
        const char *digit = memchr(digits, word->text[i], sizeof digits - 1);
        if (digit == NULL)
            continue;
        bits = (bits << 6 | (unsigned)(digit - digits)) & 0xffff;
        count += 6;
        if (count >= 8) {
            count -= 8;
            buffer_append_char(raw, (char)(bits >> count & 0xff));
        }
    }
}

/* --- runs of words --- */

/* Words of one charset with nothing but white space between them are converted together: they may
 * have been cut within a character. */
struct run {
    bool open;
    char charset[CHARSET_SIZE];
    struct buffer raw;
};

static void run_end(struct run *run, struct buffer *decoded)
{
    if (run->open && run->raw.length > 0)
        charset_convert(run->charset, &run->raw, decoded);
    buffer_clear(&run->raw);
    run->open = false;
}

static void run_add(struct run *run, const struct encoded_word *word, struct buffer *decoded)
{
    if (run->open && strcasecmp(run->charset, word->charset) != 0)
        run_end(run, decoded);
    run->open = true;
    memcpy(run->charset, word->charset, sizeof run->charset);
    if (word->encoding == 'q')
        word_decode_q(word, &run->raw);
    else
        word_decode_b(word, &run->raw);
}

static size_t white_space(const char *text, size_t length)
{
    size_t count = 0;
    while (count < length && (text[count] == ' ' || text[count] == '\t'))
        count++;
    return count;
}

void encoded_words_decode(const char *text, size_t length, struct buffer *decoded)
{
    struct run run = {0};
    struct encoded_word word;
    size_t at = 0;
    while (at < length) {
        size_t gap = run.open ? white_space(text + at, length - at) : 0;
        if (word_begins(text + at + gap, length - at - gap, &word)) {
            run_add(&run, &word, decoded);
            at += gap + word.length;
        } else {
            run_end(&run, decoded);
            buffer_append(decoded, text + at, gap + (gap == 0));
            at += gap + (gap == 0);
        }
    }
    run_end(&run, decoded);
    buffer_release(&run.raw);
}

/* --- writing --- */

enum {
    /* Each at most "=XX", with 12 around them: 54, and "Subject: Undelivered: " before makes 76. */
    ENCODED_WORD_BYTES = 14,
    PLAIN_MAX = 200, /* bytes of a value that stands on one line as it is */
};

bool encoded_words_needed(const char *text)
{
    size_t length = 0;
    for (; text[length] != '\0'; length++) {
        if ((unsigned char)text[length] >= 0x80)
            return true;
    }
    return length > PLAIN_MAX || strstr(text, "=?") != NULL;
}

/* How many bytes of UTF-8, `most` or less, end with a whole character. */
static size_t whole_length(const char *text, size_t most)
{
    size_t length = strnlen(text, most);
    while (length > 1 && ((unsigned char)text[length] & 0xc0) == 0x80)
        length--;
    return length;
}

void encoded_words_append(struct buffer *text, const char *value)
{
    for (size_t length; (length = whole_length(value, ENCODED_WORD_BYTES)) > 0; value += length) {
        buffer_append_string(text, "=?UTF-8?Q?");
        for (size_t i = 0; i < length; i++)
            buffer_append_format(text, "=%02X", (unsigned char)value[i]);
        buffer_append_string(text, value[length] == '\0' ? "?=" : "?=\r\n ");
    }
}
