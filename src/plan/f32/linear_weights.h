/* SPDX-License-Identifier: MIT */
/* The weights of fully connected layers, and how kernels may read them. */
#ifndef VGG_PLAN_F32_LINEAR_WEIGHTS_H
#define VGG_PLAN_F32_LINEAR_WEIGHTS_H

#include "plan/types.h"

/* A fully connected layer, whether it moves over an image or not. */
struct vgg_linear_view {
    const struct vgg_tensor *weight, *bias; /* [rows][features]; [rows] or NULL */
    int rows;
    size_t features;
};
struct vgg_linear_view vgg_linear_view(const struct vgg_step *step);
/* Whether the linear and columns kernels read elements of this type, and what they call it. */
bool vgg_linear_has_kernel(enum vgg_dtype dtype);
enum vgg_weights_type vgg_linear_get_type(enum vgg_dtype dtype);
/* Whether weights are column-major, of a type and byte order that the columns kernel reads. */
bool vgg_is_column_major(const struct vgg_tensor *weight);
/* Whether its weights can be read where they are in the file, by the linear kernel or by the columns kernel. */
bool vgg_linear_is_in_place(const struct vgg_step *step);
/* Sets the weights of a task that computes rows begin … end-1 of all; where they are neither in place nor
 * copied, these rows are read into `slice`, and the task is changed to compute nothing but them. */
void vgg_linear_provide(const struct vgg_step *step, float *slice, struct vgg_linear_args *args);

/* Reads rows begin … end-1 as float32, with BatchNorm folded in. */
void vgg_linear_read(const struct vgg_step *step, int begin, int end, float *rows);

/* Sets how much memory the weights take, copied or read by slices. */
void vgg_linear_size_weights(const struct vgg_plan *plan, struct vgg_step *step);
/* Reads all rows, with the pool. */
void vgg_linear_copy(const struct vgg_step *step, struct vgg_pool *pool, float *weight);

#endif
