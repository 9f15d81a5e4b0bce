/* SPDX-License-Identifier: MIT */
/* Refuses weights that cannot be used: NaN, infinities, and tensors that repeat the same bytes of the file. */
#ifndef VGG_MODEL_GRAPH_CHECK_WEIGHTS_H
#define VGG_MODEL_GRAPH_CHECK_WEIGHTS_H

#include "model/graph/build.h"

/* Refuses NaN, infinities and negative variances: UNSUPPORTED.
 *   all  true: every element; false: at most about a thousand elements of each tensor, spread from the first to
 *        the last, so that most pages of the file are not read */
vgg_status vgg_graph_check_numbers(const char *path, const struct vgg_graph *graph, bool all,
                                   struct vgg_error *err);

/* Refuses weights that are much larger than their bytes in the file, by strides of 0 or by sharing the same
 * bytes: LIMIT. Also MEMORY. */
vgg_status vgg_graph_check_memory(const char *path, const struct vgg_graph *graph,
                                  const struct vgg_limits *limits, struct vgg_arena *arena,
                                  struct vgg_error *err);

#endif
