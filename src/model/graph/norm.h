/* SPDX-License-Identifier: MIT */
/* Reads a BatchNorm as one scale and one shift per channel. */
#ifndef VGG_MODEL_GRAPH_NORM_H
#define VGG_MODEL_GRAPH_NORM_H

#include "base/load.h"
#include "model/graph/graph.h"

/* Computes a BatchNorm's scale and shift, y = x * scale + shift, in double precision.
 *   scale, shift  receive [norm->channels] in the arena
 * Errors: MEMORY. */
vgg_status vgg_batch_norm_read(const struct vgg_load *load, const struct vgg_batch_norm *norm,
                               double **scale, double **shift);

/* Reads a vector as float32 into the arena. *out is NULL when the tensor is. Errors: MEMORY. */
vgg_status vgg_vector_read(const struct vgg_load *load, const struct vgg_tensor *tensor,
                           float **out);

/* Fold a BatchNorm into the weights [count] and the bias of one output channel. All code that folds uses these
 * two functions, so that every form of the weights is rounded to the same bits. */
static inline void vgg_fold_weights(float *weights, size_t count, double scale)
{
    for (size_t i = 0; i < count; i++) {
        weights[i] = (float)((double)weights[i] * scale);
    }
}
static inline float vgg_fold_bias(double bias, double scale, double shift)
{
    return (float)(bias * scale + shift);
}

#endif
