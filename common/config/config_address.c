#include "config/config_value.h"

#include <ctype.h>
#include <string.h>

/* RFC 5321, 4.5.3.1; the mailbox's path stands in angle brackets there, which makes 256. */
enum { LONGEST_LOCAL_PART = 64, LONGEST_ADDRESS = 254, LONGEST_LABEL = 63 };

/* RFC 5322's atext but for the slash: an address becomes a part of a path. */
static bool is_local_character(char character)
{
    return isalnum((unsigned char)character) ||
           (character != '\0' && strchr("!#$%&'*+-=?^_`{|}~.", character) != NULL);
}

static const char *wrong_local_part(const char *local, size_t length)
{
    if (length == 0)
        return "nothing stands before its @";
    if (length > LONGEST_LOCAL_PART)
        return "more than 64 characters stand before its @";
    for (size_t i = 0; i < length; i++) {
        if (!is_local_character(local[i]))
            return "a character stands before its @ that cannot stand there";
        if (local[i] == '.' && (i == 0 || i + 1 == length || local[i + 1] == '.'))
            return "a dot stands before its @ where none can be";
    }
    return NULL;
}

/* Underscores are not allowed in host names, but Active Directory lets them into domains. */
static const char *wrong_domain(const char *domain)
{
    size_t label = 0;
    if (*domain == '\0')
        return "nothing stands behind its @";
    for (size_t i = 0;; i++) {
        char character = domain[i];
        if (character == '.' || character == '\0') {
            if (label == 0 || domain[i - 1] == '-' || domain[i - label] == '-')
                return "the domain behind its @ has a wrong dot or dash";
            if (label > LONGEST_LABEL)
                return "a part of the domain behind its @ is longer than 63 characters";
            label = 0;
            if (character == '\0')
                return NULL;
        } else if (isalnum((unsigned char)character) || character == '-' || character == '_') {
            label++;
        } else {
            return character == '@' ? "it has more than one @"
                                    : "a character stands behind its @ that cannot stand there";
        }
    }
}

bool config_read_address(char *address, struct buffer *wrong)
{
    const char *reason = NULL;
    const char *at = strchr(address, '@');
    if (at == NULL)
        reason = "it has no @";
    else if (strlen(address) > LONGEST_ADDRESS)
        reason = "it is longer than 254 characters";
    if (reason == NULL)
        reason = wrong_local_part(address, (size_t)(at - address));
    if (reason == NULL)
        reason = wrong_domain(at + 1);
    if (reason != NULL) {
        buffer_append_format(wrong, "'%s' is no address: %s; write one such as anna@contoso.com",
                             address, reason);
        return false;
    }
    for (char *character = address; *character != '\0'; character++)
        *character = (char)tolower((unsigned char)*character);
    return true;
}

/* MS-DTYP 2.4.2.1: S-1-authority and up to 15 subauthorities, decimal. */
bool config_is_sid(const char *text)
{
    if (strncmp(text, "S-1-", 4) != 0)
        return false;
    size_t parts = 0;
    text += 3;
    while (*text == '-') {
        size_t digits = strspn(text + 1, "0123456789");
        if (digits == 0 || digits > 15)
            return false;
        text += 1 + digits;
        parts++;
    }
    return *text == '\0' && parts >= 2 && parts <= 16;
}
