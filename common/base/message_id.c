#include "base/message_id.h"

#include "base/digest.h"

#include <stdbool.h>
#include <string.h>

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static void trim(const char **text, size_t *length)
{
    while (*length > 0 && is_space(**text)) {
        (*text)++;
        (*length)--;
    }
    while (*length > 0 && is_space((*text)[*length - 1]))
        (*length)--;
}

uint64_t message_id_number(const char *text, size_t length)
{
    trim(&text, &length);
    if (length >= 2 && text[0] == '<' && text[length - 1] == '>') {
        text++;
        length -= 2;
    }
    if (length == 0)
        return 0;
    const struct digest_part part = {.bytes = text, .length = length};
    const struct digest digest = digest_of(&part, 1);
    uint64_t number = 0;
    for (size_t i = 0; i < 8; i++)
        number = number << 8 | digest.bytes[i];
    return number == 0 ? 1 : number;
}
