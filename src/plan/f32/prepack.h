/* Weights in kernel order. */
#ifndef VGG_PLAN_F32_PREPACK_H
#define VGG_PLAN_F32_PREPACK_H

#include "base/pool.h"
#include "plan/types.h"

/* How much memory each step's weights take, packed and on their way there. */
void vgg_plan_measure_weights(struct vgg_plan *plan);
/* Packs the weights of all steps, or of a one-shot plan the biases alone. Errors: UNSUPPORTED, MEMORY. */
vgg_status vgg_plan_pack(struct vgg_plan *plan, struct vgg_pool *pool, struct vgg_error *err);

/* The order in which a step's kernels read a convolution's weights. */
struct vgg_order_info vgg_conv_get_order(const struct vgg_plan *plan, const struct vgg_step *step);
/* Packs a step's weights into memory of their own, step->weight. Errors: MEMORY. */
vgg_status vgg_step_keep(struct vgg_plan *plan, struct vgg_step *step, struct vgg_pool *pool,
                         struct vgg_error *err);
void vgg_step_forget(struct vgg_plan *plan, struct vgg_step *step);

/* Puts the weights of some of a step's groups into kernel order, in step->weight, and adds the time to
 * prepare_ns; nothing for those used in place. */
void vgg_step_prepare(const struct vgg_plan *plan, struct vgg_step *step, struct vgg_pool *pool,
                      int group_begin, int groups);

#endif
