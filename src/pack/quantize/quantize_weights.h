/* SPDX-License-Identifier: MIT */
/* Quantising weights. */
#ifndef VGG_PACK_QUANTIZE_QUANTIZE_WEIGHTS_H
#define VGG_PACK_QUANTIZE_QUANTIZE_WEIGHTS_H

#include "pack/quantize/quantizer_types.h"

/* Quantises all weights. progress is called after each layer. */
vgg_status vgg_quantizer_quantize_weights(struct vgg_quantizer *quantizer,
                                          vgg_progress_fn *progress, void *user, int total,
                                          struct vgg_error *err);

#endif
