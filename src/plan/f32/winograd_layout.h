/* SPDX-License-Identifier: MIT */
/* How Winograd convolution is laid out: tiles, scratch and groups of output channels. */
#ifndef VGG_PLAN_F32_WINOGRAD_LAYOUT_H
#define VGG_PLAN_F32_WINOGRAD_LAYOUT_H

#include "plan/types.h"

/* F(m) in one of its two forms, with about `block` tiles transformed together.
 *   budget_bytes  of a plan for low memory; SIZE_MAX: without bounds
 *   prepacked     the weights in the file, or NULL */
struct vgg_winograd_form {
    enum vgg_algorithm algorithm;
    int m, block;
    size_t budget_bytes;
    const struct vgg_prepacked *prepacked;
};

/* Lays out F(m). False where no block's scratch fits: it may take a quarter of what the limit leaves for
 * activations and, in a plan for low memory, what its prepacked weights leave of the budget. One block decides, so
 * that the choice of m does not depend on the threads. */
bool vgg_winograd_lay_out(const struct vgg_plan *plan, const struct vgg_conv_request *request,
                          const struct vgg_winograd_form *form, struct vgg_conv_choice *out);

#endif
