/* SPDX-License-Identifier: MIT */
/* Fully connected layer with column-major weights (kernels.h): the weights of inputs that are not listed are not read.
 *
 * Few images: a pass reads the columns of STREAMS slices at once, as many streams from memory. A core reads 14 GB/s from
 * one stream, 16 from eight. The sums of a block of inputs stay in the first-level cache, and each passes through a
 * register for STEP inputs at a time. Even with eight images this is faster than keeping sums in registers, where
 * reading and computing take turns: while it waits for memory the processor has no buffers left for loads from the
 * second-level cache.
 *
 * Many images: COLUMNS_VECTORS × COLUMNS_IMAGES sums stay in registers for a block of inputs, whose weights were
 * prefetched into the second-level cache while earlier blocks were computed.
 *
 *   i   position in a list     s   slice     v   vector of rows     p   image of the tile */
#include "kernels/kernels.h"
#include "kernels/vec.h"

enum {
    /* Of a column. */
    VECTORS = VGG_COLUMNS_ROWS / VF_LANES,
    STREAMS = VGG_COLUMNS_STREAMS,
    STEP = 4,
    /* Inputs from the one being multiplied to the one whose weights are prefetched: of several slices, of one. */
    AHEAD = 16,
    AHEAD_ALONE = 128,
    /* The same in bytes for a block that lists all inputs: 512 is fastest, by 6 % compared with 4 KiB. */
    AHEAD_BYTES = 512,
    LINE_BYTES = 64,
};

/* The inputs of one tile of images. */
struct list {
    const int32_t *ends, *k;
    int blocks;
    int count;
    const float *x;
};

static struct list list_of(const struct vgg_columns_args *a, int tile)
{
    const int blocks = (a->k + VGG_COLUMNS_BLOCK - 1) / VGG_COLUMNS_BLOCK;
    const int32_t *ends = a->lists + tile * a->list_stride;
    return (struct list){.ends = ends,
                         .k = ends + blocks,
                         .blocks = blocks,
                         .count = ends[blocks - 1],
                         .x = a->x + tile * a->x_stride};
}

/* Adds the bias, applies ReLU, and stores the slice's real rows. */
static void finish(const struct vgg_columns_args *a, int slice, int image, const float *sums)
{
    const int first = slice * VGG_COLUMNS_ROWS;
    float *y = a->y + image * a->y_stride + first;
    for (int row = 0; row < VGG_COLUMNS_ROWS && row < a->rows - first; row += VF_LANES) {
        const int left = a->rows - first - row;
        /* Makes 0 of -0, which depends on the list. */
        vf sum = vf_add(vf_load(sums + row), vf_zero());
        if (a->bias != NULL) {
            const float *bias = a->bias + first + row;
            sum =
                vf_add(sum, left < VF_LANES ? vf_load_partial(bias, (size_t)left) : vf_load(bias));
        }
        sum = a->relu ? vf_relu(sum) : sum;
        if (left < VF_LANES) {
            vf_store_partial(y + row, sum, (size_t)left);
        } else {
            vf_store(y + row, sum);
        }
    }
}

/* In all functions below, the type is a constant where they are inlined. */

VGG_INLINE const char *weight_at(const struct vgg_columns_args *a, int slice,
                                 enum vgg_weights_type type)
{
    const size_t column = VGG_COLUMNS_ROWS * vf_weight_bytes(type);
    return (const char *)a->weight + (size_t)slice * (size_t)a->k * column;
}

/* Prefetches `bytes`, a constant where it is inlined. */
VGG_INLINE void fetch(const char *at, size_t bytes)
{
    VGG_UNROLL
    for (size_t line = 0; line < bytes; line += LINE_BYTES) {
        vf_prefetch(at + line);
    }
}

/* --- few images ----------------------------------------------------------------------------- */

/* Adds inputs i … i + step - 1 of some slices to the sums. step is a constant where it is inlined, and so is `images` if
 * it is 1.
 *   sums  [slices][images][64] */
VGG_INLINE void advance(const struct vgg_columns_args *a, const struct list *list, int i,
                        const char *weight, int slices, int images, float *sums, int step,
                        enum vgg_weights_type type)
{
    const size_t vector = VF_LANES * vf_weight_bytes(type), column = VECTORS * vector;
    const int tile = images > 1 ? VGG_COLUMNS_TILE : 1;
    const int next = i + AHEAD + step <= list->count ? i + AHEAD : i;
    const float *x = list->x + (ptrdiff_t)i * tile;
    const char *at[STEP], *ahead[STEP];
    VGG_UNROLL
    for (int j = 0; j < step; j++) {
        at[j] = weight + (size_t)list->k[i + j] * column;
        ahead[j] = weight + (size_t)list->k[next + j] * column;
    }
    for (int s = 0; s < slices; s++, sums += images * VGG_COLUMNS_ROWS) {
        const size_t slice = (size_t)s * (size_t)a->k * column;
        VGG_UNROLL
        for (size_t line = 0; line < column; line += LINE_BYTES) {
            VGG_UNROLL
            for (int j = 0; j < step; j++) {
                vf_prefetch(ahead[j] + slice + line);
            }
        }
        VGG_UNROLL_8
        for (int v = 0; v < VECTORS; v++) {
            vf w[STEP];
            VGG_UNROLL
            for (int j = 0; j < step; j++) {
                w[j] = vf_load_weights(at[j] + slice + (size_t)v * vector, type);
            }
            for (int p = 0; p < images; p++) {
                float *to = sums + p * VGG_COLUMNS_ROWS + v * VF_LANES;
                vf sum = vf_load(to);
                VGG_UNROLL
                for (int j = 0; j < step; j++) {
                    sum = vf_fma(w[j], vf_set1(x[j * tile + p]), sum);
                }
                vf_store(to, sum);
            }
        }
    }
}

/* Adds all inputs of a whole block, of one image, for some slices. It reads a line of each slice in turn, which is how
 * hardware prefetchers follow streams best.
 *   weight  of the block's first input
 *   sums    [slices][64] */
VGG_INLINE void advance_block(const struct vgg_columns_args *a, const float *x, const char *weight,
                              int slices, float *sums, enum vgg_weights_type type)
{
    const size_t vector = VF_LANES * vf_weight_bytes(type), column = VECTORS * vector;
    const size_t slice = (size_t)a->k * column;
    for (int i = 0; i < VGG_COLUMNS_BLOCK; i++, weight += column) {
        const vf value = vf_set1(x[i]);
        for (size_t line = 0; line < column; line += LINE_BYTES) {
            const char *at = weight + line;
            float *to = sums + line / vf_weight_bytes(type);
            for (int s = 0; s < slices; s++, at += slice, to += VGG_COLUMNS_ROWS) {
                vf_prefetch(at + AHEAD_BYTES);
                for (int v = 0; v < (int)(LINE_BYTES / vector); v++) {
                    const vf w = vf_load_weights(at + (size_t)v * vector, type);
                    float *sum = to + v * VF_LANES;
                    vf_store(sum, vf_fma(w, value, vf_load(sum)));
                }
            }
        }
    }
}

/* Some slices for all images. */
VGG_INLINE void stream(const struct vgg_columns_args *a, int first, int slices, int images,
                       enum vgg_weights_type type)
{
    const struct list list = list_of(a, 0);
    const size_t column = VGG_COLUMNS_ROWS * vf_weight_bytes(type);
    const char *weight = weight_at(a, first, type);
    const int count = slices * images * VGG_COLUMNS_ROWS;
    float totals[STREAMS * VGG_COLUMNS_TILE * VGG_COLUMNS_ROWS];
    float sums[STREAMS * VGG_COLUMNS_TILE * VGG_COLUMNS_ROWS];
    for (int j = 0; j < count; j++) {
        totals[j] = 0;
    }
    for (int block = 0, i = 0; block < list.blocks; block++) {
        for (int j = 0; j < count; j++) {
            sums[j] = 0;
        }
        if (images == 1 && list.ends[block] - i == VGG_COLUMNS_BLOCK) {
            advance_block(a, list.x + i, weight + (size_t)list.k[i] * column, slices, sums, type);
            i = list.ends[block];
        }
        for (; i + STEP <= list.ends[block]; i += STEP) {
            advance(a, &list, i, weight, slices, images, sums, STEP, type);
        }
        for (; i < list.ends[block]; i++) {
            advance(a, &list, i, weight, slices, images, sums, 1, type);
        }
        for (int j = 0; j < count; j++) {
            totals[j] += sums[j];
        }
    }
    for (int s = 0; s < slices; s++) {
        for (int p = 0; p < images; p++) {
            finish(a, first + s, p, totals + (s * images + p) * VGG_COLUMNS_ROWS);
        }
    }
}

/* --- many images ---------------------------------------------------------------------------- */

/* Adds inputs begin … end-1, of one block, to the totals of COLUMNS_VECTORS vectors of rows × some images, a constant where
 * it is inlined.
 *   x  of the first input and image */
VGG_INLINE void tile(const struct list *list, int begin, int end, const char *weight,
                     const float *x, float *totals, int images, enum vgg_weights_type type)
{
    const size_t vector = VF_LANES * vf_weight_bytes(type), column = VECTORS * vector;
    const int last = list->count - AHEAD_ALONE;
    vf sum[COLUMNS_VECTORS][COLUMNS_IMAGES];
    VGG_UNROLL
    for (int v = 0; v < COLUMNS_VECTORS; v++) {
        VGG_UNROLL
        for (int p = 0; p < images; p++) {
            sum[v][p] = vf_zero();
        }
    }
    for (int i = begin; i < end; i++, x += VGG_COLUMNS_TILE) {
        const char *at = weight + (size_t)list->k[i] * column;
        vf w[COLUMNS_VECTORS];
        fetch(weight + (size_t)list->k[i < last ? i + AHEAD_ALONE : i] * column,
              COLUMNS_VECTORS * vector);
        VGG_UNROLL
        for (int v = 0; v < COLUMNS_VECTORS; v++) {
            w[v] = vf_load_weights(at + (size_t)v * vector, type);
        }
        VGG_UNROLL
        for (int p = 0; p < images; p++) {
            const vf value = vf_set1(x[p]);
            VGG_UNROLL
            for (int v = 0; v < COLUMNS_VECTORS; v++) {
                sum[v][p] = vf_fma(w[v], value, sum[v][p]);
            }
        }
    }
    VGG_UNROLL
    for (int v = 0; v < COLUMNS_VECTORS; v++) {
        VGG_UNROLL
        for (int p = 0; p < images; p++) {
            float *total = totals + p * VGG_COLUMNS_ROWS + v * VF_LANES;
            vf_store(total, vf_add(vf_load(total), sum[v][p]));
        }
    }
}

/* The same for all images of a tile: COLUMNS_IMAGES at a time, then half as many, a quarter, … */
VGG_INLINE void tile_images(const struct list *list, int begin, int end, const char *weight,
                            int images, float *totals, enum vgg_weights_type type)
{
    const float *x = list->x + (ptrdiff_t)begin * VGG_COLUMNS_TILE;
    int done = 0;
    VGG_UNROLL
    for (int width = COLUMNS_IMAGES; width >= 1; width /= 2) {
        for (; images - done >= width; done += width) {
            tile(list, begin, end, weight, x + done, totals + done * VGG_COLUMNS_ROWS, width, type);
        }
    }
}

/* One slice for all images. */
VGG_INLINE void slice(const struct vgg_columns_args *a, int number, enum vgg_weights_type type)
{
    const int blocks = (a->k + VGG_COLUMNS_BLOCK - 1) / VGG_COLUMNS_BLOCK;
    const char *weight = weight_at(a, number, type);
    float totals[VGG_COLUMNS_BATCH][VGG_COLUMNS_ROWS];
    for (int p = 0; p < a->n; p++) {
        for (int row = 0; row < VGG_COLUMNS_ROWS; row++) {
            totals[p][row] = 0;
        }
    }
    for (int b = 0; b < blocks; b++) {
        for (int row = 0; row < VGG_COLUMNS_ROWS; row += COLUMNS_VECTORS * VF_LANES) {
            for (int p = 0; p < a->n; p += VGG_COLUMNS_TILE) {
                const struct list list = list_of(a, p / VGG_COLUMNS_TILE);
                const int left = a->n - p;
                tile_images(&list, b > 0 ? list.ends[b - 1] : 0, list.ends[b],
                            weight + (size_t)row * vf_weight_bytes(type),
                            left < VGG_COLUMNS_TILE ? left : VGG_COLUMNS_TILE, totals[p] + row,
                            type);
            }
        }
    }
    for (int p = 0; p < a->n; p++) {
        finish(a, number, p, totals[p]);
    }
}

/* --- both ------------------------------------------------------------------------------------- */

VGG_INLINE void run(const struct vgg_columns_args *a, enum vgg_weights_type type)
{
    if (a->n > VGG_COLUMNS_TILE) {
        for (int number = a->begin; number < a->end; number++) {
            slice(a, number, type);
        }
        return;
    }
    for (int first = a->begin; first < a->end; first += STREAMS) {
        const int left = a->end - first, slices = left < STREAMS ? left : STREAMS;
        if (a->n == 1) {
            stream(a, first, slices, 1, type);
        } else {
            stream(a, first, slices, a->n, type);
        }
    }
}

void VGG_KERNEL(columns)(const struct vgg_columns_args *args)
{
    switch (args->type) {
    case VGG_WEIGHTS_F32:
        run(args, VGG_WEIGHTS_F32);
        break;
    case VGG_WEIGHTS_BF16:
        run(args, VGG_WEIGHTS_BF16);
        break;
    case VGG_WEIGHTS_F16:
        run(args, VGG_WEIGHTS_F16);
        break;
    }
}
