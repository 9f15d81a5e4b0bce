/* SPDX-License-Identifier: MIT */
/* Finds blocks of convolutions in their names: "conv1_1, conv1_2, conv2_1 …". */
#ifndef VGG_MODEL_INFER_BLOCKS_H
#define VGG_MODEL_INFER_BLOCKS_H

#include "model/infer/outline.h"

struct vgg_blocks {
    size_t count;
    /* The beginning of the first block's name. */
    const char *name;
    int length;
};

/* Finds the blocks, and sets the gaps that names do not show: a pool after each block, none inside. Convolutions are in
 * one block if the first of the two numbers in their names is the same, or if they are in the same Sequential. False,
 * and nothing changed, if there is a single block, or one for each convolution. */
bool vgg_blocks_take_pools(struct vgg_outline *outline, struct vgg_blocks *out);

/* Whether a gap between two convolutions is unknown. */
bool vgg_outline_has_unknown(const struct vgg_outline *outline);

#endif
