/* SPDX-License-Identifier: MIT */
/* Recognises nets that are not VGGs by tensor names that only they use. */
#ifndef VGG_MODEL_INFER_OTHER_NETS_H
#define VGG_MODEL_INFER_OTHER_NETS_H

#include "model/graph/tensors.h"

/* The net that the tensors belong to, if it is known and not a VGG: "a ResNet"; otherwise NULL.
 *   evidence  receives the tensor whose name showed it */
const char *vgg_other_net_find(const struct vgg_tensor_list *tensors,
                               const struct vgg_tensor **evidence);

/* The first weight of a module whose name stands for a branch of the net, such as a skip connection or attention; NULL:
 * there is none. */
const struct vgg_tensor *vgg_branch_find(const struct vgg_tensor_list *tensors);

/* The first weight of a module whose name stands for a filter in front of the net; NULL: there is none. */
const struct vgg_tensor *vgg_front_find(const struct vgg_tensor_list *tensors);

/* The first weight of a module whose name stands for a transposed convolution; NULL: there is none. */
const struct vgg_tensor *vgg_transposed_find(const struct vgg_tensor_list *tensors);

#endif
