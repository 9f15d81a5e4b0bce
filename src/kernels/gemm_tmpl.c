/* SPDX-License-Identifier: MIT */
/* The products of Winograd convolution: for each frequency a matrix product, like a 1 × 1 convolution without bias. Its
 * operands are read only once or a few times, so the next ones are prefetched into the second-level cache meanwhile, one
 * line for each channel, from two places in turn.
 *
 * Each place is prefetched in PARTS parts side by side. A core has at most 16 lines of its own prefetches in flight,
 * which is 8 GB/s from memory; the rest comes from the second-level cache's prefetcher, which runs ahead in every page
 * that is read sequentially. 38 MB of weights arrive at 10 GB/s from one page at a time, at 14 from four. (Prefetching
 * in bursts, once for each block of channels, is 5 % slower on VGG's layers.)
 *
 *   c   input channel within its block     i   tile of the register tile     b   output block */
#include "kernels/kernels.h"
#include "kernels/vec.h"

/* A round of channels prefetches a line of each part of both places. ISAs with few lanes have small rounds. */
enum {
    PLACES = 2,
    ROUND = VF_LANES < 8 ? VF_LANES : 8,
    PARTS = ROUND < PLACES ? 1 : ROUND / PLACES,
    LINE_BYTES = 64,
};

/* What the next round prefetches of a place: the lines at `at`, at + part, … */
struct fetch {
    const char *at;
    /* Bytes from part to part, and from round to round. */
    ptrdiff_t part, step;
};

/* Begins to prefetch a place, which is complete after `rounds`.
 *   apart  not 0: the parts divide the place equally; 0: they are neighbouring lines */
VGG_INLINE struct fetch start_fetch(const float *place, size_t elements, int apart,
                                    ptrdiff_t rounds)
{
    const ptrdiff_t bytes = (ptrdiff_t)(elements * sizeof(float));
    const ptrdiff_t part = apart ? bytes / PARTS / LINE_BYTES * LINE_BYTES : LINE_BYTES;
    return (struct fetch){(const char *)place, part, (apart ? part : bytes) / rounds};
}

/* One register tile of one panel. */
VGG_INLINE void tile(const struct vgg_gemm_args *a, const float *weight, const float *v, float *y,
                     int pixels, struct fetch fetch[PLACES])
{
    vf sum[CONV_PIXELS][CONV_BLOCKS];
    VGG_UNROLL
    for (int i = 0; i < pixels; i++) {
        VGG_UNROLL
        for (int b = 0; b < CONV_BLOCKS; b++) {
            sum[i][b] = vf_zero();
        }
    }
    struct fetch first = fetch[0], second = fetch[1];
    for (int ic = 0; ic < a->ic_blocks; ic++) {
        const float *p = v + ic * a->v_block_stride;
        for (int round = 0; round < VF_LANES; round += ROUND) {
            VGG_UNROLL
            for (int c = 0; c < ROUND; c++) {
                vf w[CONV_BLOCKS];
                VGG_UNROLL
                for (int b = 0; b < CONV_BLOCKS; b++) {
                    w[b] = vf_load(weight + b * VF_LANES);
                }
                vf_prefetch(c % PLACES == 0 ? first.at + c / PLACES * first.part
                                            : second.at + c / PLACES * second.part);
                VGG_UNROLL
                for (int i = 0; i < pixels; i++) {
                    vf x = vf_set1(p[i * VF_LANES + c]);
                    VGG_UNROLL
                    for (int b = 0; b < CONV_BLOCKS; b++) {
                        sum[i][b] = vf_fma(x, w[b], sum[i][b]);
                    }
                }
                weight += CONV_BLOCKS * VF_LANES;
            }
            p += ROUND;
            first.at += first.step;
            second.at += second.step;
        }
    }
    fetch[0] = first;
    fetch[1] = second;
    VGG_UNROLL
    for (int b = 0; b < CONV_BLOCKS; b++) {
        VGG_UNROLL
        for (int i = 0; i < pixels; i++) {
            vf_store(y + b * a->y_block_stride + i * VF_LANES, sum[i][b]);
        }
    }
}

#define TILE_CASE(n)                                                                               \
    case n:                                                                                        \
        tile(args, weight, v, y, n <= CONV_PIXELS ? n : CONV_PIXELS, fetch);                       \
        break;

/* All tiles of one panel.
 *   fetch  what will be needed after the panel */
VGG_INLINE void panel(const struct vgg_gemm_args *args, const float *weight, const float *v_begin,
                      float *y_begin, struct fetch fetch[PLACES])
{
    const int tiles = (args->tiles + CONV_PIXELS - 1) / CONV_PIXELS;
    for (int t = 0; t < tiles; t++) {
        const int begin = (int)((int64_t)args->tiles * t / tiles);
        const int end = (int)((int64_t)args->tiles * (t + 1) / tiles);
        const float *v = v_begin + (ptrdiff_t)begin * VF_LANES;
        float *y = y_begin + (ptrdiff_t)begin * VF_LANES;
        switch (end - begin) {
            VGG_PIXEL_CASES(TILE_CASE)
        }
    }
}

void VGG_KERNEL(gemm)(const struct vgg_gemm_args *args)
{
    const size_t elements = (size_t)args->ic_blocks * VF_LANES * CONV_BLOCKS * VF_LANES;
    const size_t share = (size_t)args->v_f_stride / (size_t)args->groups;
    const ptrdiff_t rounds = (ptrdiff_t)args->ic_blocks * (VF_LANES / ROUND) *
                             ((args->tiles + CONV_PIXELS - 1) / CONV_PIXELS);
    for (int p = 0; p < args->panels; p++) {
        const int f = (args->first + p) / args->groups, g = (args->first + p) % args->groups;
        const float *weight = args->weight + p * args->weight_stride;
        const float *next = p + 1 < args->panels ? weight + args->weight_stride : args->after;
        const float *v = args->v + f * args->v_f_stride;
        struct fetch fetch[PLACES];
        if (args->far) {
            /* The next panel, and of the next frequency's tiles the share of this group. */
            fetch[0] = start_fetch(next, elements, 1, rounds);
            fetch[1] =
                start_fetch(v + (size_t)args->v_f_stride + (size_t)g * share, share, 0, rounds);
        } else {
            fetch[0] = start_fetch(next, elements / 2, 0, rounds);
            fetch[1] = start_fetch(next + elements / 2, elements / 2, 0, rounds);
        }
        panel(args, weight, v, args->y + f * args->y_f_stride + g * args->y_group_stride, fetch);
    }
}
