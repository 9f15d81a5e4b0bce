/* SPDX-License-Identifier: MIT */
/* Activation functions on one block of channels. Those made of multiplications and comparisons are computed in whole
 * vectors, the others number by number with the mathematical library. */
#include "kernels/kernels.h"
#include "kernels/vec.h"

#define SQRT_HALF 0x1.6a09e6p-1f      /* √(1/2) */
#define SQRT_2_OVER_PI 0x1.988454p-1f /* √(2/π) */

VGG_INLINE vf negate(vf a)
{
    return vf_sub(vf_zero(), a);
}

/* min(max(a, 0), 6) */
VGG_INLINE vf clamp(vf a)
{
    return negate(vf_max(negate(vf_relu(a)), vf_set1(-6)));
}

/* One of both terms is zero, so that the result is rounded once. */
VGG_INLINE vf leak(vf a, vf slope)
{
    return vf_sub(vf_relu(a), vf_mul(slope, vf_relu(negate(a))));
}

VGG_INLINE float compute(enum vgg_function function, float x, float slope)
{
    switch (function) {
    case VGG_FUNCTION_ELU:
        return x > 0 ? x : slope * __builtin_expm1f(x);
    case VGG_FUNCTION_GELU:
        return 0.5f * x * __builtin_erfcf(-SQRT_HALF * x);
    case VGG_FUNCTION_GELU_TANH:
        return x / (1 + __builtin_expf(-2 * SQRT_2_OVER_PI * (x + 0.044715f * x * x * x)));
    case VGG_FUNCTION_SILU:
        return x / (1 + __builtin_expf(-x));
    case VGG_FUNCTION_TANH:
        return __builtin_tanhf(x);
    case VGG_FUNCTION_SIGMOID:
        return 1 / (1 + __builtin_expf(-x));
    default:
        return x;
    }
}

VGG_INLINE vf compute_lanes(enum vgg_function function, vf x, const float *slope)
{
    float lanes[VF_LANES];
    vf_store(lanes, x);
    for (int i = 0; i < VF_LANES; i++) {
        lanes[i] = compute(function, lanes[i], slope != NULL ? slope[i] : 0);
    }
    return vf_load(lanes);
}

VGG_INLINE vf apply(enum vgg_function function, vf x, const float *slope)
{
    switch (function) {
    case VGG_FUNCTION_LEAKY_RELU:
        return leak(x, vf_load(slope));
    case VGG_FUNCTION_HARDSWISH:
        return vf_div(vf_mul(x, clamp(vf_add(x, vf_set1(3)))), vf_set1(6));
    case VGG_FUNCTION_RELU6:
        return clamp(x);
    default:
        return compute_lanes(function, x, slope);
    }
}

/* `function` is a constant where it is inlined. */
VGG_INLINE void apply_all(const struct vgg_function_args *a, enum vgg_function function)
{
    for (int h = 0; h < a->h; h++) {
        for (int w = 0; w < a->w; w++) {
            const vf x = vf_load(a->x + h * a->x_row_stride + (ptrdiff_t)w * VF_LANES);
            vf_store(a->y + h * a->y_row_stride + (ptrdiff_t)w * VF_LANES,
                     apply(function, x, a->slope));
        }
    }
}

#define FUNCTION_CASE(function)                                                                    \
    case function:                                                                                 \
        apply_all(args, function);                                                                 \
        break;

void VGG_KERNEL(apply_function)(const struct vgg_function_args *args)
{
    switch (args->function) {
        FUNCTION_CASE(VGG_FUNCTION_LEAKY_RELU)
        FUNCTION_CASE(VGG_FUNCTION_ELU)
        FUNCTION_CASE(VGG_FUNCTION_GELU)
        FUNCTION_CASE(VGG_FUNCTION_GELU_TANH)
        FUNCTION_CASE(VGG_FUNCTION_SILU)
        FUNCTION_CASE(VGG_FUNCTION_TANH)
        FUNCTION_CASE(VGG_FUNCTION_SIGMOID)
        FUNCTION_CASE(VGG_FUNCTION_HARDSWISH)
        FUNCTION_CASE(VGG_FUNCTION_RELU6)
    default:
        break;
    }
}
