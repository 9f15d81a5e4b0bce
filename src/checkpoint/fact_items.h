/* SPDX-License-Identifier: MIT */
/* Texts and numbers of a pickle, whether they are Python's own, NumPy's, or wrapped by a library. */
#ifndef VGG_CHECKPOINT_FACT_ITEMS_H
#define VGG_CHECKPOINT_FACT_ITEMS_H

#include "base/mem.h"
#include "checkpoint/pickle/value.h"

struct vgg_fact_item {
    enum { VGG_ITEM_OTHER, VGG_ITEM_TEXT, VGG_ITEM_NUMBER } kind;
    struct vgg_span text;
    double number;
};

/* The value in the objects that OmegaConf, fastai and TorchScript wrap around it; another value itself. */
const struct vgg_value *vgg_value_unwrap(const struct vgg_value *value);

/* The dict of a dict's items or of an object's attributes; NULL: the value is neither. */
const struct vgg_value *vgg_value_get_dict(const struct vgg_value *value);

/* Reads a single text or number; a NumPy scalar, too. False: without memory. */
bool vgg_fact_read_item(const struct vgg_value *value, struct vgg_arena *arena,
                        struct vgg_fact_item *out);

/* Reads a list, a tuple or a NumPy array of one dimension. *items is NULL where the value is another thing.
 * False: without memory. */
bool vgg_fact_read_list(const struct vgg_value *value, struct vgg_arena *arena,
                        struct vgg_fact_item **items, size_t *count);

#endif
