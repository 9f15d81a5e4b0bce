/* SPDX-License-Identifier: MIT */
/* Building plans of int8 nets: bytes between all steps, integer sums, float32 logits.
 *
 *   image ─ quantise ─► bytes ─ conv, ReLU (, max-pool) ─► bytes … linear, ReLU ─► bytes ─ linear ─► logits
 *
 * Weights are read in place in the file. Biases, sums and scales are copied and checked, so that no file can make a sum
 * overflow. */
#ifndef VGG_PLAN_INT8_INT8_BUILD_H
#define VGG_PLAN_INT8_INT8_BUILD_H

#include "plan/types.h"

/* Limits that keep sums within int32 whatever the weights are. With w the largest |weight| of a byte,
 *     Σ|w| * 255 <= 2^30,  |bias| <= 2^29,  Σ w (q - 128) + 128 Σ w + bias  within int32 in any order
 * for this number of products, including those with padding channels. */
enum {
    VGG_INT8_MAX_PRODUCTS = 32896,
    VGG_INT8_MAX_BIAS = 1 << 29,
};
/* With scales in this range, results neither overflow nor become denormal. */
#define VGG_INT8_MIN_SCALE 1e-30f
#define VGG_INT8_MAX_SCALE 1e30f

/* The stages of building a plan that differ for int8 nets. The caller has checked the layout of the weights; numbers from
 * the file are checked here. */

/* Adds the activation of the net's input, and the step that quantises the caller's input. Errors: UNSUPPORTED. */
vgg_status vgg_int8_make_input(struct vgg_plan *plan, const struct vgg_node *first,
                               struct vgg_error *err);
/* Makes the step that begins at the chain's position with step->node, and sets step->last.
 * Errors: UNSUPPORTED (the net is not a chain of convolutions with ReLU, pools, and linear layers; a sum has too many
 * products). */
vgg_status vgg_int8_make_step(struct vgg_plan *plan, const struct vgg_chain *chain,
                              struct vgg_step *step, struct vgg_error *err);
/* Adds the activation that the step produces. Returns OK. */
vgg_status vgg_int8_make_output(struct vgg_plan *plan, struct vgg_step *step,
                                struct vgg_shape shape, struct vgg_error *err);
/* Cuts each step into tasks. */
void vgg_int8_partition(struct vgg_plan *plan);
/* Reads and checks scales, biases and sums of weights. Errors: FORMAT (a number is out of range), MEMORY. */
vgg_status vgg_int8_load(struct vgg_plan *plan, struct vgg_error *err);

/* Describes a step's algorithm and the products that it computes, padding included. */
void vgg_int8_describe(const struct vgg_plan *plan, const struct vgg_step *step, char *algorithm,
                       size_t bytes, struct vgg_step_info *info);

#endif
