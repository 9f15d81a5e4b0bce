/* Where all memory of a run lies. */
#ifndef VGG_PLAN_MEMORY_H
#define VGG_PLAN_MEMORY_H

#include "plan/types.h"

/* Sets the strides and sizes of all activations. Errors: LIMIT. */
vgg_status vgg_plan_measure(struct vgg_plan *plan, struct vgg_error *err);
/* Allocates the slab and places everything in it. Errors: LIMIT, MEMORY. */
vgg_status vgg_plan_place(struct vgg_plan *plan, struct vgg_error *err);

/* The bytes that a step needs beside its input and output while it runs. */
size_t vgg_step_get_middle(const struct vgg_plan *plan, const struct vgg_step *step);

#endif
