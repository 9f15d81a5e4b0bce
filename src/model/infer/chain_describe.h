/* SPDX-License-Identifier: MIT */
/* Describes the net that a chain of weights makes. */
#ifndef VGG_MODEL_INFER_CHAIN_DESCRIBE_H
#define VGG_MODEL_INFER_CHAIN_DESCRIBE_H

#include "model/infer/chain.h"
#include "model/spec/cfg.h"
#include "model/spec/spec.h"

/* Describes the net as vgg_spec_infer does. The places of the pools come from cfg; else from the indices in a
 * Sequential, where these leave room for a pool; else from a built-in net with the same convolutions; else from
 * blocks of several convolutions, with one pool after each block, which is listed as an assumption.
 * Errors: as vgg_spec_infer_as; UNSUPPORTED when nothing shows where the pools are. */
vgg_status vgg_chain_describe(const struct vgg_load *load, const struct vgg_chain *chain,
                              const struct vgg_tensor_list *tensors, const struct vgg_cfg *cfg,
                              struct vgg_spec *out);

/* Copies the names of a chain's layers into a description that a user wrote and that has as many layers.
 * Errors: MISMATCH. */
vgg_status vgg_chain_name(const char *path, const struct vgg_chain *chain, struct vgg_spec *spec,
                          struct vgg_error *err);

#endif
