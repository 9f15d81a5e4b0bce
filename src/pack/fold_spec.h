/* SPDX-License-Identifier: MIT */
/* The description of a net whose BatchNorm is folded into the layers before it. */
#ifndef VGG_PACK_FOLD_SPEC_H
#define VGG_PACK_FOLD_SPEC_H

#include "base/mem.h"
#include "model/spec/spec.h"

/* The same net without BatchNorm, whose shift becomes the bias of the layer before it, whose numbers in a Sequential close up.
 *   path   for messages
 *   out    shares with spec all but what the arena owns
 * Errors: MEMORY. */
vgg_status vgg_spec_fold(const char *path, const struct vgg_spec *spec, struct vgg_arena *arena,
                         struct vgg_spec *out, struct vgg_error *err);

#endif
