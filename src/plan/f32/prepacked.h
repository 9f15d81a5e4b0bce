/* SPDX-License-Identifier: MIT */
/* Prepacked weights in a packed file. */
#ifndef VGG_PLAN_F32_PREPACKED_H
#define VGG_PLAN_F32_PREPACKED_H

#include "plan/types.h"

/* The weights that the file has prepacked for these kernels, for F(m × m), or direct (m = 0); NULL: none.
 *   nchw  the convolution's input is NCHW */
const struct vgg_prepacked *vgg_find_prepacked(const struct vgg_kernels *kernels,
                                               const struct vgg_conv2d *conv, bool nchw, int m);

/* Whether the file has the weights in PyTorch's order, from which every CPU can prepack them. */
bool vgg_has_plain_weights(const struct vgg_conv2d *conv);

/* Returns UNSUPPORTED, with the instruction sets that could read the node's weights. */
vgg_status vgg_fail_not_prepacked(const struct vgg_plan *plan, const struct vgg_node *node,
                                  bool nchw, struct vgg_error *err);

#endif
