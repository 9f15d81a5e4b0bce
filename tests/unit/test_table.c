/* SPDX-License-Identifier: MIT */
/* tools/table: columns are as wide as they must be, and no line ends in blanks. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "report/table.h"

START_TEST(aligns_columns)
{
    char text[512] = "";
    struct table table = {.columns = "<name>ms<why"};
    const char *const cells[] = {"a", "1.5", "", "größer", "10", "x\ny"};
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        table_add(&table, "%s", cells[i]);
    }
    FILE *file = fmemopen(text, sizeof text, "w");
    table_write(&table, file);
    fclose(file);
    ck_assert_str_eq(text, "  name     ms  why\n"
                           "  a       1.5\n"
                           "  größer   10  x\\x0ay\n");
    table_free(&table);
}
END_TEST

START_TEST(takes_many_cells)
{
    char *text = NULL;
    size_t bytes = 0;
    int lines = 0;
    struct table table = {.columns = ">n"};
    for (int i = 0; i < 1000; i++) {
        table_add(&table, "%d", i);
    }
    FILE *file = open_memstream(&text, &bytes);
    table_write(&table, file);
    fclose(file);
    for (const char *p = text; *p != '\0'; p++) {
        lines += *p == '\n';
    }
    ck_assert_int_eq(lines, 1001);
    ck_assert_ptr_nonnull(strstr(text, "\n  999\n"));
    free(text);
    table_free(&table);
}
END_TEST

/* The n-th allocation of the table fails: there is no table then, rather than one with a cell missing. */
static int fails_at = -1;
void *__real_malloc(size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_malloc(size_t bytes)
{
    return fails_at >= 0 && fails_at-- == 0 ? NULL : __real_malloc(bytes);
}

START_TEST(misses_no_cell)
{
    for (int at = 0; at < 3; at++) {
        char text[512] = "";
        struct table table = {.columns = "<a<b<c"};
        FILE *file = fmemopen(text, sizeof text, "w");
        fails_at = at;
        table_add(&table, "first");
        table_add(&table, "second");
        table_add(&table, "third");
        fails_at = -1;
        ck_assert(table.failed);
        ck_assert(!table_finish(&table, file));
        fclose(file);
        ck_assert_str_eq(text, "\n");
    }
}
END_TEST

UNIT_MAIN("table", misses_no_cell, aligns_columns, takes_many_cells)
