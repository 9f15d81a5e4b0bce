/* SPDX-License-Identifier: MIT */
/* Class names that come in any order, each with its index. */
#include "model/infer/label_table.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static __attribute__((format(printf, 2, 3))) void refuse(struct vgg_label_table *table,
                                                         const char *format, ...)
{
    va_list args;
    if (table->problem[0] == '\0') {
        va_start(args, format);
        vsnprintf(table->problem, sizeof table->problem, format, args);
        va_end(args);
    }
}

void vgg_label_table_begin(struct vgg_label_table *table, const struct vgg_load *load, size_t count)
{
    *table = (struct vgg_label_table){.load = load, .labels = {.count = count}};
    table->labels.names = vgg_load_alloc(load, count, sizeof *table->labels.names);
    table->no_memory = table->labels.names == NULL;
}

void vgg_label_table_add(struct vgg_label_table *table, double index, const char *text,
                         size_t length)
{
    const size_t count = table->labels.count;
    if (table->problem[0] != '\0' || table->no_memory) {
        return;
    }
    if (!(index >= 0 && index < (double)count) || index != (double)(size_t)index) {
        refuse(table, "expected indices from 0 to %zu, found %g", count - 1, index);
        return;
    }
    const char *problem = vgg_label_check(text, length);
    const char **name = &table->labels.names[(size_t)index];
    if (*name != NULL || problem != NULL) {
        refuse(table, "name %g %s", index, problem != NULL ? problem : "is there twice");
        return;
    }
    *name = vgg_arena_copy_string(table->load->arena, text, length);
    table->no_memory = *name == NULL;
    table->filled++;
}

static const char *copy(const struct vgg_label_table *table, const char *text)
{
    return vgg_arena_copy_string(table->load->arena, text, strlen(text));
}

vgg_status vgg_label_table_end(struct vgg_label_table *table, const char *where, bool is_telling,
                               struct vgg_found *found)
{
    if (table->filled < table->labels.count) {
        refuse(table, "expected %zu names, found %zu", table->labels.count, table->filled);
    }
    const bool good = table->problem[0] == '\0';
    const struct vgg_found_labels labels = {.where = copy(table, where),
                                            .labels = table->labels,
                                            .problem = good ? NULL : copy(table, table->problem),
                                            .is_telling = is_telling};
    if (table->no_memory || labels.where == NULL || (!good && labels.problem == NULL)) {
        return vgg_load_fail_memory(table->load, table->labels.count, "the labels");
    }
    vgg_found_add_labels(found, &labels);
    return VGG_OK;
}

double vgg_label_parse_index(const char *text, size_t length)
{
    double index = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || length > 9) {
            return -1;
        }
        index = 10 * index + (text[i] - '0');
    }
    return length > 0 ? index : -1;
}
