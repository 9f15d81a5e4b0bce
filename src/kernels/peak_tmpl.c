/* SPDX-License-Identifier: MIT */
/* The peaks of this core: multiply-adds per second with all operands in the first-level cache, and bytes per second that
 * it can load. */
#include "kernels/kernels.h"
#include "kernels/vec.h"

/* The register tile of direct_tmpl.c. */
void VGG_KERNEL(fma_peak)(struct vgg_peak_args *args)
{
    enum { STEPS = 16 };
    float weight[STEPS][CONV_BLOCKS][VF_LANES], x[STEPS + CONV_PIXELS];
    vf sum[CONV_PIXELS][CONV_BLOCKS];
    uint32_t state = 1;
    for (int k = 0; k < STEPS; k++) {
        for (int i = 0; i < CONV_BLOCKS * VF_LANES; i++) {
            state = state * 1664525 + 1013904223;
            weight[k][i / VF_LANES][i % VF_LANES] = (float)(int32_t)state * 0x1p-31f;
        }
    }
    for (int i = 0; i < STEPS + CONV_PIXELS; i++) {
        state = state * 1664525 + 1013904223;
        x[i] = (float)(int32_t)state * 0x1p-31f + args->seed;
    }
    VGG_UNROLL
    for (int i = 0; i < CONV_PIXELS; i++) {
        VGG_UNROLL
        for (int b = 0; b < CONV_BLOCKS; b++) {
            sum[i][b] = vf_zero();
        }
    }
    for (int64_t n = 0; n < args->iterations; n++) {
        const int k = (int)(n % STEPS);
        vf w[CONV_BLOCKS];
        VGG_UNROLL
        for (int b = 0; b < CONV_BLOCKS; b++) {
            w[b] = vf_load(weight[k][b]);
        }
        VGG_UNROLL
        for (int i = 0; i < CONV_PIXELS; i++) {
            const vf v = vf_set1(x[k + i]);
            VGG_UNROLL
            for (int b = 0; b < CONV_BLOCKS; b++) {
                sum[i][b] = vf_fma(v, w[b], sum[i][b]);
            }
        }
    }
    args->flops = (double)args->iterations * CONV_PIXELS * CONV_BLOCKS * VF_LANES * 2;
    args->result = 0;
    VGG_UNROLL
    for (int i = 0; i < CONV_PIXELS; i++) {
        VGG_UNROLL
        for (int b = 0; b < CONV_BLOCKS; b++) {
            args->result += vf_sum(sum[i][b]);
        }
    }
}

void VGG_KERNEL(product_peak)(struct vgg_peak_args *args)
{
    VGG_KERNEL(fma_peak)(args);
}

void VGG_KERNEL(read_peak)(struct vgg_read_args *args)
{
    /* As the fully connected layer reads. Without prefetching this would be 4 % less than the layer reaches. */
    enum { STREAMS = 8, AHEAD_BYTES = 512 };
    const size_t step = VF_LANES * sizeof(float);
    /* Bytes of a stream. */
    const size_t each = args->bytes / (STREAMS * step) * step;
    const char *p = args->data;
    vf sum[STREAMS];
    VGG_UNROLL
    for (int i = 0; i < STREAMS; i++) {
        sum[i] = vf_zero();
    }
    for (size_t at = 0; at < each; at += step) {
        VGG_UNROLL
        for (int i = 0; i < STREAMS; i++) {
            vf_prefetch(p + (size_t)i * each + at + AHEAD_BYTES);
            sum[i] = vf_add(sum[i], vf_load(p + (size_t)i * each + at));
        }
    }
    for (size_t at = STREAMS * each; at + step <= args->bytes; at += step) {
        sum[0] = vf_add(sum[0], vf_load(p + at));
    }
    args->result = 0;
    VGG_UNROLL
    for (int i = 0; i < STREAMS; i++) {
        args->result += vf_sum(sum[i]);
    }
}
