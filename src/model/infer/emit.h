/* SPDX-License-Identifier: MIT */
/* Makes the layers of a net from its outline and a hypothesis about what the outline leaves open. */
#ifndef VGG_MODEL_INFER_EMIT_H
#define VGG_MODEL_INFER_EMIT_H

#include "model/infer/outline.h"
#include "model/infer/override.h"
#include "model/spec/spec_types.h"

/* What names and shapes cannot show. All false and 0 is the usual net. */
struct vgg_hypothesis {
    /* Convolutions have no padding, instead of half the kernel. */
    bool no_padding;
    /* No pool after the last convolution. */
    bool no_last_pool;
    /* The single place between two convolutions is a pool's, instead of an activation's. */
    bool single_is_pool;
    /* A pool after each convolution whose gap is unknown. */
    bool pool_each;
    /* The classifier takes the mean of all pixels, whatever the input's size. */
    bool global_pool;
};

struct vgg_emit_options {
    struct vgg_hypothesis hypothesis;
    const struct vgg_overrides *overrides;
};

/* Sets the layers, and the input's channels.
 *   spec  receives them; its input size is used where the features are no square
 * Errors: LIMIT, MEMORY. */
vgg_status vgg_emit(const struct vgg_load *load, const struct vgg_outline *outline,
                    const struct vgg_emit_options *options, struct vgg_spec *spec);

/* The number of pixels of each channel that the classifier takes; 0: its features are no multiple of the channels, or it
 * has no linear layer. */
int vgg_outline_get_area(const struct vgg_outline *outline);

/* The side of a square with this area; 0: it is none. */
int vgg_area_get_side(int area);

#endif
