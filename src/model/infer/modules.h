/* SPDX-License-Identifier: MIT */
/* Completes a description from the modules in a checkpoint, which contain more than names and shapes. */
#ifndef VGG_MODEL_INFER_MODULES_H
#define VGG_MODEL_INFER_MODULES_H

#include "model/spec/spec.h"
#include "vgg/checkpoint.h"

/* Compares a description with the modules of a whole module or TorchScript archive; does nothing if the file has
 * no modules. Strides, paddings, pools and BatchNorm's eps, which names and shapes cannot show, are taken from
 * the modules if the description was inferred, and must agree with them if a user wrote it. May change
 * spec->source.
 * Errors: UNSUPPORTED (a layer that VGGs do not have, or with other settings than a VGG's), MISMATCH (another
 * layer than in the description), MEMORY. */
vgg_status vgg_spec_apply_modules(const vgg_checkpoint *checkpoint, struct vgg_arena *arena,
                                  struct vgg_spec *spec, struct vgg_error *err);

#endif
