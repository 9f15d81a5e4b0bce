/* What the modules in a checkpoint say of the net beyond names and shapes. */
#ifndef VGG_MODEL_INFER_MODULES_H
#define VGG_MODEL_INFER_MODULES_H

#include "model/spec/spec.h"
#include "vgg/checkpoint.h"

/* Compares a description with the modules of a whole module or TorchScript archive; without any, does
 * nothing. What names and shapes cannot tell (strides, paddings, pools, BatchNorm's eps) is taken from the
 * modules if the description was inferred, and must agree with them if somebody wrote it.
 *   source  where it is from; may be changed
 * Errors: UNSUPPORTED (a layer that is none of a VGG's, or not as VGG has it), MISMATCH (a layer that is not
 * what the description has), MEMORY. */
vgg_status vgg_spec_apply_modules(const vgg_checkpoint *checkpoint, struct vgg_arena *arena,
                                  struct vgg_spec *spec, const char **source,
                                  struct vgg_error *err);

#endif
