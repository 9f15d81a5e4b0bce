/* Fully connected layer of bytes.
 *
 * One picture: DOT_STREAMS groups of rows at once, as many independent streams from memory, which bounds it.
 *
 * A batch: DOT_ROWS groups × DOT_PICTURES pictures are summed in registers. All pictures are done with the
 * weights of these groups before the next ones are read, from a cache but for the first time.
 *
 *   g   group of 16 rows     p   picture     word   four features */
#include "kernels/int8.h"
#include "kernels/dot.h"

/* How far a stream fetches ahead: across the end of a page, where the hardware stops. */
enum { AHEAD_BYTES = 1024 };

/* A group's results for one picture. */
VGG_INLINE void finish(const struct vgg_int8_linear_args *a, int group, int picture, vs sum)
{
    const int row = group * VGG_INT8_GROUP, real = a->rows - row;
    const vf f = vf_mul(vf_from(vs_total(sum, a->scaling.bias + row, a->scaling.weight_sum + row)),
                        vf_load(a->scaling.scale + row));
    const ptrdiff_t at = picture * a->y_stride + row;
    if (a->y != NULL) {
        vf_store_bytes(a->y + at, f);
        for (int i = real < 0 ? 0 : real; i < VGG_INT8_GROUP; i++) {
            a->y[at + i] = 0;
        }
    } else if (real >= VGG_INT8_GROUP) {
        vf_store(a->y_float + at, f);
    } else {
        float part[VGG_INT8_GROUP];
        vf_store(part, f);
        for (int i = 0; i < real; i++) {
            a->y_float[at + i] = part[i];
        }
    }
}

/* groups × pictures sums, which are constants where it is inlined. */
VGG_INLINE void tile(const struct vgg_int8_linear_args *a, int group, int picture, int groups,
                     int pictures)
{
    enum { MOST = DOT_STREAMS > DOT_ROWS ? DOT_STREAMS : DOT_ROWS };
    const int words = a->k_blocks * DOT_BLOCK_WORDS;
    const ptrdiff_t group_bytes = (ptrdiff_t)words * DOT_WEIGHTS;
    const int8_t *weight = a->weight + group * group_bytes;
    const uint8_t *x = a->x + picture * a->x_stride;
    vs sum[MOST][DOT_PICTURES];
    VGG_UNROLL
    for (int g = 0; g < groups; g++) {
        VGG_UNROLL
        for (int p = 0; p < pictures; p++) {
            sum[g][p] = vs_zero();
        }
    }
    for (int word = 0; word < words; word += VX_WORDS) {
        VGG_UNROLL
        for (int at = 0; at < VX_WORDS; at += VW_WORDS) {
            vw w[MOST];
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
            for (int p = 0; p < pictures; p++) {
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
        for (int p = 0; p < pictures; p++) {
            finish(a, group + g, picture + p, sum[g][p]);
        }
    }
}

#define PICTURE_CASE(n)                                                                            \
    case n:                                                                                        \
        tile(a, group, p, groups, n < DOT_PICTURES ? n : DOT_PICTURES);                            \
        break;

/* All pictures of `groups`, a constant where it is inlined. */
VGG_INLINE void batch(const struct vgg_int8_linear_args *a, int group, int groups)
{
    for (int p = 0; p < a->n; p += DOT_PICTURES) {
        switch (a->n - p < DOT_PICTURES ? a->n - p : DOT_PICTURES) {
            PICTURE_CASE(1)
            PICTURE_CASE(2)
            PICTURE_CASE(3)
            PICTURE_CASE(4)
            PICTURE_CASE(5)
            PICTURE_CASE(6)
            PICTURE_CASE(7)
            PICTURE_CASE(8)
        }
    }
}

void VGG_INT8_KERNEL(linear)(const struct vgg_int8_linear_args *args)
{
    int group = args->begin;
    if (args->n == 1) {
        for (; group + DOT_STREAMS <= args->end; group += DOT_STREAMS) {
            tile(args, group, 0, DOT_STREAMS, 1);
        }
        for (; group < args->end; group++) {
            tile(args, group, 0, 1, 1);
        }
        return;
    }
    for (; group + DOT_ROWS <= args->end; group += DOT_ROWS) {
        batch(args, group, DOT_ROWS);
    }
    for (; group < args->end; group++) {
        batch(args, group, 1);
    }
}
