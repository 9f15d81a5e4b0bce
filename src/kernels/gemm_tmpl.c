/* The products of Winograd convolution, one matrix product a frequency: like a 1 × 1 convolution without
 * bias, but its operands are read once or few times, so what comes next is fetched into the second-level
 * cache while this is multiplied, a line with each channel, from two places in turn.
 *
 * Each place is fetched as FETCH_STREAMS parts side by side. A core waits for at most 16 lines of its own
 * fetches, 8 GB/s from memory; the rest comes from the prefetcher of the second-level cache, which runs
 * ahead in every page that is being read in order. From one page at a time 38 MB of weights came at
 * 10 GB/s, from four at 14. (Fetching in bursts, once a block of channels, lost 5 % on VGG's layers.)
 *
 *   c   input channel within its block     i   tile of the register tile     b   output block */
#include "kernels/kernels.h"
#include "kernels/vec.h"

/* A round of channels fetches a line of each part of both places; few lanes make small rounds. */
enum {
    PLACES = 2,
    ROUND = VF_LANES < 8 ? VF_LANES : 8,
    PARTS = ROUND < PLACES ? 1 : ROUND / PLACES,
    LINE_BYTES = 64,
};

/* What a place's next round fetches: at, at + part, … */
struct fetch {
    const char *at;
    ptrdiff_t part, step; /* bytes from part to part, and from round to round */
};

/* For a place that is to be fetched in so many rounds. */
VGG_INLINE struct fetch start_fetch(const struct vgg_fetch *place, ptrdiff_t rounds,
                                    const void *nothing)
{
    const ptrdiff_t bytes = (ptrdiff_t)place->bytes;
    const ptrdiff_t part = place->far ? bytes / PARTS / LINE_BYTES * LINE_BYTES : LINE_BYTES;
    return (struct fetch){
        .at = bytes > 0 ? place->data : nothing,
        .part = part,
        .step = place->far ? part / rounds : bytes / rounds,
    };
}

VGG_INLINE void tile(const struct vgg_gemm_args *a, const float *v, float *y, int pixels,
                     struct fetch fetch[PLACES])
{
    vf sum[CONV_PIXELS][CONV_BLOCKS];
    VGG_UNROLL
    for (int i = 0; i < pixels; i++) {
        VGG_UNROLL
        for (int b = 0; b < CONV_BLOCKS; b++) {
            sum[i][b] = vf_zero();
        }
    }
    const float *weight = a->weight;
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
        tile(args, v, y, n <= CONV_PIXELS ? n : CONV_PIXELS, fetch);                               \
        break;

void VGG_KERNEL(gemm)(const struct vgg_gemm_args *args)
{
    const int tiles = (args->tiles + CONV_PIXELS - 1) / CONV_PIXELS;
    const ptrdiff_t rounds = (ptrdiff_t)args->ic_blocks * (VF_LANES / ROUND) * tiles;
    struct fetch fetch[PLACES];
    for (int i = 0; i < PLACES; i++) {
        fetch[i] = start_fetch(&args->ahead[i], rounds, args->weight);
    }
    for (int t = 0; t < tiles; t++) {
        const int begin = (int)((int64_t)args->tiles * t / tiles);
        const int end = (int)((int64_t)args->tiles * (t + 1) / tiles);
        const float *v = args->v + (ptrdiff_t)begin * VF_LANES;
        float *y = args->y + (ptrdiff_t)begin * VF_LANES;
        switch (end - begin) {
            VGG_PIXEL_CASES(TILE_CASE)
        }
    }
}
