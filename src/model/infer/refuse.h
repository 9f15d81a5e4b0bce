/* SPDX-License-Identifier: MIT */
/* Says why a checkpoint is no net that can be run. */
#ifndef VGG_MODEL_INFER_REFUSE_H
#define VGG_MODEL_INFER_REFUSE_H

#include "model/infer/sites.h"

/* Refuses quantised layers and branches: FORMAT. */
vgg_status vgg_refuse_unsupported(const struct vgg_load *load,
                                  const struct vgg_tensor_list *tensors);

/* Refuses convolutions without a classifier, as weights for comparing images have: FORMAT. A net whose last convolution is
 * 1x1 and in a Sequential of its own classifies without linear layers. */
vgg_status vgg_refuse_features_alone(const struct vgg_load *load,
                                     const struct vgg_tensor_list *tensors,
                                     const struct vgg_sites *sites);

/* Fails because the tensors make no VGG: FORMAT.
 *   reason  its message says why they make no chain of layers; empty: there are no layers */
vgg_status vgg_refuse_no_vgg(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                             const struct vgg_error *reason);

#endif
