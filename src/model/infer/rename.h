/* SPDX-License-Identifier: MIT */
/* Gives the layers of a description the names that they have in a checkpoint. */
#ifndef VGG_MODEL_INFER_RENAME_H
#define VGG_MODEL_INFER_RENAME_H

#include "model/graph/tensors.h"
#include "base/load.h"
#include "model/spec/spec_types.h"

/* Leaves the names if the checkpoint has them all. Else the n-th convolution, linear layer, BatchNorm and PReLU of the
 * description gets the name of the n-th in the checkpoint.
 * Errors: MISMATCH (other numbers of layers), MEMORY. */
vgg_status vgg_spec_rename(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                           struct vgg_spec *spec);

#endif
