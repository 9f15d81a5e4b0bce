/* SPDX-License-Identifier: MIT */
/* Describes a net by the module objects of a whole module or a TorchScript archive. */
#ifndef VGG_MODEL_INFER_MODULES_H
#define VGG_MODEL_INFER_MODULES_H

#include "checkpoint/module.h"
#include "model/graph/tensors.h"
#include "model/infer/override.h"
#include "model/spec/spec_types.h"

/* What is known before the modules are read. */
struct vgg_module_request {
    const struct vgg_checkpoint *checkpoint;
    const struct vgg_tensor_list *tensors;
    const struct vgg_overrides *overrides;
    /* Names and shapes made a net, which is in the description. */
    bool inferred;
    /* A cfg says where the pools are: modules give their settings only. */
    bool has_cfg;
};

/* Where every module is in a Sequential, or in a class that has one module for each step, the net is the modules in their
 * order. Else, as where one ReLU serves several layers, names and shapes show the layers, and modules the settings.
 *   spec      the description from names and shapes, if request->inferred; receives the result
 *   described receives whether the modules made a description: false if the file has none, or too few to know the net
 * Errors: UNSUPPORTED (a layer or a setting that cannot be run), MISMATCH, LIMIT, MEMORY. */
vgg_status vgg_spec_apply_modules(const struct vgg_load *load,
                                  const struct vgg_module_request *request, struct vgg_spec *spec,
                                  bool *described);

#endif
