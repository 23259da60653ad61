/* Whatever comes over the control socket: lines are taken or refused, in pieces of any size alike,
 * and what was taken can be written as a line again. */
#include "control/control_line.h"

#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT = 512, PIECE = 7 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const json_t *line)
{
    struct buffer bytes = {0};
    struct control_lines lines = {.limit = SIZE_MAX};
    json_t *again;
    char wrong[80];
    if (!control_line_append(&bytes, line, SIZE_MAX / 8))
        abort();
    control_lines_add(&lines, bytes.data, bytes.length);
    if (control_lines_take(&lines, &again, wrong, sizeof wrong) != CONTROL_LINE_TAKEN ||
        !json_equal(line, again))
        abort();
    json_decref(again);
    control_lines_release(&lines);
    buffer_release(&bytes);
}

/* Counts the lines of each kind. */
static void read_all(const uint8_t *data, size_t size, size_t piece, size_t counts[5])
{
    struct control_lines lines = {.limit = LIMIT};
    char wrong[80];
    for (size_t at = 0; at < size; at += piece) {
        enum control_line_result result;
        control_lines_add(&lines, (const char *)data + at, size - at < piece ? size - at : piece);
        do {
            json_t *line;
            result = control_lines_take(&lines, &line, wrong, sizeof wrong);
            counts[result] += result != CONTROL_LINE_NONE;
            if (result == CONTROL_LINE_TAKEN)
                check_again(line);
            json_decref(line);
        } while (result != CONTROL_LINE_NONE && result != CONTROL_LINE_TOO_LONG);
        if (result == CONTROL_LINE_TOO_LONG)
            break;
    }
    control_lines_release(&lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t whole[5] = {0}, pieces[5] = {0};
    read_all(data, size, size + 1, whole);
    read_all(data, size, PIECE, pieces);
    if (memcmp(whole, pieces, sizeof whole) != 0)
        abort();
    return 0;
}
