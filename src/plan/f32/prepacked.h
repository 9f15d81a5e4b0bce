/* SPDX-License-Identifier: MIT */
/* Prepacked weights in a packed file: which of them a plan can read in place. */
#ifndef VGG_PLAN_F32_PREPACKED_H
#define VGG_PLAN_F32_PREPACKED_H

#include "plan/types.h"

/* The weights that the file has prepacked for these kernels and F(m × m), or direct convolution (m = 0); NULL: none.
 *   nchw  the convolution's input is NCHW */
const struct vgg_prepacked *vgg_find_prepacked(const struct vgg_kernels *kernels,
                                               const struct vgg_conv2d *conv, bool nchw, int m);

/* Whether the file has the weights in PyTorch's order, from which they can be prepacked for any ISA. */
bool vgg_has_plain_weights(const struct vgg_conv2d *conv);

/* Fails with UNSUPPORTED; the message lists the ISAs that can read the node's weights. */
vgg_status vgg_fail_not_prepacked(const struct vgg_plan *plan, const struct vgg_node *node,
                                  bool nchw, struct vgg_error *err);

#endif
