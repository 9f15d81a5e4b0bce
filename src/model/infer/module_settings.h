/* SPDX-License-Identifier: MIT */
/* Takes the settings of module objects for the layers that names and shapes show. */
#ifndef VGG_MODEL_INFER_MODULE_SETTINGS_H
#define VGG_MODEL_INFER_MODULE_SETTINGS_H

#include "base/load.h"
#include "checkpoint/module.h"
#include "model/graph/tensors.h"
#include "model/infer/override.h"
#include "model/spec/spec_types.h"

/* A module whose class vgg_module_type_find knows. */
struct vgg_module_leaf {
    struct vgg_module module;
    enum vgg_layer_kind kind;
};

struct vgg_module_leaves {
    /* [count] in the order of the file. */
    const struct vgg_module_leaf *items;
    size_t count;
    const struct vgg_tensor_list *tensors;
    const struct vgg_overrides *overrides;
    /* A cfg says where the pools are and what they are. */
    bool has_cfg;
};

/* Replaces the settings of the layers: of those with the name of a module by that module's; of activations and pools by
 * those of the only module of their kind. Several pools that lie between convolutions are placed where the modules have
 * them.
 *   spec  the description from names and shapes
 * Errors: UNSUPPORTED (modules of a kind differ, and nothing shows which runs where; a setting that cannot be run),
 * MISMATCH, LIMIT, MEMORY. */
vgg_status vgg_module_settings_take(const struct vgg_load *load,
                                    const struct vgg_module_leaves *leaves, struct vgg_spec *spec);

#endif
