/* SPDX-License-Identifier: MIT */
/* The description of a net whose BatchNorm is folded into the layers before it. */
#ifndef VGG_PACK_FOLD_SPEC_H
#define VGG_PACK_FOLD_SPEC_H

#include "base/load.h"
#include "model/spec/spec.h"

/* The same net without the BatchNorm after convolutions and linear layers, whose shift becomes their bias. The numbers in
 * a Sequential close up.
 *   out  shares with spec all but what the arena owns
 * Errors: MEMORY. */
vgg_status vgg_spec_fold(const struct vgg_load *load, const struct vgg_spec *spec,
                         struct vgg_spec *out);

#endif
