/* The roof: how many multiply-adds a second this core can do, with nothing to load. */
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
