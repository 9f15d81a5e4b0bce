/* SPDX-License-Identifier: MIT */
/* Weights that are kept in two parts: weight_norm's and prune's. */
#ifndef VGG_CHECKPOINT_LOCATE_FOLD_H
#define VGG_CHECKPOINT_LOCATE_FOLD_H

#include "base/mem.h"
#include "base/status.h"
#include "vgg/checkpoint.h"

enum vgg_fold_kind {
    VGG_FOLD_WEIGHT_NORM, /* g · v / ‖v‖, the norm over all axes on which g has one element */
    VGG_FOLD_PRUNE,       /* orig · mask */
};

/* A tensor that is computed from two others: indices into the list it was found in. */
struct vgg_fold {
    enum vgg_fold_kind kind;
    size_t a, b; /* g and v; orig and mask */
    size_t out;
};

/* Finds the pairs among count tensors by their names:
 *
 *   P_orig, P_mask                                  torch.nn.utils.prune
 *   P_g, P_v                                        torch.nn.utils.weight_norm
 *   parametrizations.P.original0, …original1        torch.nn.utils.parametrizations.weight_norm
 *
 * and appends for each a float32 tensor P of the shape of v or orig, which may be a part of another pair.
 *   tensors  [capacity], of which count are there; room for as many more
 *   hidden   [capacity]: set for the parts
 *   folds    [count]
 * Errors: UNSUPPORTED (spectral_norm and other parametrizations, by what they are), FORMAT (parts whose
 * shapes do not go together), MEMORY. */
vgg_status vgg_folds_find(struct vgg_tensor *tensors, size_t *count, bool *hidden,
                          struct vgg_fold *folds, size_t *fold_count, const char *path,
                          struct vgg_arena *arena, struct vgg_error *err);

/* Computes one, in float32 but for the sum of squares, which is of double precision: what torch computes
 * if its norms are exact.
 *   out        [the tensor's count]
 *   allocator  of what is needed meanwhile
 * Errors: MEMORY. */
vgg_status vgg_fold_compute(const struct vgg_fold *fold, const struct vgg_tensor *tensors,
                            float *out, const char *path, const struct vgg_allocator *allocator,
                            struct vgg_error *err);

#endif
