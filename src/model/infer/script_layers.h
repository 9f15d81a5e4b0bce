/* SPDX-License-Identifier: MIT */
/* Describes a net by the code of a TorchScript archive. */
#ifndef VGG_MODEL_INFER_SCRIPT_LAYERS_H
#define VGG_MODEL_INFER_SCRIPT_LAYERS_H

#include "checkpoint/module.h"
#include "model/graph/tensors.h"
#include "model/spec/layers.h"

/* Whether the code shows the whole net.
 *   described  the caller knows the net, and needs no code that is understood
 * Errors: UNSUPPORTED (it is no chain of layers, as where there is a skip connection, or is not understood). */
vgg_status vgg_script_check(const struct vgg_load *load, const struct vgg_checkpoint *checkpoint,
                            bool described, bool *followed);

/* Lists the layers that the code runs, in its order. Functions without a module have no name yet.
 *   missing  set to true if a setting that changes results was not in the file
 * Errors: UNSUPPORTED (a setting that cannot be run), MISMATCH, LIMIT, MEMORY. */
vgg_status vgg_script_list_layers(const struct vgg_load *load,
                                  const struct vgg_checkpoint *checkpoint,
                                  const struct vgg_tensor_list *tensors, struct vgg_layer_list *out,
                                  bool *missing);

#endif
