/* SPDX-License-Identifier: MIT */
/* Pools and pointwise operations on one block of channels: lane by lane, pixel by pixel. */
#include "kernels/kernels.h"
#include "kernels/vec.h"

void VGG_KERNEL(max_pool)(const struct vgg_max_pool_args *args)
{
    for (int oh = args->oh_begin; oh < args->oh_end; oh++) {
        for (int ow = 0; ow < args->ow; ow++) {
            const float *x = args->x + (ptrdiff_t)oh * args->stride * args->x_row_stride +
                             (ptrdiff_t)ow * args->stride * VF_LANES;
            vf best = vf_load(x);
            for (int kh = 0; kh < args->kernel; kh++) {
                for (int kw = 0; kw < args->kernel; kw++) {
                    best = vf_max(best, vf_load(x + kh * args->x_row_stride + kw * VF_LANES));
                }
            }
            vf_store(args->y + oh * args->y_row_stride + (ptrdiff_t)ow * VF_LANES, best);
        }
    }
}

void VGG_KERNEL(avg_pool)(const struct vgg_avg_pool_args *args)
{
    for (int oh = 0; oh < args->oh; oh++) {
        int h_begin = (int)((int64_t)oh * args->ih / args->oh);
        int h_end = (int)(((int64_t)(oh + 1) * args->ih + args->oh - 1) / args->oh);
        for (int ow = 0; ow < args->ow; ow++) {
            int w_begin = (int)((int64_t)ow * args->iw / args->ow);
            int w_end = (int)(((int64_t)(ow + 1) * args->iw + args->ow - 1) / args->ow);
            vf sum = vf_zero();
            for (int h = h_begin; h < h_end; h++) {
                /* A sum for each row: the error grows with height and width, not with their product. */
                vf row = vf_zero();
                for (int w = w_begin; w < w_end; w++) {
                    row = vf_add(
                        row, vf_load(args->x + h * args->x_row_stride + (ptrdiff_t)w * VF_LANES));
                }
                sum = vf_add(sum, row);
            }
            /* Divided by height and width in turn, as PyTorch does. */
            float y[VF_LANES];
            vf_store(y, sum);
            for (int c = 0; c < VF_LANES; c++) {
                y[c] = y[c] / (float)(h_end - h_begin) / (float)(w_end - w_begin);
            }
            vf_store(args->y + oh * args->y_row_stride + (ptrdiff_t)ow * VF_LANES, vf_load(y));
        }
    }
}

void VGG_KERNEL(scale_shift)(const struct vgg_pointwise_args *args)
{
    vf scale = vf_load(args->scale), shift = vf_load(args->shift);
    for (int h = 0; h < args->h; h++) {
        for (int w = 0; w < args->w; w++) {
            vf x = vf_load(args->x + h * args->x_row_stride + (ptrdiff_t)w * VF_LANES);
            vf_store(args->y + h * args->y_row_stride + (ptrdiff_t)w * VF_LANES,
                     vf_fma(x, scale, shift));
        }
    }
}

void VGG_KERNEL(relu)(const struct vgg_pointwise_args *args)
{
    for (int h = 0; h < args->h; h++) {
        for (int w = 0; w < args->w; w++) {
            vf x = vf_load(args->x + h * args->x_row_stride + (ptrdiff_t)w * VF_LANES);
            vf_store(args->y + h * args->y_row_stride + (ptrdiff_t)w * VF_LANES, vf_relu(x));
        }
    }
}
