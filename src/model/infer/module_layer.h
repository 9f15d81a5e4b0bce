/* SPDX-License-Identifier: MIT */
/* Reads one layer from a module object of PyTorch. */
#ifndef VGG_MODEL_INFER_MODULE_LAYER_H
#define VGG_MODEL_INFER_MODULE_LAYER_H

#include "checkpoint/module.h"
#include "model/graph/tensors.h"
#include "base/load.h"
#include "model/spec/spec_types.h"

/* Reads the settings of a module whose class vgg_module_type_find knows; channels and features come from its tensors.
 *   out      receives the layer; the settings that the module does not have are PyTorch's defaults
 *   missing  set to true if a setting that changes results was not in the file
 * Errors: UNSUPPORTED (a setting that cannot be run), MISMATCH (no weight of the right shape). */
vgg_status vgg_module_read_layer(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                                 const struct vgg_module *module, struct vgg_layer *out,
                                 bool *missing);

#endif
