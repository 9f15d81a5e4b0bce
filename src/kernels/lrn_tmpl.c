/* SPDX-License-Identifier: MIT */
/* Local response normalisation. Neighbouring channels lie in other lanes and other blocks, so the squares of a strip of
 * pixels are first laid side by side; then each term of the sum is one unaligned vector.
 *
 *   p   pixel of the strip     b   block of channels that the windows reach     j   term of the sum */
#include "kernels/kernels.h"
#include "kernels/vec.h"

enum {
    STRIP = 16,
    /* Of a pixel: those of its block, and of whole blocks around it that windows reach. */
    MAX_SQUARES = VGG_LRN_MAX_SIZE + 3 * VF_LANES,
};

/* s^beta; by roots for the usual exponent. */
VGG_INLINE vf power(vf s, float beta)
{
    if (beta == 0.75f) {
        const vf root = vf_sqrt(s);
        return vf_mul(root, vf_sqrt(root));
    }
    float lanes[VF_LANES];
    vf_store(lanes, s);
    for (int i = 0; i < VF_LANES; i++) {
        lanes[i] = __builtin_powf(lanes[i], beta);
    }
    return vf_load(lanes);
}

VGG_INLINE void strip(const struct vgg_lrn_args *a, const float *x, float *y, int pixels)
{
    const int before = a->size / 2, reach = (before + VF_LANES - 1) / VF_LANES;
    float squares[STRIP][MAX_SQUARES];
    for (int b = -reach; b <= reach; b++) {
        const int block = a->block + b;
        const int exists = block >= 0 && block < a->blocks;
        for (int p = 0; p < pixels; p++) {
            const vf v = exists ? vf_load(x + block * a->x_block_stride + (ptrdiff_t)p * VF_LANES)
                                : vf_zero();
            vf_store(squares[p] + (b + reach) * VF_LANES, vf_mul(v, v));
        }
    }
    const vf scale = vf_set1(a->alpha / (float)a->size), k = vf_set1(a->k);
    for (int p = 0; p < pixels; p++) {
        const float *window = squares[p] + reach * VF_LANES - before;
        vf sum = vf_zero();
        for (int j = 0; j < a->size; j++) {
            sum = vf_add(sum, vf_load(window + j));
        }
        const vf v = vf_load(x + a->block * a->x_block_stride + (ptrdiff_t)p * VF_LANES);
        vf_store(y + (ptrdiff_t)p * VF_LANES, vf_div(v, power(vf_fma(sum, scale, k), a->beta)));
    }
}

void VGG_KERNEL(lrn)(const struct vgg_lrn_args *args)
{
    for (int h = args->h_begin; h < args->h_end; h++) {
        for (int w = 0; w < args->w; w += STRIP) {
            const int left = args->w - w;
            strip(args, args->x + h * args->x_row_stride + (ptrdiff_t)w * VF_LANES,
                  args->y + h * args->y_row_stride + (ptrdiff_t)w * VF_LANES,
                  left < STRIP ? left : STRIP);
        }
    }
}
