/* SPDX-License-Identifier: MIT */
/* Fully connected layer of bytes.
 *
 * One image: DOT_STREAMS groups of rows are read at once, as many independent streams from memory, whose bandwidth is the
 * limit. If at least a third of the words are zero, the others are listed first, and only their weights are read. (After
 * ReLU most features are 0, but a word is zero only if all four are. Reading with gaps is slower than without, so a few
 * zeros do not pay.)
 *
 * A batch: DOT_ROWS groups × DOT_IMAGES images are summed in registers. All images are computed for these groups before
 * the next ones, so that weights are read from memory once.
 *
 *   g   group of 16 rows     p   image     word   four features */
#include "kernels/int8.h"
#include "kernels/dot.h"

enum {
    /* How far ahead a stream prefetches, because hardware prefetchers stop at the end of a page; and in the list. */
    AHEAD_BYTES = 1024,
    AHEAD_WORDS = 16,
    /* The longest list. */
    MAX_WORDS = 8192,
};

/* A group's results for one image. */
VGG_OUT_OF_LINE void finish(const struct vgg_int8_linear_args *a, int group, int image, vs sum)
{
    const int row = group * VGG_INT8_GROUP, real = a->rows - row;
    const vf f = vf_mul(vf_from(vs_total(sum, a->scaling.bias + row, a->scaling.weight_sum + row)),
                        vf_load(a->scaling.scale + row));
    const ptrdiff_t at = image * a->y_stride + row;
    if (a->y != NULL) {
        vf_store_bytes(a->y + at, f);
        for (int i = real < 0 ? 0 : real; i < VGG_INT8_GROUP; i++) {
            a->y[at + i] = 0;
        }
    } else if (real >= VGG_INT8_GROUP) {
        vf_store(a->y_float + at, f);
    } else {
        float all[VGG_INT8_GROUP];
        vf_store(all, f);
        for (int i = 0; i < real; i++) {
            a->y_float[at + i] = all[i];
        }
    }
}

/* The sums of groups × images, which are constants where it is inlined. */
VGG_INLINE void tile(const struct vgg_int8_linear_args *a, int group, int image, int groups,
                     int images)
{
    enum { MAX_GROUPS = DOT_STREAMS > DOT_ROWS ? DOT_STREAMS : DOT_ROWS };
    const int words = a->k_blocks * DOT_BLOCK_WORDS;
    const ptrdiff_t group_bytes = (ptrdiff_t)words * DOT_WEIGHTS;
    const int8_t *weight = a->weight + group * group_bytes;
    const uint8_t *x = a->x + image * a->x_stride;
    vs sum[MAX_GROUPS][DOT_IMAGES];
    VGG_UNROLL
    for (int g = 0; g < groups; g++) {
        VGG_UNROLL
        for (int p = 0; p < images; p++) {
            sum[g][p] = vs_zero();
        }
    }
    for (int word = 0; word < words; word += VX_WORDS) {
        VGG_UNROLL
        for (int at = 0; at < VX_WORDS; at += VW_WORDS) {
            vw w[MAX_GROUPS];
            VGG_UNROLL
            for (int g = 0; g < groups; g++) {
                const int8_t *from =
                    weight + g * group_bytes + (ptrdiff_t)(word + at) * DOT_WEIGHTS;
                w[g] = vw_load(from);
                VGG_UNROLL
                for (int line = 0; line < VW_WORDS; line++) {
                    __builtin_prefetch(from + AHEAD_BYTES + line * DOT_WEIGHTS, 0, 2);
                }
            }
            VGG_UNROLL
            for (int p = 0; p < images; p++) {
                const vx v = vx_load(x + p * a->x_stride + (ptrdiff_t)word * DOT_WORD);
                VGG_UNROLL
                for (int g = 0; g < groups; g++) {
                    sum[g][p] = vs_dot(sum[g][p], w[g], v, at);
                }
            }
        }
    }
    VGG_UNROLL
    for (int g = 0; g < groups; g++) {
        VGG_UNROLL
        for (int p = 0; p < images; p++) {
            finish(a, group + g, image + p, sum[g][p]);
        }
    }
}

/* --- one image -------------------------------------------------------------------------------- */

/* The words of x that are not zero. The list continues with the number of the last word, so that prefetching ahead stays
 * within the weights. */
struct list {
    /* Negative: all words are read. */
    int count;
    uint16_t word[MAX_WORDS + AHEAD_WORDS];
};

VGG_INLINE void make_list(const struct vgg_int8_linear_args *a, struct list *list)
{
    const int words = a->k_blocks * DOT_BLOCK_WORDS;
    list->count = -1;
    if (!DOT_SKIPS || words > MAX_WORDS) {
        return;
    }
    int count = 0;
    for (int i = 0; i < words; i++) {
        uint32_t word;
        __builtin_memcpy(&word, a->x + (ptrdiff_t)i * DOT_WORD, sizeof word);
        list->word[count] = (uint16_t)i;
        count += word != 0;
    }
    if (3 * count > 2 * words) {
        return;
    }
    list->count = count;
    for (int i = 0; i < AHEAD_WORDS; i++) {
        list->word[count + i] = (uint16_t)(words - 1);
    }
}

/* The sums of some groups, a constant where it is inlined, over the listed words. */
VGG_INLINE void sparse_tile(const struct vgg_int8_linear_args *a, const struct list *list,
                            int group, int groups)
{
    const ptrdiff_t group_bytes = (ptrdiff_t)a->k_blocks * DOT_BLOCK_WORDS * DOT_WEIGHTS;
    const int8_t *weight = a->weight + group * group_bytes;
    vs sum[DOT_STREAMS];
    VGG_UNROLL
    for (int g = 0; g < groups; g++) {
        sum[g] = vs_zero();
    }
    for (int i = 0; i < list->count; i++) {
        const ptrdiff_t word = list->word[i], next = list->word[i + AHEAD_WORDS];
        const vx v = vx_load_word(a->x + word * DOT_WORD);
        VGG_UNROLL
        for (int g = 0; g < groups; g++) {
            const int8_t *from = weight + g * group_bytes;
            __builtin_prefetch(from + next * DOT_WEIGHTS, 0, 2);
            sum[g] = vs_dot(sum[g], vw_load_word(from + word * DOT_WEIGHTS), v, 0);
        }
    }
    VGG_UNROLL
    for (int g = 0; g < groups; g++) {
        finish(a, group + g, 0, sum[g]);
    }
}

VGG_INLINE void stream(const struct vgg_int8_linear_args *a, const struct list *list, int group,
                       int groups)
{
    if (list->count >= 0) {
        sparse_tile(a, list, group, groups);
    } else {
        tile(a, group, 0, groups, 1);
    }
}

#define STREAM_CASE(n)                                                                             \
    case n:                                                                                        \
        stream(a, &list, group, n < DOT_STREAMS ? n : DOT_STREAMS);                                \
        break;

static void one_image(const struct vgg_int8_linear_args *a)
{
    struct list list;
    make_list(a, &list);
    for (int group = a->begin; group < a->end; group += DOT_STREAMS) {
        switch (a->end - group < DOT_STREAMS ? a->end - group : DOT_STREAMS) {
            STREAM_CASE(1)
            STREAM_CASE(2)
            STREAM_CASE(3)
            STREAM_CASE(4)
        }
    }
}

/* --- a batch ---------------------------------------------------------------------------------- */

#define IMAGE_CASE(n)                                                                              \
    case n:                                                                                        \
        tile(a, group, p, groups, n < DOT_IMAGES ? n : DOT_IMAGES);                                \
        break;

/* All images for some groups, a constant where it is inlined. */
VGG_INLINE void batch(const struct vgg_int8_linear_args *a, int group, int groups)
{
    for (int p = 0; p < a->n; p += DOT_IMAGES) {
        switch (a->n - p < DOT_IMAGES ? a->n - p : DOT_IMAGES) {
            IMAGE_CASE(1)
            IMAGE_CASE(2)
            IMAGE_CASE(3)
            IMAGE_CASE(4)
            IMAGE_CASE(5)
            IMAGE_CASE(6)
            IMAGE_CASE(7)
            IMAGE_CASE(8)
        }
    }
}

void VGG_INT8_KERNEL(linear)(const struct vgg_int8_linear_args *args)
{
    if (args->n == 1) {
        one_image(args);
        return;
    }
    int group = args->begin;
    for (; group + DOT_ROWS <= args->end; group += DOT_ROWS) {
        batch(args, group, DOT_ROWS);
    }
    for (; group < args->end; group++) {
        batch(args, group, 1);
    }
}
