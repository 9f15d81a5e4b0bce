/* SPDX-License-Identifier: MIT */
/* Infers the description of a net from the names and shapes of its tensors. */
#ifndef VGG_MODEL_INFER_INFER_H
#define VGG_MODEL_INFER_INFER_H

#include "model/graph/tensors.h"
#include "model/infer/override.h"
#include "model/spec/cfg.h"
#include "model/spec/spec_types.h"

/* Recognises a chain of convolutions and linear layers under any names:
 *
 *   layers        convolutions [oc,ic,k,k] with BatchNorm2d, PReLU and biases as the tensors show; linear layers
 *                 [out,in] with BatchNorm1d before or after
 *   order         of the file, or of the numbers in names where the file is sorted alphabetically
 *   activations   ReLU after each layer but the last; before BatchNorm where the numbers in a Sequential show it
 *   pools         as in cfg; else in the gaps between the numbers; else as in a published net with the same
 *                 convolutions; else after each block of convolutions
 *   padding       half the kernel, or 0 where only that gives a usual input size
 *   average pool  k*k = in_features of the first linear layer / channels of the last convolution
 *
 * Fills layers, input, channels, preprocessing, labels and evidence: what names and shapes do not show is recorded as
 * an assumption.
 *   cfg        NULL: none was given
 *   overrides  what the caller gives
 * Errors: FORMAT (the tensors are no such chain), UNSUPPORTED (nothing shows where the pools are), MISMATCH (shapes
 * that contradict each other or cfg), LIMIT, MEMORY. */
vgg_status vgg_spec_infer(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                          const struct vgg_cfg *cfg, const struct vgg_overrides *overrides,
                          struct vgg_spec *out);

#endif
