/* SPDX-License-Identifier: MIT */
/* Weights that are stored as two tensors, by weight_norm or prune. */
#ifndef VGG_CHECKPOINT_LOCATE_FOLD_H
#define VGG_CHECKPOINT_LOCATE_FOLD_H

#include "base/load.h"
#include "vgg/checkpoint.h"

enum vgg_fold_kind {
    VGG_FOLD_WEIGHT_NORM, /* g · v / ‖v‖, the norm over all axes on which g has one element */
    VGG_FOLD_PRUNE,       /* orig · mask */
};

/* A tensor that is computed from two others, as indices into the list of tensors. */
struct vgg_fold {
    enum vgg_fold_kind kind;
    size_t a, b; /* g and v; orig and mask */
    size_t out;
};

/* Tensors that were read, and behind them those that are computed from two others. */
struct vgg_fold_list {
    struct vgg_tensor *tensors; /* [count], with memory for twice the tensors read */
    size_t count;
    bool *hidden;           /* of the same size: whether a tensor is part of another */
    struct vgg_fold *folds; /* [fold_count], with memory for the number of tensors read */
    size_t fold_count;
};

/* Finds the pairs among the tensors by their names:
 *
 *   P_orig, P_mask                                  torch.nn.utils.prune
 *   P_g, P_v                                        torch.nn.utils.weight_norm
 *   parametrizations.P.original0, …original1        torch.nn.utils.parametrizations.weight_norm
 *
 * and appends for each a float32 tensor P of the shape of v or orig, which may be part of another pair.
 * Errors: UNSUPPORTED (spectral_norm and other parametrizations), FORMAT (parts of incompatible shapes), MEMORY. */
vgg_status vgg_folds_find(const struct vgg_load *load, struct vgg_fold_list *list);

/* Computes a tensor in float32, and its sums of squares in double precision: what torch computes if its norms are
 * exact.
 *   tensors  the list that the fold's indices refer to
 *   out      [the tensor's count]
 * Errors: MEMORY. */
vgg_status vgg_fold_compute(const struct vgg_load *load, const struct vgg_fold *fold,
                            const struct vgg_tensor *tensors, float *out);

#endif
