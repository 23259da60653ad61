#define _GNU_SOURCE /* newlocale, towlower_l */
#include "ews/ews_path.h"

#include <locale.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <wctype.h>

const char *ews_path_component(const char *path, size_t *length, const char **rest)
{
    path += strspn(path, "/");
    *length = strcspn(path, "/");
    *rest = path + *length;
    *rest += strspn(*rest, "/");
    return path;
}

const char *ews_path_well_known(const char *name, size_t length)
{
    static const struct {
        const char *name;
        const char *id;
    } folders[] = {
        {"Inbox", ":inbox"},          {"Sent Items", ":sentitems"},
        {"Drafts", ":drafts"},        {"Deleted Items", ":deleteditems"},
        {"Junk Email", ":junkemail"}, {"Junk E-Mail", ":junkemail"},
        {"Outbox", ":outbox"},
    };
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        if (strlen(folders[i].name) == length && strncasecmp(folders[i].name, name, length) == 0)
            return folders[i].id;
    }
    return NULL;
}

/* The next character; its length in *used. What is no UTF-8 is taken as a byte that equals no
 * character. */
static uint32_t next_character(const char *text, size_t length, size_t *used)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t more = bytes[0] >= 0xF0 ? 3 : bytes[0] >= 0xE0 ? 2 : bytes[0] >= 0xC0 ? 1 : 0;
    *used = 1;
    if (bytes[0] < 0x80)
        return bytes[0];
    if (more == 0 || more >= length)
        return 0x80000000U | bytes[0];
    uint32_t character = bytes[0] & (0x3FU >> more);
    for (size_t i = 1; i <= more; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            return 0x80000000U | bytes[0];
        character = character << 6 | (bytes[i] & 0x3FU);
    }
    *used = more + 1;
    return character;
}

static uint32_t fold(uint32_t character, locale_t locale)
{
    if (character < 0x80)
        return character >= 'A' && character <= 'Z' ? character + 32 : character;
    if (character > 0x10FFFF || locale == (locale_t)0)
        return character;
    return (uint32_t)towlower_l((wint_t)towupper_l((wint_t)character, locale), locale);
}

static bool same_characters(const char *a, size_t a_length, const char *b, size_t b_length,
                            locale_t locale)
{
    size_t i = 0, j = 0;
    while (i < a_length && j < b_length) {
        size_t a_used, b_used;
        uint32_t left = next_character(a + i, a_length - i, &a_used);
        uint32_t right = next_character(b + j, b_length - j, &b_used);
        if (left != right && fold(left, locale) != fold(right, locale))
            return false;
        i += a_used;
        j += b_used;
    }
    return i == a_length && j == b_length;
}

static bool is_ascii(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] >= 0x80)
            return false;
    }
    return true;
}

bool ews_path_same_name(const char *a, size_t a_length, const char *b, size_t b_length)
{
    if (a_length == b_length && strncasecmp(a, b, a_length) == 0)
        return true;
    if (is_ascii(a, a_length) && is_ascii(b, b_length))
        return false;
    /* The C library's own table of characters, whatever the process's locale is; without it only
     * ASCII has cases. */
    locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    bool same = same_characters(a, a_length, b, b_length, locale);
    if (locale != (locale_t)0)
        freelocale(locale);
    return same;
}
