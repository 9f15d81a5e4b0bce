/* Which description a checkpoint is read with. */
#ifndef VGG_MODEL_INFER_RESOLVE_H
#define VGG_MODEL_INFER_RESOLVE_H

#include "model/spec/spec.h"
#include "model/graph/tensors.h"

/* Takes the first there is of
 *   1. spec_path, when it is not NULL; or cfg, when that is not NULL, with the names and shapes of the
 *      weights (vgg_spec_infer_as);
 *   2. the file beside the checkpoint whose name differs only in its extension, .json;
 *   3. what names and shapes say (vgg_spec_infer). If its convolutions are those of a built-in
 *      description, that one's name is taken over; if the average pool's side is the same too, then
 *      also its pools, input, preprocessing and, for as many classes, labels. A built-in description
 *      whose features do not end in a pool applies only to a checkpoint of its name;
 *   4. when names and shapes do not say it because tensors are missing: the built-in description that
 *      asks for most of those that are there, so that binding can list what is wrong.
 * A description need not say what the Sequentials are called in this checkpoint.
 * source receives a path, "names and shapes (built-in NAME)", "names and shapes" or "cfg, names and shapes". Preprocessing and input
 * are always set.
 *   path   the checkpoint's
 *   arena  owns everything *out and *source point to
 * Errors: FORMAT, UNSUPPORTED, MISMATCH, IO, LIMIT, MEMORY. */
vgg_status vgg_spec_resolve(const char *path, const char *spec_path, const char *cfg,
                            const struct vgg_tensor_list *tensors, const struct vgg_limits *limits,
                            struct vgg_arena *arena, struct vgg_spec *out, const char **source,
                            struct vgg_error *err);

#endif
