/* SPDX-License-Identifier: MIT */
/* Plans of int8 nets: bytes between all steps, integer sums, float32 logits.
 *
 *   image ─ quantise ─► bytes ─ conv, ReLU (, max-pool) ─► bytes … linear, ReLU ─► bytes ─ linear ─► logits
 *
 * The weights are read where they are in the file; what is small is copied and checked, so that nothing in a
 * file can make a sum overflow. */
#ifndef VGG_PLAN_INT8_INT8_BUILD_H
#define VGG_PLAN_INT8_INT8_BUILD_H

#include "plan/types.h"

/* What keeps sums within int32 whatever the weights are: with w the largest |weight| that a byte can hold,
 *     Σ|w| * 255 <= 2^30,  |bias| <= 2^29,  Σ w (q - 128) + 128 Σ w + bias  within int32 in any order
 * for as many products as a sum has, with those that only fill a block. */
enum {
    VGG_INT8_MAX_PRODUCTS = 32896,
    VGG_INT8_MAX_BIAS = 1 << 29,
};
/* Scales that neither overflow nor become denormal. */
#define VGG_INT8_MIN_SCALE 1e-30f
#define VGG_INT8_MAX_SCALE 1e30f

/* The stages of building a plan that are other ones for an int8 net. The weights' layout is the caller's to check;
 * everything that comes from the file's numbers is checked here. */

/* Adds the net's input as bytes, and the step that quantises the caller's. Errors: UNSUPPORTED. */
vgg_status vgg_int8_make_input(struct vgg_plan *plan, const struct vgg_node *first,
                               struct vgg_error *err);
/* Makes the step that begins at the chain's place, from step->node on, and sets step->last.
 * Errors: UNSUPPORTED (nets that are not a chain of convolution with ReLU, pools, and linear layers; layers with too
 * many products in a sum). */
vgg_status vgg_int8_make_step(struct vgg_plan *plan, const struct vgg_chain *chain,
                              struct vgg_step *step, struct vgg_error *err);
/* Adds the activation that the step makes. Returns OK. */
vgg_status vgg_int8_make_output(struct vgg_plan *plan, struct vgg_step *step,
                                struct vgg_shape shape, struct vgg_error *err);
/* Cuts each step into tasks. */
void vgg_int8_partition(struct vgg_plan *plan);
/* Reads and checks scales, biases and sums of weights. Errors: FORMAT (numbers out of range), MEMORY. */
vgg_status vgg_int8_load(struct vgg_plan *plan, struct vgg_error *err);

/* Describes algorithm, and products that are really done. */
void vgg_int8_describe(const struct vgg_plan *plan, const struct vgg_step *step, char *algorithm,
                       size_t bytes, struct vgg_step_info *info);

#endif
