/* Weights that a packed file holds in kernel order. */
#ifndef VGG_PLAN_F32_PREPACKED_H
#define VGG_PLAN_F32_PREPACKED_H

#include "plan/types.h"

/* What a packed file has of a convolution's weights: in an order that these kernels read for
 * F(m × m), or direct (m = 0), or NULL; as any CPU can pack them; and the message when that is not so. */
const struct vgg_prepared *vgg_find_stored(const struct vgg_kernels *kernels,
                                           const struct vgg_conv2d *conv, bool planar, int m);
bool vgg_has_plain_weights(const struct vgg_conv2d *conv);
vgg_status vgg_fail_not_stored(const struct vgg_plan *plan, const struct vgg_node *node,
                               bool planar, struct vgg_error *err);

#endif
