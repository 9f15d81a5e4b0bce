/* SPDX-License-Identifier: MIT */
/* The grid that an int8 net's input is quantised to. */
#ifndef VGG_PACK_QUANTIZE_INPUT_GRID_H
#define VGG_PACK_QUANTIZE_INPUT_GRID_H

#include "pack/quantize/quantizer_types.h"

/* Sets quantizer->grid: exactly that of 8-bit pixels as long as no input is beside it, else one over the inputs'
 * range. */
void vgg_quantizer_make_grid(struct vgg_quantizer *quantizer);

#endif
