/* SPDX-License-Identifier: MIT */
/* The weights of fully connected layers: where they are and how kernels may read them. */
#ifndef VGG_PLAN_F32_LINEAR_WEIGHTS_H
#define VGG_PLAN_F32_LINEAR_WEIGHTS_H

#include "plan/types.h"

/* A fully connected layer, of a LINEAR or of a DENSE step. */
struct vgg_linear_view {
    /* [rows][features]; [rows] or NULL */
    const struct vgg_tensor *weight, *bias;
    int rows;
    size_t features;
};
struct vgg_linear_view vgg_linear_view(const struct vgg_step *step);

/* Whether the linear and columns kernels read elements of this type, and their name for it. */
bool vgg_linear_has_kernel(enum vgg_dtype dtype);
enum vgg_weights_type vgg_linear_get_type(enum vgg_dtype dtype);

/* Whether weights are column-major, with a type and byte order that the columns kernel reads. */
bool vgg_is_column_major(const struct vgg_tensor *weight);

/* Whether the linear or the columns kernel can read the weights where they are in the file. */
bool vgg_linear_is_in_place(const struct vgg_step *step);

/* Sets the weights of a task that computes rows begin … end-1. If they are neither in place nor copied, these rows are
 * read into `slice`, and `args` is changed to count rows from there. */
void vgg_linear_provide(const struct vgg_step *step, float *slice, struct vgg_linear_args *args);

/* Reads rows begin … end-1 as float32, with BatchNorm folded in. */
void vgg_linear_read(const struct vgg_step *step, int begin, int end, float *rows);

/* Sets the size of the weights, copied or read by slices. */
void vgg_linear_size_weights(const struct vgg_plan *plan, struct vgg_step *step);

/* Reads all rows as float32, with the pool's threads. */
void vgg_linear_copy(const struct vgg_step *step, struct vgg_pool *pool, float *weight);

#endif
