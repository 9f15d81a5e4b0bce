/* SPDX-License-Identifier: MIT */
/* The description of a net after BatchNorm is folded into the layers before it. */
#ifndef VGG_PACK_FOLD_SPEC_H
#define VGG_PACK_FOLD_SPEC_H

#include "base/load.h"
#include "model/spec/spec.h"

/* Describes the same net without BatchNorm, whose shift becomes the bias of the layer before it, with torchvision's
 * names.
 *   out  shares with spec everything that the arena does not own
 * Errors: MEMORY. */
vgg_status vgg_spec_fold(const struct vgg_load *load, const struct vgg_spec *spec,
                         struct vgg_spec *out);

#endif
