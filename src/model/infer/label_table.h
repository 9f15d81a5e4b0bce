/* SPDX-License-Identifier: MIT */
/* Class names that come in any order, each with its index. */
#ifndef VGG_MODEL_INFER_LABEL_TABLE_H
#define VGG_MODEL_INFER_LABEL_TABLE_H

#include "model/infer/found.h"

struct vgg_label_table {
    const struct vgg_load *load;
    struct vgg_labels labels;
    size_t filled;
    /* Why the names cannot be used; "" while they can. */
    char problem[160];
    bool no_memory;
};

/* Begins a table of count names. */
void vgg_label_table_begin(struct vgg_label_table *table, const struct vgg_load *load,
                           size_t count);

/* Adds the name of a class. Does nothing once there is a problem. */
void vgg_label_table_add(struct vgg_label_table *table, double index, const char *text,
                         size_t length);

/* Adds the names, or the problem, to what was found: each index from 0 on must have one name.
 *   where  is copied
 * Errors: MEMORY. */
vgg_status vgg_label_table_end(struct vgg_label_table *table, const char *where, bool is_telling,
                               struct vgg_found *found);

/* The index that a key such as "17" is; -1: it is none. */
double vgg_label_parse_index(const char *text, size_t length);

#endif
