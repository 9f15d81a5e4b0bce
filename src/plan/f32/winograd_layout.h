/* SPDX-License-Identifier: MIT */
/* The layout of a Winograd convolution: tiles, scratch and groups of output channels. */
#ifndef VGG_PLAN_F32_WINOGRAD_LAYOUT_H
#define VGG_PLAN_F32_WINOGRAD_LAYOUT_H

#include "plan/types.h"

/* F(m) in one of its two forms, with about `block` tiles that are transformed together.
 *   budget_bytes  the memory budget of a low-memory plan; SIZE_MAX: none
 *   prepacked     the weights in the file, or NULL */
struct vgg_winograd_form {
    enum vgg_algorithm algorithm;
    int m, block;
    size_t budget_bytes;
    const struct vgg_prepacked *prepacked;
};

/* Lays out F(m). False if the scratch of one block does not fit: it may take a quarter of the activation limit and, in a
 * low-memory plan, what the prepacked weights leave of the budget. One block decides, so that the choice of m does not
 * depend on the number of threads. */
bool vgg_winograd_lay_out(const struct vgg_plan *plan, const struct vgg_conv_request *request,
                          const struct vgg_winograd_form *form, struct vgg_conv_choice *out);

#endif
