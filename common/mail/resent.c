#include "mail/resent.h"

enum { RECIPIENTS = 3, NAMES = 8, PREFIX_LENGTH = sizeof "Resent-" - 1 };

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

struct resent_block resent_find(const char *header, size_t length)
{
    struct resent_block block = {.header = header};
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

bool resent_is_recipients(const struct resent_block *block, const struct header_field *field,
                          const char *name)
{
    size_t start = (size_t)(field->start - block->header);
    struct header_field rest = *field;
    if (!block->found)
        return header_field_is(field, name);
    if (start < block->begin || start >= block->end || field->name_length < PREFIX_LENGTH)
        return false;
    rest.start += PREFIX_LENGTH; /* all names of the block begin with it */
    rest.name_length -= PREFIX_LENGTH;
    return header_field_is(&rest, name);
}
