/* SPDX-License-Identifier: MIT */
/* Reads a BatchNorm as scale and shift: scale = gamma / sqrt(var + eps), shift = beta - mean * scale. */
#include "model/graph/norm.h"

#include <math.h>

vgg_status vgg_vector_read(const struct vgg_tensor *tensor, const char *path,
                           struct vgg_arena *arena, float **out, struct vgg_error *err)
{
    *out = NULL;
    if (tensor == NULL) {
        return VGG_OK;
    }
    size_t count = (size_t)vgg_tensor_get_count(tensor);
    *out = vgg_arena_alloc(arena, count, sizeof **out);
    if (*out == NULL) {
        return vgg_fail_memory(err, path, count * sizeof **out, tensor->name);
    }
    vgg_tensor_read_f32(tensor, *out);
    return VGG_OK;
}

vgg_status vgg_batch_norm_read(const struct vgg_batch_norm *norm, const char *path,
                               struct vgg_arena *arena, double **scale, double **shift,
                               struct vgg_error *err)
{
    size_t count = (size_t)norm->channels;
    float *gamma, *beta, *mean, *var;
    vgg_status status = vgg_vector_read(norm->weight, path, arena, &gamma, err);
    status = status ? status : vgg_vector_read(norm->bias, path, arena, &beta, err);
    status = status ? status : vgg_vector_read(norm->running_mean, path, arena, &mean, err);
    status = status ? status : vgg_vector_read(norm->running_var, path, arena, &var, err);
    if (status != VGG_OK) {
        return status;
    }
    *scale = vgg_arena_alloc(arena, count, sizeof **scale);
    *shift = vgg_arena_alloc(arena, count, sizeof **shift);
    if (*scale == NULL || *shift == NULL) {
        return vgg_fail_memory(err, path, count * sizeof **scale, "BatchNorm");
    }
    for (size_t c = 0; c < count; c++) {
        (*scale)[c] = (gamma != NULL ? (double)gamma[c] : 1.0) / sqrt((double)var[c] + norm->eps);
        (*shift)[c] = (beta != NULL ? (double)beta[c] : 0.0) - (double)mean[c] * (*scale)[c];
    }
    return VGG_OK;
}
