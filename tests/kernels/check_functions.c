/* SPDX-License-Identifier: MIT */
/* apply_function: every function on one block of channels, with small, large and special numbers. */
#include "check.h"

#include <math.h>

#include "kernels/ref_general.h"

static const char *const names[VGG_FUNCTIONS] = {
    "leaky_relu", "elu", "gelu", "gelu_tanh", "silu", "tanh", "sigmoid", "hardswish", "relu6"};

/* h rows of w pixels; x is `scale` times what the fill gives. */
struct functions {
    enum vgg_function function;
    int h, w;
    float scale;
    enum check_fill fill;
};

/* How exact a result is: relative to the magnitude. A Gaussian or a logistic function of x amplifies the rounding of its
 * argument, but the product with it is small where the argument is large: it is never off by more than some roundings
 * of x. The mathematical library's functions are off by less than four. */
static double find_magnitude(enum vgg_function function, double x, double want)
{
    const bool product = function == VGG_FUNCTION_GELU || function == VGG_FUNCTION_GELU_TANH ||
                         function == VGG_FUNCTION_SILU;
    return product ? fmax(fabs(x), fabs(want)) : fabs(want);
}

static double count_operations(enum vgg_function function)
{
    switch (function) {
    case VGG_FUNCTION_LEAKY_RELU:
        return 1;
    case VGG_FUNCTION_RELU6:
        return 0;
    case VGG_FUNCTION_HARDSWISH: /* the sum, the product, the quotient */
        return 3;
    default:
        return 10;
    }
}

static void check_lane(struct check *check, const struct functions *f, float x, float slope,
                       float got, size_t at)
{
    const double want = vgg_ref_function(f->function, (double)x, (double)slope);
    double magnitude = find_magnitude(f->function, (double)x, want);
    if (f->function == VGG_FUNCTION_HARDSWISH && fabs((double)x) < 3.1) {
        magnitude = fabs((double)x); /* the sum with 3 is off by a rounding of 3 */
    }
    /* Powers below the normal numbers. */
    check_value(check, "output", at, got, want, magnitude, count_operations(f->function), 1e-37);
}

static void check_case(struct check *check, const struct functions *f)
{
    check_begin(check, "%s of %dx%d %g times %s numbers", names[f->function], f->h, f->w,
                (double)f->scale, check_fill_string(f->fill));
    const size_t lanes = (size_t)check->kernels->lanes;
    const size_t row = (size_t)f->w * lanes, y_row = row + lanes, count = (size_t)f->h * row;
    const size_t y_count = (size_t)f->h * y_row;
    float *x = check_input(check, count, 0), *slope = check_input(check, lanes, 0);
    float *y = check_output(check, y_count);
    check_fill(check, x, count, f->fill);
    check_fill(check, slope, lanes, FILL_ORDINARY);
    for (size_t i = 0; i < count; i++) {
        x[i] *= f->scale;
    }
    check->kernels->apply_function(&(struct vgg_function_args){
        .function = f->function,
        .x = x,
        .x_row_stride = (ptrdiff_t)row,
        .y = y,
        .y_row_stride = (ptrdiff_t)y_row,
        .h = f->h,
        .w = f->w,
        .slope = slope,
    });
    for (size_t i = 0; i < count; i++) {
        const float got = check_take(check, y + i / row * y_row + i % row);
        check_lane(check, f, x[i], slope[i % lanes], got, i);
    }
    check_untouched(check, y, y_count);
    check_end(check);
}

void check_functions(struct check *check)
{
    for (int function = 0; function < VGG_FUNCTIONS; function++) {
        struct functions f = {(enum vgg_function)function, 3, 5, 1, FILL_ORDINARY};
        for (int fill = 0; fill < FILL_KINDS; fill++) {
            f.fill = (enum check_fill)fill;
            check_case(check, &f);
        }
        f = (struct functions){(enum vgg_function)function, 20, 50, 12, FILL_ORDINARY};
        check_case(check, &f);
        f.scale = 100;
        check_case(check, &f);
    }
}
