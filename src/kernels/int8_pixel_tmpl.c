/* SPDX-License-Identifier: MIT */
/* The int8 kernels that multiply nothing: quantisation of the net's input, max-pool; and the arithmetic peak. */
#include "kernels/int8.h"
#include "kernels/dot.h"

/* --- quantize --------------------------------------------------------------------------------- */

/* Pixels that are quantised at a time. */
enum { PIXELS = 16 };

/* Quantises PIXELS pixels from x on. */
VGG_INLINE vi quantize_pixels(const struct vgg_int8_quantize_args *a, const float *x)
{
    vi q = vi_byte(vf_mul(vf_sub(vf_load(x), vf_set1(a->low[0])), vf_set1(a->inverse[0])));
    for (int c = 1; c < a->channels; c++) {
        const vf from_low = vf_sub(vf_load(x + c * a->x_channel_stride), vf_set1(a->low[c]));
        q = vi_put(q, vi_byte(vf_mul(from_low, vf_set1(a->inverse[c]))), c);
    }
    return q;
}

/* Quantises a row of fewer than PIXELS pixels, from a copy that is as long. */
static void quantize_narrow(const struct vgg_int8_quantize_args *a, const float *x, uint8_t *y)
{
    float copy[4][PIXELS] = {{0}};
    uint8_t bytes[PIXELS * VGG_INT8_INPUT_BLOCK];
    struct vgg_int8_quantize_args narrow = *a;
    narrow.x_channel_stride = PIXELS;
    for (int c = 0; c < a->channels; c++) {
        for (int w = 0; w < a->w; w++) {
            copy[c][w] = x[c * a->x_channel_stride + w];
        }
    }
    vi_store(bytes, quantize_pixels(&narrow, copy[0]));
    for (int i = 0; i < a->w * VGG_INT8_INPUT_BLOCK; i++) {
        y[i] = bytes[i];
    }
}

void VGG_INT8_KERNEL(quantize)(const struct vgg_int8_quantize_args *args)
{
    for (int h = args->h_begin; h < args->h_end; h++) {
        const float *x = args->x + h * args->x_row_stride;
        uint8_t *y = args->y + h * args->y_row_stride;
        if (args->w < PIXELS) {
            quantize_narrow(args, x, y);
            continue;
        }
        for (int begin = 0; begin < args->w; begin += PIXELS) {
            /* The last ones may overlap those before them. */
            const int w = begin + PIXELS <= args->w ? begin : args->w - PIXELS;
            vi_store(y + (ptrdiff_t)w * VGG_INT8_INPUT_BLOCK, quantize_pixels(args, x + w));
        }
    }
}

/* --- max-pool --------------------------------------------------------------------------------- */

void VGG_INT8_KERNEL(max_pool)(const struct vgg_int8_max_pool_args *args)
{
    const ptrdiff_t pixel = VGG_INT8_BLOCK;
    for (int oh = args->oh_begin; oh < args->oh_end; oh++) {
        const uint8_t *row = args->x + (ptrdiff_t)oh * args->stride * args->x_row_stride;
        uint8_t *y = args->y + oh * args->y_row_stride;
        for (int ow = 0; ow < args->ow; ow++) {
            const uint8_t *x = row + (ptrdiff_t)ow * args->stride * pixel;
            vb max = vb_load(x);
            for (int kh = 0; kh < args->kernel; kh++) {
                for (int kw = 0; kw < args->kernel; kw++) {
                    max = vb_max(max, vb_load(x + kh * args->x_row_stride + kw * pixel));
                }
            }
            vb_store(y + ow * pixel, max);
        }
    }
}

/* --- peak ------------------------------------------------------------------------------------- */

void VGG_INT8_KERNEL(peak)(struct vgg_int8_peak_args *args)
{
    /* As many sums as a convolution has. */
    enum { SUMS = DOT_PIXELS * DOT_GROUPS };
    int8_t weight[VW_WORDS * DOT_WEIGHTS];
    static const uint8_t x[VX_WORDS * DOT_WORD] = {1, 2, 3, 4};
    static const int32_t none[VGG_INT8_GROUP];
    int32_t total[SUMS][VGG_INT8_GROUP];
    vs sum[SUMS];
    vx v = vx_load(x);
    for (size_t i = 0; i < sizeof weight; i++) {
        /* The compiler must not know the weights. */
        weight[i] = (int8_t)(args->iterations % 100 + (int)i);
    }
    const vw w = vw_load(weight);
    VGG_UNROLL
    for (int i = 0; i < SUMS; i++) {
        sum[i] = vs_zero();
    }
    for (int64_t n = 0; n < args->iterations; n++) {
        VGG_UNROLL
        for (int i = 0; i < SUMS; i++) {
            /* Otherwise the compiler would compute one product for all sums. */
            vx_hide(v);
            sum[i] = vs_dot(sum[i], w, v, 0);
        }
    }
    VGG_UNROLL
    for (int i = 0; i < SUMS; i++) {
        vi_store(total[i], vs_total(sum[i], none, none));
    }
    uint32_t result = 0;
    for (int i = 0; i < SUMS * VGG_INT8_GROUP; i++) {
        result += (uint32_t)total[i / VGG_INT8_GROUP][i % VGG_INT8_GROUP];
    }
    args->operations = (double)args->iterations * SUMS * VW_WORDS * DOT_WEIGHTS * 2;
    args->result = (int32_t)result;
}
