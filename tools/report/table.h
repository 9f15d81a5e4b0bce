/* SPDX-License-Identifier: MIT */
/* Tables for people: cells come row by row, columns become as wide as their widest cell. */
#ifndef TOOLS_REPORT_TABLE_H
#define TOOLS_REPORT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Columns are named by a string such as "<layer >ms": '<' begins a column that is aligned to the left,
 * '>' one to the right, and the head follows. Neither sign can be in a head. */
struct table {
    const char *columns; /* borrowed */
    char **cells;        /* [cell_count], row by row, without the heads */
    size_t cell_count, capacity;
    bool failed; /* out of memory: nothing more is taken */
};

/* Adds the next cell. */
void table_add(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes heads, bold on a terminal, and rows, each after an indent of two blanks; control characters are
 * made visible.
 * A row that is not full is filled with empty cells. */
void table_write(const struct table *table, FILE *out);

void table_free(struct table *table);

/* Writes an empty line and the table, and frees it. False when out of memory. */
bool table_finish(struct table *table, FILE *out);

#endif
