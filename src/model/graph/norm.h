/* BatchNorm as scale and shift. */
#ifndef VGG_MODEL_GRAPH_NORM_H
#define VGG_MODEL_GRAPH_NORM_H

#include "base/mem.h"
#include "model/graph/graph.h"

/* What a BatchNorm does to each channel, y = x * scale + shift, in double precision.
 *   scale, shift  receive [norm->channels], the arena's
 * Errors: MEMORY. */
vgg_status vgg_batch_norm_read(const struct vgg_batch_norm *norm, const char *path,
                               struct vgg_arena *arena, double **scale, double **shift,
                               struct vgg_error *err);

/* The float32 values of a vector, in the arena; NULL for an absent one. Errors: MEMORY. */
vgg_status vgg_vector_read(const struct vgg_tensor *tensor, const char *path,
                           struct vgg_arena *arena, float **out, struct vgg_error *err);

/* The weights of one output channel [count] and its bias, with the BatchNorm after it folded in. The same
 * rounding wherever a net is folded, so that all its forms give the same bits. */
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
