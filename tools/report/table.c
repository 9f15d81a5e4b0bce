/* SPDX-License-Identifier: MIT */
/* Tables for people. */
#include "report/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "io/message.h"
#include "io/terminal.h"

enum { MAX_COLUMNS = 24 };

struct column {
    bool right;
    const char *head;
    int head_bytes;
    int width; /* in characters */
};

static int split_columns(const char *columns, struct column out[MAX_COLUMNS])
{
    int count = 0;
    for (const char *p = columns; *p != '\0' && count < MAX_COLUMNS; count++) {
        const size_t length = strcspn(p + 1, "<>");
        out[count] = (struct column){.right = *p == '>', .head = p + 1, .head_bytes = (int)length};
        p += 1 + length;
    }
    return count;
}

/* Characters of text, a code point counting as one. */
static int get_width(const char *text, size_t bytes)
{
    int width = 0;
    for (size_t i = 0; i < bytes; i++) {
        width += ((unsigned char)text[i] & 0xc0) != 0x80;
    }
    return width;
}

void table_add(struct table *table, const char *format, ...)
{
    char *cell = NULL;
    va_list arguments;
    if (!table->failed && table->cell_count == table->capacity) {
        const size_t capacity = 2 * table->capacity + 64;
        char **cells = realloc(table->cells, capacity * sizeof *cells);
        table->failed = cells == NULL;
        table->cells = cells != NULL ? cells : table->cells;
        table->capacity = cells != NULL ? capacity : table->capacity;
    }
    if (table->failed) {
        return;
    }
    va_start(arguments, format);
    char *visible = vasprintf(&cell, format, arguments) < 0 ? NULL : message_make_visible(cell);
    va_end(arguments);
    table->failed = visible == NULL;
    if (!table->failed) {
        table->cells[table->cell_count++] = visible;
    }
    free(cell);
}

/* Writes a cell. What is blank is owed until more text comes, so that no line ends in it. */
static void write_cell(const struct column *column, const char *text, size_t bytes, int *owed,
                       FILE *out)
{
    const int blanks = column->width - get_width(text, bytes);
    *owed += 2 + (column->right ? blanks : 0);
    if (bytes > 0) {
        fprintf(out, "%*s%.*s", *owed, "", (int)bytes, text);
        *owed = 0;
    }
    *owed += column->right ? 0 : blanks;
}

void table_write(const struct table *table, FILE *out)
{
    struct column columns[MAX_COLUMNS];
    const size_t count = (size_t)split_columns(table->columns, columns);
    for (size_t c = 0; c < count; c++) {
        columns[c].width = get_width(columns[c].head, (size_t)columns[c].head_bytes);
        for (size_t i = c; i < table->cell_count; i += count) {
            const int width = get_width(table->cells[i], strlen(table->cells[i]));
            columns[c].width = width > columns[c].width ? width : columns[c].width;
        }
    }
    int owed = 0;
    terminal_begin_bold(out);
    for (size_t c = 0; c < count; c++) {
        write_cell(&columns[c], columns[c].head, (size_t)columns[c].head_bytes, &owed, out);
    }
    terminal_end_bold(out);
    for (size_t i = 0; i < table->cell_count; i++) {
        if (i % count == 0) {
            putc('\n', out);
            owed = 0;
        }
        write_cell(&columns[i % count], table->cells[i], strlen(table->cells[i]), &owed, out);
    }
    putc('\n', out);
}

void table_free(struct table *table)
{
    for (size_t i = 0; i < table->cell_count; i++) {
        free(table->cells[i]);
    }
    free(table->cells);
    *table = (struct table){0};
}

bool table_finish(struct table *table, FILE *out)
{
    const bool good = !table->failed;
    putc('\n', out);
    if (good) {
        table_write(table, out);
    }
    table_free(table);
    return good;
}
