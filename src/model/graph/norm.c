/* SPDX-License-Identifier: MIT */
/* Reads a BatchNorm as scale and shift: scale = gamma / sqrt(var + eps), shift = beta - mean * scale. */
#include "model/graph/norm.h"

#include <math.h>

vgg_status vgg_vector_read(const struct vgg_load *load, const struct vgg_tensor *tensor,
                           float **out)
{
    *out = NULL;
    if (tensor == NULL) {
        return VGG_OK;
    }
    size_t count = (size_t)vgg_tensor_get_count(tensor);
    *out = vgg_load_alloc(load, count, sizeof **out);
    if (*out == NULL) {
        return vgg_load_fail_memory(load, count * sizeof **out, tensor->name);
    }
    vgg_tensor_read_f32(tensor, *out);
    return VGG_OK;
}

vgg_status vgg_batch_norm_read(const struct vgg_load *load, const struct vgg_batch_norm *norm,
                               double **scale, double **shift)
{
    size_t count = (size_t)norm->channels;
    float *gamma, *beta, *mean, *var;
    vgg_status status = vgg_vector_read(load, norm->weight, &gamma);
    status = status ? status : vgg_vector_read(load, norm->bias, &beta);
    status = status ? status : vgg_vector_read(load, norm->running_mean, &mean);
    status = status ? status : vgg_vector_read(load, norm->running_var, &var);
    if (status != VGG_OK) {
        return status;
    }
    *scale = vgg_load_alloc(load, count, sizeof **scale);
    *shift = vgg_load_alloc(load, count, sizeof **shift);
    if (*scale == NULL || *shift == NULL) {
        return vgg_load_fail_memory(load, count * sizeof **scale, "BatchNorm");
    }
    for (size_t c = 0; c < count; c++) {
        (*scale)[c] = (gamma != NULL ? (double)gamma[c] : 1.0) / sqrt((double)var[c] + norm->eps);
        (*shift)[c] = (beta != NULL ? (double)beta[c] : 0.0) - (double)mean[c] * (*scale)[c];
    }
    return VGG_OK;
}
