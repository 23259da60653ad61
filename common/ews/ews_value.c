#include "ews/ews_value.h"

#include <ctype.h>
#include <string.h>

int64_t ews_value_number(const char *text, size_t length, int64_t otherwise)
{
    int64_t value = 0;
    for (size_t i = 0; i < length; i++) {
        if (!isdigit((unsigned char)text[i]) || value > EWS_VALUE_NUMBER_MAX)
            return otherwise;
        value = value * 10 + (text[i] - '0');
    }
    return length == 0 || value > EWS_VALUE_NUMBER_MAX ? otherwise : value;
}

int64_t ews_value_number_attribute(const struct ews_attributes *attributes, const char *name)
{
    size_t length = 0;
    const char *text = ews_attribute(attributes, name, &length);
    return text == NULL ? -1 : ews_value_number(text, length, -1);
}

bool ews_value_boolean(const char *text, size_t length)
{
    return (length == 4 && memcmp(text, "true", 4) == 0) || (length == 1 && text[0] == '1');
}

void ews_value_trim(const char **text, size_t *length)
{
    while (*length > 0 && isspace((unsigned char)(*text)[0])) {
        (*text)++;
        (*length)--;
    }
    while (*length > 0 && isspace((unsigned char)(*text)[*length - 1]))
        (*length)--;
}
