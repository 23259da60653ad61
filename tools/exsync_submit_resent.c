#include "tools/exsync_submit_resent.h"

#include "mail/header.h"

enum { RECIPIENTS = 3, NAMES = 8 };

/* Those with recipients first. */
static const char *const names[NAMES] = {
    "Resent-To",     "Resent-Cc",   "Resent-Bcc",        "Resent-Date",
    "Resent-Sender", "Resent-From", "Resent-Message-ID", "Resent-Reply-To",
};

/* The number of the field's name, or NAMES. */
static unsigned name_of(const struct header_field *field)
{
    unsigned name = 0;
    while (name < NAMES && !header_field_is(field, names[name]))
        name++;
    return name;
}

struct submit_resent submit_resent_find(const char *header, size_t length)
{
    struct submit_resent block = {0};
    struct header_field field;
    unsigned seen = 0; /* a bit for each name of the block */
    size_t start = 0;
    for (size_t at = 0; header_next(header, length, &at, &field); start = at) {
        unsigned name = name_of(&field);
        if (name == NAMES || (seen & 1U << name) != 0) {
            if (block.found)
                return block;
            seen = 0;
        }
        if (name == NAMES)
            continue;
        if (seen == 0)
            block.begin = start;
        seen |= 1U << name;
        block.found = block.found || name < RECIPIENTS;
        block.end = at;
    }
    return block;
}
