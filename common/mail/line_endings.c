#include "mail/line_endings.h"

#include <string.h>

static char *copy(char *output, const char *from, const char *to)
{
    memcpy(output, from, (size_t)(to - from));
    return output + (to - from);
}

size_t line_endings_convert(struct line_endings *state, const char *bytes, size_t length,
                            char *output)
{
    if (length == 0)
        return 0;
    char *next = output;
    const char *end = bytes + length;
    if (state->held && *bytes != '\n')
        *next++ = '\r';
    state->held = false;

    /* Runs from one CRLF to the next are copied whole, a lone CR within them, too. */
    const char *run = bytes;
    const char *cr = memchr(run, '\r', length);
    while (cr != NULL && cr + 1 < end) {
        if (cr[1] == '\n') {
            next = copy(next, run, cr);
            run = cr + 1;
        }
        cr = memchr(cr + 1, '\r', (size_t)(end - cr - 1));
    }
    state->held = cr != NULL;
    next = copy(next, run, cr != NULL ? cr : end);
    return (size_t)(next - output);
}

size_t line_endings_end(struct line_endings *state, char *output)
{
    if (!state->held)
        return 0;
    state->held = false;
    *output = '\r';
    return 1;
}

size_t line_endings_to_crlf(struct line_endings_crlf *state, const char *bytes, size_t length,
                            char *output)
{
    static const char crlf[] = "\r\n";
    char *next = output;
    const char *end = bytes + length;
    while (bytes < end) {
        const char *run = bytes;
        while (bytes < end && *bytes != '\r' && *bytes != '\n')
            bytes++;
        next = copy(next, run, bytes);
        if (bytes > run)
            state->after_cr = false;
        if (bytes == end)
            break;
        if (*bytes == '\r' || !state->after_cr)
            next = copy(next, crlf, crlf + 2);
        state->after_cr = *bytes++ == '\r';
    }
    return (size_t)(next - output);
}
