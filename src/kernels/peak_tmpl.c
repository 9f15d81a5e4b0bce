/* The roofs: how many multiply-adds a second this core can do with nothing to load, and how many bytes
 * it can load with nothing to do. */
#include "kernels/kernels.h"
#include "kernels/vec.h"

void VGG_KERNEL(fma_peak)(struct vgg_peak_args *args)
{
    /* Twelve chains: more than latency times throughput of any core so far, fewer than registers. */
    enum { CHAINS = 12 };
    vf sum[CHAINS];
    const vf a = vf_set1(args->seed), b = vf_set1(0.5f);
    VGG_UNROLL
    for (int i = 0; i < CHAINS; i++) {
        sum[i] = vf_set1((float)i);
    }
    for (int64_t n = 0; n < args->iterations; n++) {
        VGG_UNROLL
        for (int i = 0; i < CHAINS; i++) {
            sum[i] = vf_fma(sum[i], b, a);
        }
    }
    args->flops = (double)args->iterations * CHAINS * VF_LANES * 2;
    args->result = 0;
    VGG_UNROLL
    for (int i = 0; i < CHAINS; i++) {
        args->result += vf_sum(sum[i]);
    }
}

void VGG_KERNEL(read_peak)(struct vgg_read_args *args)
{
    enum { STREAMS = 8 };
    const size_t step = VF_LANES * sizeof(float);
    const size_t each = args->bytes / (STREAMS * step) * step; /* bytes of a stream */
    const char *p = args->data;
    vf sum[STREAMS];
    VGG_UNROLL
    for (int i = 0; i < STREAMS; i++) {
        sum[i] = vf_zero();
    }
    for (size_t at = 0; at < each; at += step) {
        VGG_UNROLL
        for (int i = 0; i < STREAMS; i++) {
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
