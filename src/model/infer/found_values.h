/* SPDX-License-Identifier: MIT */
/* Preprocessing in a checkpoint: buffers of a normalisation at the net's front, hyperparameters. */
#ifndef VGG_MODEL_INFER_FOUND_VALUES_H
#define VGG_MODEL_INFER_FOUND_VALUES_H

#include "checkpoint/checkpoint.h"
#include "model/infer/found.h"

/* Takes mean and std from buffers of the same module, "0.mean" and "0.std". Several that differ are not taken, and
 * reported.
 *   constants  [count] the checkpoint's tensors for which vgg_tensor_is_constant
 * Errors: MEMORY. */
vgg_status vgg_found_read_buffers(const struct vgg_load *load,
                                  const struct vgg_tensor *const *constants, size_t count,
                                  struct vgg_found *found);

/* Takes mean, std and the input's size from hyperparameters: "hyper_parameters.mean", "args.img_size". Several that
 * differ are not taken.
 * Errors: MEMORY. */
vgg_status vgg_found_read_hyperparameters(const struct vgg_load *load,
                                          const struct vgg_checkpoint *checkpoint,
                                          struct vgg_found *found);

#endif
