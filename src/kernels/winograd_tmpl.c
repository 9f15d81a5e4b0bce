/* SPDX-License-Identifier: MIT */
/* Winograd's output and filter transforms; see winograd.h for the algebra. Channels are lanes, so the transforms are
 * plain arithmetic on vectors, and the code reads as the matrices do.
 *
 *   m     outputs of a tile along each axis: 2, 4 or 6        n = m + 2, its inputs
 *   f     frequency: element (i, j) of a transformed patch is f = i n + j
 *   t     tile, row by row over the output plane */
#include "kernels/kernels.h"
#include "kernels/vec.h"
#include "kernels/winograd.h"

enum { MAX_M = 6, MAX_N = 8 };

VGG_INLINE vf scaled(double s, vf a)
{
    return vf_mul(vf_set1((float)s), a);
}

/* s * a + b */
VGG_INLINE vf plus(double s, vf a, vf b)
{
    return vf_fma(vf_set1((float)s), a, b);
}

/* --- one dimension: o = Aᵀ d ------------------------------------------------------------------- */

VGG_INLINE void output2(const vf *d, vf *o)
{
    o[0] = vf_add(d[0], vf_add(d[1], d[2]));
    o[1] = vf_add(vf_sub(d[1], d[2]), d[3]);
}

VGG_INLINE void output4(const vf *d, vf *o)
{
    const double p = VGG_WINOGRAD4_P, q = VGG_WINOGRAD4_Q;
    const vf sum_p = vf_add(d[1], d[2]), difference_p = vf_sub(d[1], d[2]);
    const vf sum_q = vf_add(d[3], d[4]), difference_q = vf_sub(d[3], d[4]);
    o[0] = vf_add(d[0], vf_add(sum_p, sum_q));
    o[1] = plus(q, difference_q, scaled(p, difference_p));
    o[2] = plus(q * q, sum_q, scaled(p * p, sum_p));
    o[3] = plus(q * q * q, difference_q, plus(p * p * p, difference_p, d[5]));
}

VGG_INLINE void output6(const vf *d, vf *o)
{
    const double p = VGG_WINOGRAD6_P, q = VGG_WINOGRAD6_Q, r = VGG_WINOGRAD6_R;
    const double pp = p * p, qq = q * q, rr = r * r;
    const vf sum_p = vf_add(d[1], d[2]), difference_p = vf_sub(d[1], d[2]);
    const vf sum_q = vf_add(d[3], d[4]), difference_q = vf_sub(d[3], d[4]);
    const vf sum_r = vf_add(d[5], d[6]), difference_r = vf_sub(d[5], d[6]);
    o[0] = vf_add(vf_add(d[0], sum_p), vf_add(sum_q, sum_r));
    o[1] = plus(r, difference_r, plus(q, difference_q, scaled(p, difference_p)));
    o[2] = plus(rr, sum_r, plus(qq, sum_q, scaled(pp, sum_p)));
    o[3] = plus(rr * r, difference_r, plus(qq * q, difference_q, scaled(pp * p, difference_p)));
    o[4] = plus(rr * rr, sum_r, plus(qq * qq, sum_q, scaled(pp * pp, sum_p)));
    o[5] = plus(rr * rr * r, difference_r,
                plus(qq * qq * q, difference_q, plus(pp * pp * p, difference_p, d[7])));
}

VGG_INLINE void output_1d(int m, const vf *d, vf *o)
{
    if (m == 2) {
        output2(d, o);
    } else if (m == 4) {
        output4(d, o);
    } else {
        output6(d, o);
    }
}

/* --- output: y = Aᵀ M A, bias, ReLU, max-pool ------------------------------------------------- */

VGG_INLINE void output_tile(int m, const float *mt, ptrdiff_t f_stride, vf y[MAX_M][MAX_M])
{
    const int n = m + 2;
    vf columns[MAX_N][MAX_M];
    VGG_UNROLL
    for (int j = 0; j < n; j++) {
        vf d[MAX_N];
        VGG_UNROLL
        for (int i = 0; i < n; i++) {
            d[i] = vf_load(mt + (i * n + j) * f_stride);
        }
        output_1d(m, d, columns[j]);
    }
    VGG_UNROLL
    for (int i = 0; i < m; i++) {
        vf d[MAX_N];
        VGG_UNROLL
        for (int j = 0; j < n; j++) {
            d[j] = columns[j][i];
        }
        output_1d(m, d, y[i]);
    }
}

/* Adds the bias and applies ReLU. A pool takes the maximum of four values first: rounding is monotonic, so the bits are
 * those of pooling last. */
VGG_INLINE vf finish(vf value, vf bias, int relu)
{
    value = vf_add(value, bias);
    return relu ? vf_relu(value) : value;
}

VGG_INLINE void output_tiles(int m, const struct vgg_winograd_output_args *a)
{
    const vf bias = vf_load(a->bias);
    int row = a->tile_begin / a->tiles_w, column = a->tile_begin % a->tiles_w;
    for (int t = a->tile_begin; t < a->tile_end; t++) {
        vf y[MAX_M][MAX_M];
        output_tile(m, a->m_data + (ptrdiff_t)(t - a->tile_begin) * VF_LANES, a->m_f_stride, y);
        /* Outputs of a tile along each axis. */
        const int step = a->pool ? m / 2 : m;
        const int rows = a->oh - row * step, columns = a->ow - column * step;
        float *to = a->y + row * step * a->y_row_stride + (ptrdiff_t)column * step * VF_LANES;
        if (a->pool) {
            VGG_UNROLL
            for (int i = 0; i < m / 2; i++) {
                VGG_UNROLL
                for (int j = 0; j < m / 2; j++) {
                    const vf best = vf_max(vf_max(y[2 * i][2 * j], y[2 * i][2 * j + 1]),
                                           vf_max(y[2 * i + 1][2 * j], y[2 * i + 1][2 * j + 1]));
                    if (i < rows && j < columns) {
                        vf_store(to + i * a->y_row_stride + j * VF_LANES,
                                 finish(best, bias, a->relu));
                    }
                }
            }
        } else if (rows >= m && columns >= m) {
            VGG_UNROLL
            for (int i = 0; i < m; i++) {
                VGG_UNROLL
                for (int j = 0; j < m; j++) {
                    vf_store(to + i * a->y_row_stride + j * VF_LANES,
                             finish(y[i][j], bias, a->relu));
                }
            }
        } else {
            for (int i = 0; i < m && i < rows; i++) {
                for (int j = 0; j < m && j < columns; j++) {
                    vf_store(to + i * a->y_row_stride + j * VF_LANES,
                             finish(y[i][j], bias, a->relu));
                }
            }
        }
        if (++column == a->tiles_w) {
            column = 0;
            row++;
        }
    }
}

void VGG_KERNEL(winograd_output)(const struct vgg_winograd_output_args *args)
{
    if (args->m == 2) {
        output_tiles(2, args);
    } else if (args->m == 4) {
        output_tiles(4, args);
    } else {
        output_tiles(6, args);
    }
}

/* --- filters: U = G g Gᵀ, in double precision ------------------------------------------------- */

/* The row of G for a point p with M'(p) = slope. */
#define POINT(p, slope)                                                                            \
    {                                                                                              \
        1 / (slope), (p) / (slope), (p) * (p) / (slope)                                            \
    }
#define INFINITE                                                                                   \
    {                                                                                              \
        0, 0, 1                                                                                    \
    }

static const double g2[4][3] = {{-1, 0, 0}, POINT(1.0, 2.0), POINT(-1.0, 2.0), INFINITE};

#define P VGG_WINOGRAD4_P
#define Q VGG_WINOGRAD4_Q
#define SLOPE(p, q) (2 * (p) * (p) * ((p) * (p) - (q) * (q)))
static const double g4[6][3] = {
    {1 / (P * P * Q * Q), 0, 0}, POINT(P, SLOPE(P, Q)),  POINT(-P, SLOPE(P, Q)),
    POINT(Q, SLOPE(Q, P)),       POINT(-Q, SLOPE(Q, P)), INFINITE,
};
#undef P
#undef Q
#undef SLOPE

#define P VGG_WINOGRAD6_P
#define Q VGG_WINOGRAD6_Q
#define R VGG_WINOGRAD6_R
#define SLOPE(p, q, r) (2 * (p) * (p) * ((p) * (p) - (q) * (q)) * ((p) * (p) - (r) * (r)))
static const double g6[8][3] = {
    {-1 / (P * P * Q * Q * R * R), 0, 0},
    POINT(P, SLOPE(P, Q, R)),
    POINT(-P, SLOPE(P, Q, R)),
    POINT(Q, SLOPE(Q, P, R)),
    POINT(-Q, SLOPE(Q, P, R)),
    POINT(R, SLOPE(R, P, Q)),
    POINT(-R, SLOPE(R, P, Q)),
    INFINITE,
};

/* Transforms one input channel's filters, taps[9][L]; n is a constant where it is inlined. */
VGG_INLINE void filter(int n, const double (*g)[3], float (*taps)[VF_LANES], float *u,
                       ptrdiff_t f_stride)
{
    /* G g */
    double half[MAX_N][3][VF_LANES];
    VGG_UNROLL
    for (int i = 0; i < n; i++) {
        VGG_UNROLL
        for (int kw = 0; kw < 3; kw++) {
            for (int l = 0; l < VF_LANES; l++) {
                half[i][kw][l] = g[i][0] * (double)taps[kw][l] + g[i][1] * (double)taps[3 + kw][l] +
                                 g[i][2] * (double)taps[6 + kw][l];
            }
        }
    }
    for (int i = 0; i < n; i++) {
        VGG_UNROLL
        for (int j = 0; j < n; j++) {
            for (int l = 0; l < VF_LANES; l++) {
                u[(i * n + j) * f_stride + l] =
                    (float)(half[i][0][l] * g[j][0] + half[i][1][l] * g[j][1] +
                            half[i][2][l] * g[j][2]);
            }
        }
    }
}

VGG_INLINE void filters(int n, const double (*g)[3], const struct vgg_winograd_filter_args *a)
{
    /* Filters are transposed for several channels at a time before they are transformed, so that vectors are not loaded
     * while the scalar stores that wrote them are still pending. */
    enum { TOGETHER = 8 };
    float taps[TOGETHER * 9][VF_LANES];
    for (int first = 0; first < a->count; first += TOGETHER) {
        const int count = a->count - first < TOGETHER ? a->count - first : TOGETHER;
        for (int l = 0; l < VF_LANES; l++) {
            const float *from = a->g + l * a->g_stride + 9 * first;
            for (int k = 0; k < 9 * count; k++) {
                taps[k][l] = from[k];
            }
        }
        for (int c = 0; c < count; c++) {
            filter(n, g, taps + (ptrdiff_t)9 * c, a->u + (first + c) * a->u_c_stride,
                   a->u_f_stride);
        }
    }
}

void VGG_KERNEL(winograd_filter)(const struct vgg_winograd_filter_args *args)
{
    if (args->m == 2) {
        filters(4, g2, args);
    } else if (args->m == 4) {
        filters(6, g4, args);
    } else {
        filters(8, g6, args);
    }
}
