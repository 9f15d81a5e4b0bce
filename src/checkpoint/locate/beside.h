/* SPDX-License-Identifier: MIT */
/* What stands beside a net in the same dict or module: training state, constants, layers on top of it. */
#ifndef VGG_CHECKPOINT_LOCATE_BESIDE_H
#define VGG_CHECKPOINT_LOCATE_BESIDE_H

#include "checkpoint/locate/search.h"

enum vgg_beside {
    /* The net's own. */
    VGG_BESIDE_NONE,
    /* Of losses, metrics and averages: no part of a net. */
    VGG_BESIDE_STATE,
    /* Of another net that was found. */
    VGG_BESIDE_OTHER_NET,
    /* Mean or standard deviation of a normalisation of the input. */
    VGG_BESIDE_CONSTANT,
    /* Of layers on top of the net. */
    VGG_BESIDE_LAYER,
};

/* What a tensor is to a candidate, by its name. */
enum vgg_beside vgg_beside_get(const struct vgg_search *search,
                               const struct vgg_candidate *candidate, const char *name);

/* Whether there are layers on top of a candidate: linear layers and BatchNorm1d, the first of which takes the
 * candidate's output.
 *   tensors  of the candidate's source
 * Errors: UNSUPPORTED with the first tensor beside the net that is none of these, so that a part of a larger net is not
 * taken for the whole. */
vgg_status vgg_beside_find_layers(const struct vgg_search *search,
                                  const struct vgg_candidate *candidate,
                                  const struct vgg_named_list *tensors, bool *found);

#endif
