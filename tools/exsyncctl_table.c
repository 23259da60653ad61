/* Tables: cells are kept until the widths are known. */
#define _GNU_SOURCE /* wcwidth */
#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "tools/exsyncctl_output.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

enum {
    COLUMNS = 24,
    GAP = 2,
    /* To what columns give way on a terminal: */
    NARROWEST = 16,
    NARROWEST_KEY = 40, /* an id has 36; longer ones stick out of their column */
    NARROWEST_LAST = 24,
    SHORTEST_LAST = 8, /* when nothing else can give way */
};

struct cell {
    char *text;
    int width; /* on the terminal */
    enum output_colour colour;
};

struct column {
    const char *heading; /* without its marks */
    bool right;
    bool key;  /* its cells are never cut */
    char goes; /* '1' first; 0: it stays */
    bool gone;
    int width;
};

struct output_table {
    struct column columns[COLUMNS];
    size_t column_count;
    bool headed;
    struct cell *cells;
    size_t count, capacity;
};

size_t output_character(const char *text, int *width)
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

static int width_of(const char *text)
{
    int total = 0, width;
    for (; *text != '\0'; total += width)
        text += output_character(text, &width);
    return total;
}

static struct column read_heading(const char *heading)
{
    struct column column = {.heading = heading};
    for (;; column.heading++) {
        char mark = *column.heading;
        if (mark == '>')
            column.right = true;
        else if (mark == '*')
            column.key = true;
        else if (mark >= '1' && mark <= '9')
            column.goes = mark;
        else
            return column;
    }
}

struct output_table *output_table_create(const char *const *headings)
{
    struct output_table *table = memory_allocate(sizeof *table);
    for (; headings[table->column_count] != NULL && table->column_count < COLUMNS;
         table->column_count++) {
        struct column *column = &table->columns[table->column_count];
        *column = read_heading(headings[table->column_count]);
        column->width = width_of(column->heading);
    }
    table->headed = table->column_count > 0 && table->columns[0].heading[0] != '\0';
    return table;
}

void output_cell(struct output_table *table, enum output_colour colour, const char *text)
{
    if (text == NULL)
        text = "-";
    size_t length = strlen(text);
    char *line = memory_allocate(length + 1);
    text_copy_shown(line, length + 1, text, length);
    if (table->count == table->capacity) {
        table->capacity = table->capacity == 0 ? 64 : table->capacity * 2;
        table->cells = memory_resize(table->cells, table->capacity * sizeof *table->cells);
    }
    int width = width_of(line);
    int *widest = &table->columns[table->count % table->column_count].width;
    table->cells[table->count++] = (struct cell){.text = line, .width = width, .colour = colour};
    if (width > *widest)
        *widest = width;
}

void output_cell_format(struct output_table *table, enum output_colour colour, const char *format,
                        ...)
{
    struct buffer text = {0};
    va_list arguments;
    va_start(arguments, format);
    buffer_append_format_list(&text, format, arguments);
    va_end(arguments);
    output_cell(table, colour, buffer_string(&text));
    buffer_release(&text);
}

void output_row_end(struct output_table *table)
{
    while (table->count % table->column_count != 0)
        output_cell(table, OUTPUT_PLAIN, "");
}

size_t output_table_rows(const struct output_table *table)
{
    return (table->count + table->column_count - 1) / table->column_count;
}

/* --- making it fit --- */

/* 0: no terminal, and no limit. */
static int terminal_width(const struct exsyncctl *tool)
{
    struct winsize size;
    return tool->terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* The last one counts with what it wants at least. */
static int width_wanted(const struct output_table *table)
{
    int wanted = 0;
    for (size_t i = 0; i < table->column_count; i++) {
        const struct column *column = &table->columns[i];
        bool last = i + 1 == table->column_count;
        if (!column->gone)
            wanted += last && !column->key && column->width > NARROWEST_LAST
                          ? NARROWEST_LAST
                          : column->width + (last ? 0 : GAP);
    }
    return wanted;
}

/* One long key is no reason for blanks behind all others: it sticks out of its column. */
static void narrow_keys(struct output_table *table)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].key && table->columns[i].width > NARROWEST_KEY)
            table->columns[i].width = NARROWEST_KEY;
    }
}

/* False: there is none that may go. */
static bool drop_column(struct output_table *table)
{
    struct column *first = NULL;
    for (size_t i = 0; i < table->column_count; i++) {
        struct column *column = &table->columns[i];
        if (column->goes != 0 && !column->gone && (first == NULL || column->goes < first->goes))
            first = column;
    }
    if (first != NULL)
        first->gone = true;
    return first != NULL;
}

/* The widest before the last becomes one narrower; false: none can. */
static bool narrow_column(struct output_table *table)
{
    struct column *widest = NULL;
    for (size_t i = 0; i + 1 < table->column_count; i++) {
        struct column *column = &table->columns[i];
        bool gives = !column->right && !column->key && !column->gone && column->width > NARROWEST;
        if (gives && (widest == NULL || column->width > widest->width))
            widest = column;
    }
    if (widest != NULL)
        widest->width--;
    return widest != NULL;
}

static void fit_columns(struct output_table *table, int limit)
{
    if (width_wanted(table) > limit)
        narrow_keys(table);
    while (width_wanted(table) > limit && drop_column(table))
        ;
    while (width_wanted(table) > limit && narrow_column(table))
        ;
}

/* --- printing --- */

/* A row that is being printed. */
struct row {
    const struct exsyncctl *tool;
    int limit; /* of the terminal; 0: none */
    int start; /* where the next column begins */
    int at;    /* where the cursor is */
};

/* As much of a text as fits before a "…". Returns the width of both. */
static int print_cut(const char *text, int most)
{
    int shown = 0, width;
    for (size_t length; *text != '\0'; text += length, shown += width) {
        length = output_character(text, &width);
        if (shown + width >= most)
            break;
        fwrite(text, 1, length, stdout);
    }
    fputs("…", stdout);
    return shown + 1;
}

/* The last column has what the others have left of the line. */
static int room_of(const struct row *row, const struct column *column, bool last, int begin)
{
    if (row->limit == 0 || column->key)
        return INT_MAX;
    if (!last)
        return column->width;
    return row->limit - begin > SHORTEST_LAST ? row->limit - begin : SHORTEST_LAST;
}

/* Blanks are printed before a text only, so that no row ends in them. What has stuck out of its
 * column moves the next ones, as far as they have no room to spare. */
static void print_cell(struct row *row, const struct column *column, bool last,
                       const struct cell *cell)
{
    int begin = row->start;
    if (column->right && cell->width < column->width)
        begin += column->width - cell->width;
    if (row->at > 0 && begin < row->at + GAP)
        begin = row->at + GAP;
    row->start += column->width + GAP;
    if (cell->width == 0)
        return;
    int room = room_of(row, column, last, begin);
    printf("%*s", begin - row->at, "");
    output_colour_begin(row->tool, cell->colour);
    if (cell->width > room) {
        row->at = begin + print_cut(cell->text, room);
    } else {
        fputs(cell->text, stdout);
        row->at = begin + cell->width;
    }
    output_colour_end(row->tool, cell->colour);
}

/* `cells`: one for each column, gone or not. */
static void print_row(const struct exsyncctl *tool, const struct output_table *table,
                      const struct cell *cells, int limit)
{
    struct row row = {.tool = tool, .limit = limit};
    for (size_t i = 0; i < table->column_count; i++) {
        if (!table->columns[i].gone)
            print_cell(&row, &table->columns[i], i + 1 == table->column_count, &cells[i]);
    }
    putchar('\n');
}

static void print_headings(const struct exsyncctl *tool, const struct output_table *table,
                           int limit)
{
    struct cell cells[COLUMNS] = {0};
    for (size_t i = 0; i < table->column_count; i++) {
        const char *heading = table->columns[i].heading;
        cells[i] = (struct cell){(char *)heading, width_of(heading), OUTPUT_STRONG};
    }
    print_row(tool, table, cells, limit);
}

void output_table_print(const struct exsyncctl *tool, struct output_table *table)
{
    int limit = terminal_width(tool);
    output_row_end(table);
    if (limit > 0)
        fit_columns(table, limit);
    if (table->headed && table->count > 0)
        print_headings(tool, table, limit);
    for (size_t i = 0; i < table->count; i += table->column_count)
        print_row(tool, table, &table->cells[i], limit);
    for (size_t i = 0; i < table->count; i++)
        memory_free(table->cells[i].text);
    memory_free(table->cells);
    memory_free(table);
}
