/* From the names and shapes of a checkpoint's tensors to the description of the net. */
#ifndef VGG_MODEL_INFER_INFER_H
#define VGG_MODEL_INFER_INFER_H

#include "model/spec/cfg.h"
#include "model/spec/spec.h"
#include "model/graph/tensors.h"

/* Recognises any net of the form of torchvision's VGG(make_layers(cfg, batch_norm)):
 *
 *   convolutions  features.N.weight [oc,ic,k,k], k 3 or 1, stride 1 and padding k/2, each followed by
 *                 ReLU; all or none of them have BatchNorm2d, all or none a bias
 *   max pools     2x2, stride 2: as cfg has them; without cfg one wherever a gap between two
 *                 convolutions' indices leaves room for one more module, and one after the last
 *                 convolution, where names cannot tell
 *   Dropout       as cfg has it, and wherever cfg has fewer modules than there is room
 *   average pool  k*k = in_features of the first linear layer / channels of the last convolution
 *   classifier    classifier.N.weight [out,in], any indices that ReLU and Dropout can fill; or a
 *                 single linear layer named classifier
 *
 * The Sequentials may have other names (names.h). Fills these, layers, avgpool, head, input and what was
 * assumed; leaves name, preprocess and labels cleared.
 *   path   the checkpoint's, for messages
 *   cfg    NULL: not known
 *   arena  owns the arrays
 * Errors: FORMAT (no VGG to be seen), UNSUPPORTED (a form beyond the above), MISMATCH (shapes that
 * cannot go together or do not fit cfg), LIMIT, MEMORY. */
vgg_status vgg_spec_infer_as(const char *path, const struct vgg_tensor_list *tensors,
                             const struct vgg_cfg *cfg, const struct vgg_limits *limits,
                             struct vgg_arena *arena, struct vgg_spec *out, struct vgg_error *err);

static inline vgg_status vgg_spec_infer(const char *path, const struct vgg_tensor_list *tensors,
                                        const struct vgg_limits *limits, struct vgg_arena *arena,
                                        struct vgg_spec *out, struct vgg_error *err)
{
    return vgg_spec_infer_as(path, tensors, NULL, limits, arena, out, err);
}

#endif
