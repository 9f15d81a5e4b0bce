/* SPDX-License-Identifier: MIT */
/* Winograd's input transform, V[f][t] = Bᵀ d B; see winograd.h for the algebra. Channels are lanes, so the transform is
 * plain arithmetic on vectors, and the code reads as the matrices do.
 *
 *   m     outputs of a tile along each axis: 2, 4 or 6        n = m + 2, its inputs
 *   f     frequency: element (i, j) of a transformed patch is f = i n + j
 *   t     tile, row by row over the output plane
 *   b     one of the blocks of channels that are transformed together */
#include "kernels/kernels.h"
#include "kernels/vec.h"
#include "kernels/winograd.h"

enum { MAX_N = 8 };

/* s * a + b */
VGG_INLINE vf plus(double s, vf a, vf b)
{
    return vf_fma(vf_set1((float)s), a, b);
}

/* --- one dimension: o = Bᵀ d ------------------------------------------------------------------- */

VGG_INLINE void input2(const vf *d, vf *o)
{
    o[0] = vf_sub(d[2], d[0]);
    o[1] = vf_add(d[2], d[1]);
    o[2] = vf_sub(d[2], d[1]);
    o[3] = vf_sub(d[3], d[1]);
}

VGG_INLINE void input4(const vf *d, vf *o)
{
    const double p = VGG_WINOGRAD4_P, q = VGG_WINOGRAD4_Q, pp = p * p, qq = q * q;
    const vf even_p = plus(-qq, d[2], d[4]), odd_p = plus(-qq, d[1], d[3]);
    const vf even_q = plus(-pp, d[2], d[4]), odd_q = plus(-pp, d[1], d[3]);
    o[0] = plus(pp * qq, d[0], plus(-(pp + qq), d[2], d[4]));
    o[1] = plus(p, odd_p, even_p);
    o[2] = plus(-p, odd_p, even_p);
    o[3] = plus(q, odd_q, even_q);
    o[4] = plus(-q, odd_q, even_q);
    o[5] = plus(pp * qq, d[1], plus(-(pp + qq), d[3], d[5]));
}

VGG_INLINE void input6(const vf *d, vf *o)
{
    const double p = VGG_WINOGRAD6_P, q = VGG_WINOGRAD6_Q, r = VGG_WINOGRAD6_R;
    const double pp = p * p, qq = q * q, rr = r * r;
    const double e1 = pp + qq + rr, e2 = pp * qq + pp * rr + qq * rr, e3 = pp * qq * rr;
    /* For each pair ±p: the even and the odd powers of M(x) / (x ∓ p) / x, without the factor p of the latter. */
    const vf even_p = plus(qq * rr, d[2], plus(-(qq + rr), d[4], d[6]));
    const vf odd_p = plus(qq * rr, d[1], plus(-(qq + rr), d[3], d[5]));
    const vf even_q = plus(pp * rr, d[2], plus(-(pp + rr), d[4], d[6]));
    const vf odd_q = plus(pp * rr, d[1], plus(-(pp + rr), d[3], d[5]));
    const vf even_r = plus(pp * qq, d[2], plus(-(pp + qq), d[4], d[6]));
    const vf odd_r = plus(pp * qq, d[1], plus(-(pp + qq), d[3], d[5]));
    o[0] = plus(-e3, d[0], plus(e2, d[2], plus(-e1, d[4], d[6])));
    o[1] = plus(p, odd_p, even_p);
    o[2] = plus(-p, odd_p, even_p);
    o[3] = plus(q, odd_q, even_q);
    o[4] = plus(-q, odd_q, even_q);
    o[5] = plus(r, odd_r, even_r);
    o[6] = plus(-r, odd_r, even_r);
    o[7] = plus(-e3, d[1], plus(e2, d[3], plus(-e1, d[5], d[7])));
}

VGG_INLINE void input_1d(int m, const vf *d, vf *o)
{
    if (m == 2) {
        input2(d, o);
    } else if (m == 4) {
        input4(d, o);
    } else {
        input6(d, o);
    }
}

/* --- two dimensions ---------------------------------------------------------------------------- */

/* One patch of each block. */
struct patches {
    const float *x[VT_BLOCKS];
    ptrdiff_t row_stride[VT_BLOCKS];
};

/* Transforms whole patches; m is a constant where it is inlined. */
VGG_INLINE void transform(int m, const struct patches *patches, float *v, ptrdiff_t f_stride)
{
    const int n = m + 2;
    /* Bᵀ d, by columns of d. */
    vf columns[VT_BLOCKS][MAX_N][MAX_N];
    VGG_UNROLL
    for (int b = 0; b < VT_BLOCKS; b++) {
        VGG_UNROLL
        for (int j = 0; j < n; j++) {
            vf d[MAX_N];
            VGG_UNROLL
            for (int i = 0; i < n; i++) {
                d[i] = vf_load(patches->x[b] + i * patches->row_stride[b] + j * VF_LANES);
            }
            input_1d(m, d, columns[b][j]);
        }
    }
    VGG_UNROLL
    for (int i = 0; i < n; i++) {
        vf o[VT_BLOCKS][MAX_N];
        VGG_UNROLL
        for (int b = 0; b < VT_BLOCKS; b++) {
            vf d[MAX_N];
            VGG_UNROLL
            for (int j = 0; j < n; j++) {
                d[j] = columns[b][j][i];
            }
            input_1d(m, d, o[b]);
        }
        VGG_UNROLL
        for (int j = 0; j < n; j++) {
            vf channels[VT_BLOCKS];
            VGG_UNROLL
            for (int b = 0; b < VT_BLOCKS; b++) {
                channels[b] = o[b][j];
            }
            vt_store(v + (i * n + j) * f_stride, channels);
        }
    }
}

/* Copies a patch that extends beyond the padding, or that is of a block beyond the last one. Pixels outside are zeros. */
VGG_INLINE void copy_patch(int n, const float *x, ptrdiff_t row_stride, int rows, int columns,
                           float *patch)
{
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            vf_store(patch + (i * n + j) * VF_LANES,
                     i < rows && j < columns ? vf_load(x + i * row_stride + (ptrdiff_t)j * VF_LANES)
                                             : vf_zero());
        }
    }
}

VGG_INLINE void input_tiles(int m, const struct vgg_winograd_input_args *a)
{
    const int n = m + 2;
    float copies[VT_BLOCKS][MAX_N * MAX_N * VF_LANES];
    int row = a->tile_begin / a->tiles_w, column = a->tile_begin % a->tiles_w;
    for (int t = a->tile_begin; t < a->tile_end; t++) {
        const float *x = a->x + row * m * a->x_row_stride + (ptrdiff_t)column * m * VF_LANES;
        const int rows = a->rows - row * m, columns = a->columns - column * m;
        struct patches patches;
        for (int b = 0; b < VT_BLOCKS; b++) {
            const int exists = a->block + b < a->blocks;
            patches.x[b] = x + b * a->x_block_stride;
            patches.row_stride[b] = a->x_row_stride;
            if (!exists || rows < n || columns < n) {
                copy_patch(n, patches.x[b], a->x_row_stride, exists ? rows : 0, columns, copies[b]);
                patches.x[b] = copies[b];
                patches.row_stride[b] = n * VF_LANES;
            }
        }
        transform(
            m, &patches,
            vt_at(a->v, a->v_block_stride, a->block, a->blocks, a->v_tile + (t - a->tile_begin)),
            a->v_f_stride);
        if (++column == a->tiles_w) {
            column = 0;
            row++;
        }
    }
}

void VGG_KERNEL(winograd_input)(const struct vgg_winograd_input_args *args)
{
    if (args->m == 2) {
        input_tiles(2, args);
    } else if (args->m == 4) {
        input_tiles(4, args);
    } else {
        input_tiles(6, args);
    }
}
