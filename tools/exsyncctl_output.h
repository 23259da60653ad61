/* How exsyncctl prints: colours, tables, times and durations.
 *
 * Colours are used only when tool->colour says so, and never carry what the words do not. Texts are
 * made fit for a terminal: whatever came from outside cannot move the cursor. */
#ifndef EXSYNC_EXSYNCCTL_OUTPUT_H
#define EXSYNC_EXSYNCCTL_OUTPUT_H

#include "tools/exsyncctl.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum output_colour {
    OUTPUT_PLAIN,
    OUTPUT_STRONG,  /* headings */
    OUTPUT_FAINT,   /* of no importance now */
    OUTPUT_GOOD,    /* green */
    OUTPUT_WARNING, /* yellow */
    OUTPUT_BAD,     /* red */
};

/* printf to standard output in a colour, of one line: only the line ends with which the format
 * begins and ends are kept, others, and those of values, become blanks. */
void output_print(const struct exsyncctl *tool, enum output_colour colour, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same around what is printed otherwise. */
void output_colour_begin(const struct exsyncctl *tool, enum output_colour colour);
void output_colour_end(const struct exsyncctl *tool, enum output_colour colour);

/* The bytes of the character at `text`, which is not at its end, and the columns that it takes on
 * the terminal: 0, 1 or 2; of what the locale does not know, 1. */
size_t output_character(const char *text, int *width);

/* Words filled into lines that fit a terminal of 80 columns, each behind `indent` blanks. For prose
 * only: a command that is broken in two cannot be copied. */
void output_paragraph(const struct exsyncctl *tool, enum output_colour colour, int indent,
                      const char *text);

/* --- tables --- */

/* Rows whose columns are as wide as they must be, known when all rows are there. */
struct output_table;

/* `headings`: NULL-terminated, static. Marks before the words say of their column:
 *   >        it stands right
 *   *        a key, which people copy: its cells are never cut, and it is never left out
 *   1 ... 9  it may be left out where room is short, 1 before 2
 * An empty first heading ("") makes a table without a line of headings. */
struct output_table *output_table_create(const char *const *headings);

/* Cells fill the columns from the left; the one behind the last begins a new row. NULL is "-". */
void output_cell(struct output_table *table, enum output_colour colour, const char *text);
void output_cell_format(struct output_table *table, enum output_colour colour, const char *format,
                        ...) __attribute__((format(printf, 3, 4)));

/* Ends a row early; columns that are missing stay empty. */
void output_row_end(struct output_table *table);

size_t output_table_rows(const struct output_table *table);

/* Prints it (nothing when there are no rows) and frees it. On a terminal, and only there, rows are
 * made to fit its width: the last column is cut, then columns are left out, then the widest ones
 * are cut. A key that is too long for that sticks out of its column, and of the line. */
void output_table_print(const struct exsyncctl *tool, struct output_table *table);

/* --- times and durations --- */

enum { OUTPUT_TIME_SIZE = 48 };

/* "850 ms", "12 s", "3 min 5 s", "2 h 5 min", "4 d 3 h": the two largest units. */
void output_duration(char text[OUTPUT_TIME_SIZE], int64_t milliseconds);

/* A time as the daemon tells it (ISO 8601, UTC) in local time with its zone, "2026-01-31 23:59:59
 * CET"; "-" for NULL and what is no time. */
void output_time(char text[OUTPUT_TIME_SIZE], const char *utc);

/* The same from now: "3 min 5 s ago", "in 12 s", "now"; "-". */
void output_since(char text[OUTPUT_TIME_SIZE], const char *utc);

/* --- hints --- */

/* A line: "The profile Contoso Ltd is paused: exsyncctl resume "Contoso Ltd" lets it go on." */
void output_paused(const struct exsyncctl *tool, const char *profile);

/* --- members of answers --- */

/* A string member; NULL when it is not there or no string. */
const char *output_text(const json_t *object, const char *member);
/* The same where words are needed: "" when it is not there. */
const char *output_words(const json_t *object, const char *member);
int64_t output_number(const json_t *object, const char *member); /* 0 */
bool output_true(const json_t *object, const char *member);      /* false */

#endif
