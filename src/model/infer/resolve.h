/* SPDX-License-Identifier: MIT */
/* Decides which description a checkpoint is read with. */
#ifndef VGG_MODEL_INFER_RESOLVE_H
#define VGG_MODEL_INFER_RESOLVE_H

#include "model/spec/spec.h"
#include "model/graph/tensors.h"

/* Takes the first of these that exists:
 *   1. spec_path, when it is not NULL; or cfg, when that is not NULL, with the names and shapes of the
 *      weights (vgg_spec_infer_as);
 *   2. the file beside the checkpoint whose name differs only in its extension, .json;
 *   3. the description inferred from names and shapes (vgg_spec_infer). If its convolutions are those of
 *      a built-in description, the name is taken from there; if the average pool's side is the same too,
 *      also its pools, input, preprocessing and, for the same number of classes, labels. A built-in
 *      description whose features do not end in a pool applies only to a checkpoint of its name;
 *   4. when names and shapes do not make a net because tensors are missing: the built-in description that
 *      shares the most tensors with the file, so that binding can list the missing ones.
 * A description need not contain the names that the Sequentials have in this checkpoint.
 * out->source is a path, "names and shapes (built-in NAME)", "names and shapes" or "cfg, names and shapes".
 * Preprocessing and input are always set.
 *   load  with the checkpoint's path
 * Errors: FORMAT, UNSUPPORTED, MISMATCH, IO, LIMIT, MEMORY. */
vgg_status vgg_spec_resolve(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                            const char *spec_path, const char *cfg, struct vgg_spec *out);

#endif
