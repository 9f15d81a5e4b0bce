/* SPDX-License-Identifier: MIT */
/* Decides which description a checkpoint is read with. */
#ifndef VGG_MODEL_INFER_RESOLVE_H
#define VGG_MODEL_INFER_RESOLVE_H

#include "checkpoint/checkpoint.h"
#include "model/graph/tensors.h"
#include "model/infer/override.h"
#include "model/spec/spec_types.h"

/* What the caller gives. */
struct vgg_request {
    /* A JSON description; NULL: none. */
    const char *spec_path;
    /* A list of layers; NULL: none. */
    const char *cfg;
    struct vgg_overrides overrides;
    /* The file, for its modules; NULL: there are none. */
    const struct vgg_checkpoint *checkpoint;
    /* [constant_count] its buffers that are mean or std of a normalisation, which are not among the tensors. */
    const struct vgg_tensor *const *constants;
    size_t constant_count;
};

/* Takes the first of these that exists:
 *   1. the caller's description; or the caller's cfg with the names and shapes of the weights (vgg_spec_infer);
 *   2. the file beside the checkpoint whose name differs only in its extension, .json;
 *   3. the description that the file's modules make, or that is inferred from names and shapes;
 *   4. when names and shapes do not make a net because tensors are missing: the published net that shares the most
 *      tensors with the file, so that binding can list the missing ones.
 * The layers of a description get the names that they have in this checkpoint.
 * out->source is a path, "names and shapes (built-in NAME)", "names, shapes and modules", "names and shapes" or
 * "cfg, names and shapes".
 * Preprocessing and input are always set.
 *   load  with the checkpoint's path
 * Errors: FORMAT, UNSUPPORTED, MISMATCH, IO, LIMIT, MEMORY. */
vgg_status vgg_spec_resolve(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                            const struct vgg_request *request, struct vgg_spec *out);

#endif
