/* SPDX-License-Identifier: MIT */
/* The grid that an int8 net's input is quantised to. */
#ifndef VGG_PACK_QUANTIZE_INPUT_GRID_H
#define VGG_PACK_QUANTIZE_INPUT_GRID_H

#include "pack/quantize/quantizer_types.h"

/* Sets quantizer->grid: that of 8-bit pixels, or a grid over the range of the inputs if one was off it. */
void vgg_quantizer_make_grid(struct vgg_quantizer *quantizer);

#endif
