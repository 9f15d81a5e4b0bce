/* SPDX-License-Identifier: MIT */
/* Which models can be written into a packed file. */
#ifndef VGG_PACK_PACKABLE_H
#define VGG_PACK_PACKABLE_H

#include "model/graph/graph.h"

/* Refuses models that no packed file can hold: ARGUMENT; and non-finite weights, and weights that two layers share:
 * UNSUPPORTED. */
vgg_status vgg_model_check_packable(const vgg_model *model, struct vgg_error *err);

/* Refuses a packed file without plain weights, from which every CPU can prepack: UNSUPPORTED. */
vgg_status vgg_model_check_plain(const vgg_model *model, struct vgg_error *err);

#endif
