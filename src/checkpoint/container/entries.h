/* SPDX-License-Identifier: MIT */
/* Tensors of containers that list them by name, each with bytes of its own in the file. */
#ifndef VGG_CHECKPOINT_CONTAINER_ENTRIES_H
#define VGG_CHECKPOINT_CONTAINER_ENTRIES_H

#include "base/json.h"
#include "checkpoint/container/archive.h"
#include "checkpoint/container/tensor_value.h"

struct vgg_tensor_entry {
    struct vgg_span name;        /* in the arena */
    struct vgg_tensor_view view; /* ndim and shape; vgg_entries_make_dict sets the rest */
    const struct vgg_element_type *type;
    enum vgg_layout layout;
    uint64_t offset, bytes; /* in the file, little-endian */
};

/* The element type of a name such as "F32" or "BF16"; NULL when there is none. */
const struct vgg_element_type *vgg_entry_find_type(const char *name);
/* The name of an element type; NULL when it has none. */
const char *vgg_entry_get_type_name(enum vgg_dtype dtype);

/* The bounds of a JSON text that lists tensors, from the limit on their number. */
struct vgg_json_bounds vgg_entries_bound_json(const struct vgg_limits *limits,
                                              uint32_t values_per_tensor, uint32_t depth);

/* Makes the dict {name: tensor, …} that a pickle would hold, and a storage for each tensor. Errors: MEMORY. */
vgg_status vgg_entries_make_dict(const struct vgg_archive *archive,
                                 struct vgg_tensor_entry *entries, size_t count,
                                 struct vgg_pickle *pickle, struct vgg_storages *storages);

#endif
