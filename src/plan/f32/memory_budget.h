/* How much memory each convolution may take in a plan for low memory. */
#ifndef VGG_PLAN_F32_MEMORY_BUDGET_H
#define VGG_PLAN_F32_MEMORY_BUDGET_H

#include "plan/types.h"

/* For a plan for low memory: what the largest convolution needs for its input and output, below which no slab
 * of the net can be; and of it what nodes[i] leaves for scratch and weights, in room_bytes and unpooled_bytes. */
double vgg_plan_find_floor(const struct vgg_plan *plan, const struct vgg_node *nodes, size_t count);
void vgg_plan_find_room(struct vgg_plan *plan, const struct vgg_node *nodes, size_t count, size_t i,
                        struct vgg_shape in, double floor_bytes);

#endif
