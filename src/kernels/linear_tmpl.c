/* SPDX-License-Identifier: MIT */
/* Fully connected layer with row-major weights. Each sum is one vector of partial sums over k, whatever the tile, so that
 * its bits do not depend on the batch.
 *
 * One image: LINEAR_STREAMS rows are read at once, as many independent streams from memory.
 *
 * A batch: each weight is read from memory once for LINEAR_BATCH images. LINEAR_SLICE rows advance together along k, a
 * block of LINEAR_K features at a time. The block's weights stay in the second-level cache for all images, and the
 * inputs of LINEAR_IMAGES images in the first. LINEAR_ROWS rows × LINEAR_IMAGES images are summed in registers, while
 * the rows' next block is prefetched. 16-bit weights are widened once for all images.
 *
 *   r   row of the tile     p   image of the tile     k   input feature */
#include "kernels/kernels.h"
#include "kernels/vec.h"

enum { LINEAR_K = 512, LINEAR_BATCH = 64, LINEAR_GROUPS = LINEAR_BATCH / LINEAR_IMAGES };

/* How far ahead a stream prefetches. Hardware prefetchers stop at the end of a page. Of the distances from 256 bytes to
 * 8 KiB, 512 gains most, 2 %; from 2 KiB on it is slower than without. */
enum { AHEAD_BYTES = 512 };

/* In all functions below, the type is a constant where they are inlined. */
VGG_INLINE const char *weight_at(const struct vgg_linear_args *a, int row, size_t k,
                                 enum vgg_weights_type type)
{
    return (const char *)a->weight + ((size_t)row * (size_t)a->k + k) * vf_weight_bytes(type);
}

/* Completes a sum: adds the features beyond the last whole vector, all lanes and the bias, and applies ReLU. */
VGG_INLINE void finish(const struct vgg_linear_args *a, int row, int image, vf sum,
                       enum vgg_weights_type type)
{
    const size_t whole = (size_t)a->k / VF_LANES * VF_LANES, rest = (size_t)a->k - whole;
    if (rest > 0) {
        sum = vf_fma(vf_load_weights_partial(weight_at(a, row, whole, type), rest, type),
                     vf_load_partial(a->x + image * a->x_stride + whole, rest), sum);
    }
    float total = vf_sum(sum);
    if (a->bias != NULL) {
        total += a->bias[row];
    }
    /* The comparison is false for NaN, which stays. */
    if (a->relu && total <= 0) {
        total = 0;
    }
    a->y[image * a->y_stride + row] = total;
}

/* --- one image -------------------------------------------------------------------------------- */

/* `rows` is a constant where it is inlined. */
VGG_INLINE void stream(const struct vgg_linear_args *a, int row, int rows,
                       enum vgg_weights_type type)
{
    const size_t whole = (size_t)a->k / VF_LANES * VF_LANES;
    const size_t row_bytes = (size_t)a->k * vf_weight_bytes(type);
    const char *weight = weight_at(a, row, 0, type);
    vf sum[LINEAR_STREAMS];
    VGG_UNROLL
    for (int r = 0; r < rows; r++) {
        sum[r] = vf_zero();
    }
    for (size_t k = 0; k < whole; k += VF_LANES) {
        const vf x = vf_load(a->x + k);
        VGG_UNROLL
        for (int r = 0; r < rows; r++) {
            const char *at = weight + (size_t)r * row_bytes + k * vf_weight_bytes(type);
            vf_prefetch(at + AHEAD_BYTES);
            sum[r] = vf_fma(vf_load_weights(at, type), x, sum[r]);
        }
    }
    VGG_UNROLL
    for (int r = 0; r < rows; r++) {
        finish(a, row + r, 0, sum[r], type);
    }
}

/* --- a batch ---------------------------------------------------------------------------------- */

/* Some features of a slice: their float32 weights, in place or widened, from the first row on, and their inputs, from the
 * first image on. */
struct features {
    const char *weight;
    size_t row_bytes;
    const float *x;
    ptrdiff_t x_stride;
    size_t count;
};

/* Adds features to the sums of rows × images, which are constants where it is inlined. */
VGG_INLINE void tile(const struct features *f, int row, vf (*partial)[LINEAR_IMAGES], int rows,
                     int images)
{
    const char *weight = f->weight + (size_t)row * f->row_bytes;
    vf sum[LINEAR_ROWS][LINEAR_IMAGES];
    VGG_UNROLL
    for (int r = 0; r < rows; r++) {
        VGG_UNROLL
        for (int p = 0; p < images; p++) {
            sum[r][p] = partial[r][p];
        }
    }
    for (size_t k = 0; k < f->count; k += VF_LANES) {
        vf w[LINEAR_ROWS];
        VGG_UNROLL
        for (int r = 0; r < rows; r++) {
            const char *at = weight + (size_t)r * f->row_bytes + k * sizeof(float);
            w[r] = vf_load(at);
            vf_prefetch(at + LINEAR_K * sizeof(float));
        }
        VGG_UNROLL
        for (int p = 0; p < images; p++) {
            const vf v = vf_load(f->x + p * f->x_stride + k);
            VGG_UNROLL
            for (int r = 0; r < rows; r++) {
                sum[r][p] = vf_fma(w[r], v, sum[r][p]);
            }
        }
    }
    VGG_UNROLL
    for (int r = 0; r < rows; r++) {
        VGG_UNROLL
        for (int p = 0; p < images; p++) {
            partial[r][p] = sum[r][p];
        }
    }
}

/* The same for all rows and one group of images; `images` is a constant where it is inlined. */
VGG_INLINE void block(const struct features *f, int rows, vf (*partial)[LINEAR_IMAGES], int images)
{
    int r = 0;
    for (; r + LINEAR_ROWS <= rows; r += LINEAR_ROWS) {
        tile(f, r, partial + r, LINEAR_ROWS, images);
    }
    for (; r < rows; r++) {
        tile(f, r, partial + r, 1, images);
    }
}

#define BLOCK_CASE(n)                                                                              \
    case n:                                                                                        \
        block(&f, rows, partial[g], n < LINEAR_IMAGES ? n : LINEAR_IMAGES);                        \
        break;

/* Writes features k … k+count-1, whole vectors, of 16-bit weights as float32 [rows][LINEAR_K]. */
VGG_INLINE void widen(const struct vgg_linear_args *a, int row, int rows, size_t k, size_t count,
                      float *out, enum vgg_weights_type type)
{
    for (int r = 0; r < rows; r++) {
        const char *at = weight_at(a, row + r, k, type);
        for (size_t i = 0; i < count; i += VF_LANES, at += VF_LANES * sizeof(uint16_t)) {
            vf_prefetch(at + LINEAR_K * sizeof(uint16_t));
            vf_store(out + (size_t)r * LINEAR_K + i, vf_load_weights(at, type));
        }
    }
}

/* Some rows for images first … first+images-1, at most LINEAR_BATCH. */
static void slice(const struct vgg_linear_args *a, int row, int rows, int first, int images)
{
    const size_t whole = (size_t)a->k / VF_LANES * VF_LANES;
    vf partial[LINEAR_GROUPS][LINEAR_SLICE][LINEAR_IMAGES];
    float wide[LINEAR_SLICE * LINEAR_K];
    for (int p = 0; p < images; p++) {
        for (int r = 0; r < rows; r++) {
            partial[p / LINEAR_IMAGES][r][p % LINEAR_IMAGES] = vf_zero();
        }
    }
    for (size_t k = 0; k < whole; k += LINEAR_K) {
        struct features f = {.weight = weight_at(a, row, k, VGG_WEIGHTS_F32),
                             .row_bytes = (size_t)a->k * sizeof(float),
                             .x_stride = a->x_stride,
                             .count = whole - k < LINEAR_K ? whole - k : LINEAR_K};
        if (a->type != VGG_WEIGHTS_F32) {
            if (a->type == VGG_WEIGHTS_BF16) {
                widen(a, row, rows, k, f.count, wide, VGG_WEIGHTS_BF16);
            } else {
                widen(a, row, rows, k, f.count, wide, VGG_WEIGHTS_F16);
            }
            f.weight = (const char *)wide;
            f.row_bytes = LINEAR_K * sizeof(float);
        }
        for (int g = 0; g * LINEAR_IMAGES < images; g++) {
            f.x = a->x + (first + g * LINEAR_IMAGES) * a->x_stride + k;
            const int left = images - g * LINEAR_IMAGES;
            switch (left < LINEAR_IMAGES ? left : LINEAR_IMAGES) {
                BLOCK_CASE(1)
                BLOCK_CASE(2)
                BLOCK_CASE(3)
                BLOCK_CASE(4)
                BLOCK_CASE(5)
                BLOCK_CASE(6)
                BLOCK_CASE(7)
                BLOCK_CASE(8)
            }
        }
    }
    for (int p = 0; p < images; p++) {
        for (int r = 0; r < rows; r++) {
            finish(a, row + r, first + p, partial[p / LINEAR_IMAGES][r][p % LINEAR_IMAGES],
                   a->type);
        }
    }
}

/* --- both ------------------------------------------------------------------------------------- */

VGG_INLINE void one_image(const struct vgg_linear_args *a, enum vgg_weights_type type)
{
    int row = a->begin;
    for (; row + LINEAR_STREAMS <= a->end; row += LINEAR_STREAMS) {
        stream(a, row, LINEAR_STREAMS, type);
    }
    for (; row < a->end; row++) {
        stream(a, row, 1, type);
    }
}

void VGG_KERNEL(linear)(const struct vgg_linear_args *args)
{
    if (args->n == 1) {
        switch (args->type) {
        case VGG_WEIGHTS_F32:
            one_image(args, VGG_WEIGHTS_F32);
            break;
        case VGG_WEIGHTS_BF16:
            one_image(args, VGG_WEIGHTS_BF16);
            break;
        case VGG_WEIGHTS_F16:
            one_image(args, VGG_WEIGHTS_F16);
            break;
        }
        return;
    }
    for (int row = args->begin; row < args->end; row += LINEAR_SLICE) {
        const int rows = args->end - row < LINEAR_SLICE ? args->end - row : LINEAR_SLICE;
        for (int first = 0; first < args->n; first += LINEAR_BATCH) {
            const int left = args->n - first;
            slice(args, row, rows, first, left < LINEAR_BATCH ? left : LINEAR_BATCH);
        }
    }
}
