/* SPDX-License-Identifier: MIT */
/* Lists the tensors of a state dict, a whole module or a TorchScript module by name. */
#ifndef VGG_CHECKPOINT_LOCATE_WALK_H
#define VGG_CHECKPOINT_LOCATE_WALK_H

#include "base/load.h"
#include "checkpoint/pickle/pickle.h"

/* The kinds of values that can hold a net's tensors. */
enum vgg_source_kind {
    VGG_SOURCE_NONE,
    VGG_SOURCE_DICT,   /* {name: tensor, …} */
    VGG_SOURCE_MODULE, /* an nn.Module: its state has _parameters, _buffers, _modules */
    VGG_SOURCE_SCRIPT, /* a TorchScript module: tensors and modules are its attributes */
};
enum vgg_source_kind vgg_source_of(const struct vgg_value *value);

/* Whether a Python module, "__torch__" or "__torch__.…", holds classes made by TorchScript. */
bool vgg_is_torchscript(struct vgg_span module);

struct vgg_named {
    const char *name; /* "features.0.weight", "features.0"; "" is the source itself */
    const struct vgg_value *value;
};
struct vgg_named_list {
    struct vgg_named *items; /* in the arena */
    size_t count, capacity;
};

/* The work that walks may still do: modules can be shared, so that a short pickle can hold an endless tree. */
struct vgg_walk_budget {
    uint64_t steps; /* items of dicts visited */
    uint64_t name_bytes;
};
struct vgg_walk_budget vgg_walk_budget_make(const struct vgg_limits *limits);

/* Lists the tensors in the order of state_dict(), and for modules every module, the source first.
 * There is no recursion, and cycles end at a limit.
 *   load     its arena owns names and lists
 *   modules  may be NULL
 * Errors: FORMAT (a bad name, modules in a cycle), LIMIT, MEMORY. */
vgg_status vgg_walk(const struct vgg_load *load, const struct vgg_value *source,
                    struct vgg_walk_budget *budget, struct vgg_named_list *tensors,
                    struct vgg_named_list *modules);

#endif
