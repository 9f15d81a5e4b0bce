/* Describes the net that a chain of weights makes. */
#ifndef VGG_MODEL_INFER_CHAIN_DESCRIBE_H
#define VGG_MODEL_INFER_CHAIN_DESCRIBE_H

#include "model/infer/chain.h"
#include "model/spec/cfg.h"
#include "model/spec/spec.h"

/* Describes it as vgg_spec_infer does. Where the pools are is told by cfg; by the places in a Sequential, where
 * there is room for them; by the convolutions, if they are a built-in net's; or, which is said to be assumed, by
 * blocks of several convolutions: one pool after each.
 * Errors: as vgg_spec_infer_as; UNSUPPORTED when nothing tells where the pools are. */
vgg_status vgg_chain_describe(const char *path, const struct vgg_chain *chain,
                              const struct vgg_tensor_list *tensors, const struct vgg_cfg *cfg,
                              const struct vgg_limits *limits, struct vgg_arena *arena,
                              struct vgg_spec *out, struct vgg_error *err);

/* Gives a description that somebody wrote the names of a chain that has as many layers. */
vgg_status vgg_chain_name(const char *path, const struct vgg_chain *chain, struct vgg_spec *spec,
                          struct vgg_error *err);

#endif
