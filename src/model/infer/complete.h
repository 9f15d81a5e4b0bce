/* SPDX-License-Identifier: MIT */
/* Completes a description by what lies in and beside the checkpoint. */
#ifndef VGG_MODEL_INFER_COMPLETE_H
#define VGG_MODEL_INFER_COMPLETE_H

#include "model/infer/resolve.h"

/* The same as vgg_spec_resolve with class names and preprocessing that the checkpoint has beside its tensors, in buffers
 * of a normalisation, or in config.json and preprocessor_config.json in its folder.
 * Errors: as vgg_spec_resolve. */
vgg_status vgg_spec_find(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                         const struct vgg_request *request, struct vgg_spec *out);

#endif
