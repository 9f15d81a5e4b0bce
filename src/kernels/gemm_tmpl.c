/* The products of Winograd convolution, one matrix product a frequency: like a 1 × 1 convolution without
 * bias, but its operands are read once or few times, so what comes next is fetched into the second-level
 * cache while this is multiplied, a line with each channel, from two places in turn. (Fetching the same
 * lines in bursts, once a block of channels, lost 5 % on VGG's layers.)
 *
 *   c   input channel within its block     i   tile of the register tile     b   output block */
#include "kernels/kernels.h"
#include "kernels/vec.h"

VGG_INLINE void tile(const struct vgg_gemm_args *a, const float *v, float *y, int pixels,
                     const char *ahead[2], const ptrdiff_t ahead_step[2])
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
    const char *now = ahead[0], *then = ahead[1];
    ptrdiff_t now_step = ahead_step[0], then_step = ahead_step[1];
    for (int ic = 0; ic < a->ic_blocks; ic++) {
        const float *p = v + ic * a->v_block_stride;
        for (int c = 0; c < VF_LANES; c++) {
            vf w[CONV_BLOCKS];
            VGG_UNROLL
            for (int b = 0; b < CONV_BLOCKS; b++) {
                w[b] = vf_load(weight + b * VF_LANES);
            }
            vf_prefetch(now);
            const char *next = now + now_step;
            now = then;
            then = next;
            const ptrdiff_t next_step = now_step;
            now_step = then_step;
            then_step = next_step;
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
    }
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
        tile(args, v, y, n <= CONV_PIXELS ? n : CONV_PIXELS, ahead, ahead_step);                   \
        break;

void VGG_KERNEL(gemm)(const struct vgg_gemm_args *args)
{
    const int tiles = (args->tiles + CONV_PIXELS - 1) / CONV_PIXELS;
    const ptrdiff_t turns = (ptrdiff_t)args->ic_blocks * VF_LANES / 2; /* of a register tile */
    const char *ahead[2];
    ptrdiff_t ahead_step[2];
    for (int i = 0; i < 2; i++) {
        ahead[i] = args->ahead[i].bytes > 0 ? args->ahead[i].data : args->weight;
        ahead_step[i] = (ptrdiff_t)args->ahead[i].bytes / (turns * tiles);
    }
    for (int t = 0; t < tiles; t++) {
        const int begin = (int)((int64_t)args->tiles * t / tiles);
        const int end = (int)((int64_t)args->tiles * (t + 1) / tiles);
        const float *v = args->v + (ptrdiff_t)begin * VF_LANES;
        float *y = args->y + (ptrdiff_t)begin * VF_LANES;
        switch (end - begin) {
            VGG_PIXEL_CASES(TILE_CASE)
        }
        ahead[0] += ahead_step[0] * turns;
        ahead[1] += ahead_step[1] * turns;
    }
}
