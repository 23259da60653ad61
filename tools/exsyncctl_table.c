/* Tables: cells are kept until the widths are known. */
#define _GNU_SOURCE /* wcswidth, wcwidth */
#include "base/memory.h"
#include "base/text.h"
#include "tools/exsyncctl_output.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

enum {
    COLUMNS = 24,
    GAP = 2,
    CELL_SIZE = 1024,
    NARROWEST = 16,      /* to which columns give way on a terminal */
    NARROWEST_LAST = 24, /* what they leave for the last one */
};

struct cell {
    char *text;
    int width; /* on the terminal */
    enum output_colour colour;
};

struct output_table {
    const char *headings[COLUMNS];
    bool right[COLUMNS];
    size_t columns;
    bool headed;
    int widths[COLUMNS];
    struct cell *cells;
    size_t count, capacity;
};

/* Of UTF-8 as the terminal shows it; what the locale does not know counts one a character. */
static int width_of(const char *text)
{
    wchar_t wide[CELL_SIZE];
    size_t length = mbstowcs(wide, text, CELL_SIZE);
    int width = length == (size_t)-1 || length == CELL_SIZE ? -1 : wcswidth(wide, length);
    if (width >= 0)
        return width;
    for (width = 0; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

struct output_table *output_table_create(const char *const *headings)
{
    struct output_table *table = memory_allocate(sizeof *table);
    for (; headings[table->columns] != NULL && table->columns < COLUMNS; table->columns++) {
        const char *heading = headings[table->columns];
        table->right[table->columns] = heading[0] == '>';
        table->headings[table->columns] = heading + (heading[0] == '>');
    }
    table->headed = table->columns > 0 && headings[0][0] != '\0';
    for (size_t i = 0; i < table->columns && table->headed; i++)
        table->widths[i] = width_of(table->headings[i]);
    return table;
}

void output_cell(struct output_table *table, enum output_colour colour, const char *text)
{
    char line[CELL_SIZE];
    if (text == NULL)
        text = "-";
    text_copy_line(line, sizeof line, text, strlen(text));
    if (table->count == table->capacity) {
        table->capacity = table->capacity == 0 ? 64 : table->capacity * 2;
        table->cells = memory_resize(table->cells, table->capacity * sizeof *table->cells);
    }
    int width = width_of(line);
    int *widest = &table->widths[table->count % table->columns];
    table->cells[table->count++] =
        (struct cell){.text = memory_copy_string(line), .width = width, .colour = colour};
    if (width > *widest)
        *widest = width;
}

void output_cell_format(struct output_table *table, enum output_colour colour, const char *format,
                        ...)
{
    char text[CELL_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    output_cell(table, colour, text);
}

void output_row_end(struct output_table *table)
{
    while (table->count % table->columns != 0)
        output_cell(table, OUTPUT_PLAIN, "");
}

size_t output_table_rows(const struct output_table *table)
{
    return (table->count + table->columns - 1) / table->columns;
}

/* --- printing --- */

static int terminal_width(const struct exsyncctl *tool)
{
    struct winsize size;
    return tool->terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* The widest column before the last that can give way; `columns`: there is none. */
static size_t widest_column(const struct output_table *table)
{
    size_t widest = table->columns;
    for (size_t i = 0; i + 1 < table->columns; i++) {
        bool gives = !table->right[i] && table->widths[i] > NARROWEST;
        if (gives && (widest == table->columns || table->widths[i] > table->widths[widest]))
            widest = i;
    }
    return widest;
}

/* On a terminal the last column has what the others leave, and the widest of those give way when
 * that is too little. */
static void fit_columns(const struct exsyncctl *tool, struct output_table *table)
{
    int left = terminal_width(tool);
    size_t last = table->columns - 1, widest;
    if (left == 0)
        return;
    for (size_t i = 0; i < last; i++)
        left -= table->widths[i] + GAP;
    int wanted = table->widths[last] < NARROWEST_LAST ? table->widths[last] : NARROWEST_LAST;
    while (left < wanted && (widest = widest_column(table)) < table->columns) {
        table->widths[widest]--;
        left++;
    }
    if (left < wanted)
        left = wanted;
    if (table->widths[last] > left)
        table->widths[last] = left;
}

static void pad(int count)
{
    if (count > 0)
        printf("%*s", count, "");
}

/* The bytes of the character at `text`, and its width on the terminal. */
static size_t character_at(const char *text, int *width)
{
    wchar_t wide;
    size_t length = 1;
    while (((unsigned char)text[length] & 0xc0) == 0x80)
        length++;
    *width = mbtowc(&wide, text, length) == (int)length ? wcwidth(wide) : 1;
    if (*width < 0)
        *width = 1;
    return length;
}

/* As much of a text as fits before a "…". Returns the width of both. */
static int print_cut(const char *text, int most)
{
    int shown = 0, width;
    for (size_t length; *text != '\0'; text += length, shown += width) {
        length = character_at(text, &width);
        if (shown + width >= most)
            break;
        fwrite(text, 1, length, stdout);
    }
    fputs("…", stdout);
    return shown + 1;
}

/* `*owed`: blanks that are due before the next text, so that no row ends in blanks. */
static void print_cell(const struct exsyncctl *tool, const struct output_table *table,
                       size_t column, const struct cell *cell, int *owed)
{
    int room = table->widths[column], width = cell->width;
    if (width > 0) {
        pad(*owed + (table->right[column] && width < room ? room - width : 0));
        *owed = 0;
        output_colour_begin(tool, cell->colour);
        if (width > room)
            width = print_cut(cell->text, room);
        else
            fputs(cell->text, stdout);
        output_colour_end(tool, cell->colour);
        if (table->right[column])
            width = room;
    }
    *owed += room - width + GAP;
    if (column + 1 == table->columns) {
        putchar('\n');
        *owed = 0;
    }
}

static void print_headings(const struct exsyncctl *tool, const struct output_table *table)
{
    int owed = 0;
    for (size_t i = 0; i < table->columns; i++) {
        char heading[CELL_SIZE];
        snprintf(heading, sizeof heading, "%s", table->headings[i]);
        const struct cell cell = {heading, width_of(heading), OUTPUT_STRONG};
        print_cell(tool, table, i, &cell, &owed);
    }
}

void output_table_print(const struct exsyncctl *tool, struct output_table *table)
{
    int owed = 0;
    output_row_end(table);
    fit_columns(tool, table);
    if (table->headed && table->count > 0)
        print_headings(tool, table);
    for (size_t i = 0; i < table->count; i++) {
        print_cell(tool, table, i % table->columns, &table->cells[i], &owed);
        memory_free(table->cells[i].text);
    }
    memory_free(table->cells);
    memory_free(table);
}
