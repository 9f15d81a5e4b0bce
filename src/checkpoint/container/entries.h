/* SPDX-License-Identifier: MIT */
/* Tensors of containers that list them by name, each with bytes of its own in the file. */
#ifndef VGG_CHECKPOINT_CONTAINER_ENTRIES_H
#define VGG_CHECKPOINT_CONTAINER_ENTRIES_H

#include "base/json.h"
#include "checkpoint/container/archive.h"
#include "checkpoint/container/tensor_value.h"

struct vgg_tensor_entry {
    struct vgg_span name;        /* the arena's */
    struct vgg_tensor_view view; /* its sides; the rest is filled in */
    const struct vgg_element_type *type;
    enum vgg_layout layout;
    uint64_t offset, bytes; /* in the file, little-endian */
};

/* The element type that such containers call so: "F32", "BF16"; NULL when there is none. */
const struct vgg_element_type *vgg_entry_find_type(const char *name);
/* And what they call it. */
const char *vgg_entry_get_type_name(enum vgg_dtype dtype);

/* Bounds of a JSON text that lists tensors: as many values as the largest number of tensors may have. */
struct vgg_json_bounds vgg_entries_bound_json(const struct vgg_limits *limits,
                                              uint32_t values_per_tensor, uint32_t depth);

/* Makes the dict {name: tensor, …} that a pickle would give, and a storage for each tensor. Errors: MEMORY. */
vgg_status vgg_entries_make_dict(const struct vgg_archive *archive,
                                 struct vgg_tensor_entry *entries, size_t count,
                                 struct vgg_pickle *pickle, struct vgg_storages *storages);

#endif
