/* SPDX-License-Identifier: MIT */
/* Convolution of 3 × 3 in double precision, for reference.py: PyTorch's own takes most of a minute for one
 * VGG where the BLAS is the portable one. Built as a shared library that Python loads. */
#include <stddef.h>

/* Four numbers side by side, at any address of a double. */
typedef double four __attribute__((vector_size(32), aligned(8)));

enum { CHANNELS = 4, VECTORS = 3, STRIP = 4 * VECTORS };

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif
#if defined(__x86_64__)
#define CLONES __attribute__((target_clones("avx2", "default")))
#else
#define CLONES
#endif

__attribute__((visibility("default"))) void double_conv(const double *x, const double *weight,
                                                        const double *bias, double *y, int ic,
                                                        int row, int count, int begin, int end);

/* Output channels begin … end-1, multiples of CHANNELS, of one image. Planes are flat, rows of `row`
 * pixels with their frame, so that output i is at the upper left of its window:
 *     y[oc][i] = bias[oc] + Σ x[ic][i + kh row + kw] weight[oc][ic][kh][kw],  i < count, a multiple of 12
 * Those that straddle two rows mean nothing. An input plane has count + 2 row + 2 pixels. */
CLONES void double_conv(const double *x, const double *weight, const double *bias, double *y,
                        int ic, int row, int count, int begin, int end)
{
    const size_t x_plane = (size_t)(count + 2 * row + 2), filters = (size_t)ic * 9;
    for (int oc = begin; oc < end; oc += CHANNELS) {
        for (int i = 0; i < count; i += STRIP) {
            four sum[CHANNELS][VECTORS];
            UNROLL
            for (int o = 0; o < CHANNELS; o++) {
                UNROLL
                for (int v = 0; v < VECTORS; v++) {
                    sum[o][v] = (four){0} + bias[oc + o];
                }
            }
            const double *w = weight + (size_t)oc * filters;
            for (int c = 0; c < ic; c++) {
                for (int k = 0; k < 9; k++, w++) {
                    const double *p = x + (size_t)c * x_plane + i + k / 3 * row + k % 3;
                    UNROLL
                    for (int v = 0; v < VECTORS; v++) {
                        const four pixels = *(const four *)(p + (ptrdiff_t)4 * v);
                        UNROLL
                        for (int o = 0; o < CHANNELS; o++) {
                            sum[o][v] += pixels * w[(size_t)o * filters];
                        }
                    }
                }
            }
            UNROLL
            for (int o = 0; o < CHANNELS; o++) {
                UNROLL
                for (int v = 0; v < VECTORS; v++) {
                    *(four *)(y + (size_t)(oc + o) * (size_t)count + i + (ptrdiff_t)4 * v) =
                        sum[o][v];
                }
            }
        }
    }
}
