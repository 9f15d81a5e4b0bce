/* SPDX-License-Identifier: MIT */
/* Infers the description of a net from the names and shapes of its tensors. */
#ifndef VGG_MODEL_INFER_INFER_H
#define VGG_MODEL_INFER_INFER_H

#include "model/spec/cfg.h"
#include "model/spec/spec.h"
#include "model/graph/tensors.h"

/* Recognises any net of the form of torchvision's VGG(make_layers(cfg, batch_norm)):
 *
 *   convolutions  features.N.weight [oc,ic,k,k], k 3 or 1, stride 1 and padding k/2, each followed by
 *                 ReLU; all or none of them have BatchNorm2d, all or none a bias
 *   max pools     2x2, stride 2: as in cfg; without cfg one wherever a gap between two convolutions'
 *                 indices leaves room for one more module, and one after the last convolution, where
 *                 names cannot show it
 *   Dropout       as in cfg, and wherever the indices leave room for more modules than cfg has
 *   average pool  k*k = in_features of the first linear layer / channels of the last convolution
 *   classifier    classifier.N.weight [out,in], any indices that ReLU and Dropout can fill; or a
 *                 single linear layer named classifier
 *
 * The Sequentials may have other names, see weight_names.h. Fills these names, layers, avgpool, head, input and
 * what was assumed; name, preprocess and labels stay empty.
 *   cfg  NULL: none was given
 * Errors: FORMAT (the tensors are not a VGG's), UNSUPPORTED (a form beyond the above), MISMATCH (shapes that
 * contradict each other or cfg), LIMIT, MEMORY. */
vgg_status vgg_spec_infer_as(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                             const struct vgg_cfg *cfg, struct vgg_spec *out);

static inline vgg_status vgg_spec_infer(const struct vgg_load *load,
                                        const struct vgg_tensor_list *tensors, struct vgg_spec *out)
{
    return vgg_spec_infer_as(load, tensors, NULL, out);
}

#endif
