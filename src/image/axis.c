/* SPDX-License-Identifier: MIT */
/* The weights of Pillow's filters along one axis.
 *
 * A filter is a curve over the input pixels around the centre of an output pixel. When the image shrinks, the curve is
 * stretched by the same factor, so that every input pixel counts (antialiasing). The weights are computed in double
 * precision in Pillow's order of operations, because each rounding counts, and then rounded to integers. */
#include "image/axis.h"

#include <math.h>

#include "base/mem.h"

static double get_triangle(double x)
{
    x = x < 0.0 ? -x : x;
    return x < 1.0 ? 1.0 - x : 0.0;
}

/* Keys' cubic convolution with a = -1/2. */
static double get_cubic(double x)
{
    const double a = -0.5;
    x = x < 0.0 ? -x : x;
    if (x < 1.0) {
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
    }
    return x < 2.0 ? (((x - 5) * x + 8) * x - 4) * a : 0.0;
}

static double get_sinc(double x)
{
    const double pi = 3.14159265358979323846;
    x *= pi;
    return x == 0.0 ? 1.0 : sin(x) / x;
}

/* A sinc windowed by the middle lobe of one three times as wide. */
static double get_lanczos(double x)
{
    return x >= -3.0 && x < 3.0 ? get_sinc(x) * get_sinc(x / 3) : 0.0;
}

struct filter {
    double (*get)(double x);
    /* The curve is 0 from here on, in pixels. */
    double support;
};

static const struct filter filters[] = {
    [VGG_INTERPOLATION_BILINEAR] = {get_triangle, 1.0},
    [VGG_INTERPOLATION_BICUBIC] = {get_cubic, 2.0},
    [VGG_INTERPOLATION_LANCZOS] = {get_lanczos, 3.0},
};

/* Away from zero at one half. */
static int32_t round_weight(double weight)
{
    weight *= 1 << VGG_WEIGHT_BITS;
    return (int32_t)(weight < 0 ? weight - 0.5 : weight + 0.5);
}

/* Fills the weights of output pixel i.
 *   exact  [max_taps], scratch */
static void fill_pixel(const struct vgg_axis_part *part, const struct filter *filter,
                       struct vgg_axis *axis, int i, double *exact)
{
    const double scale = (double)part->from / part->to;
    const double stretch = scale < 1.0 ? 1.0 : scale;
    const double support = filter->support * stretch, inverse = 1.0 / stretch;
    const double center = (part->first + i + 0.5) * scale;
    const double low = center - support + 0.5, high = center + support + 0.5;
    const int start = low < 0.0 ? 0 : (int)low;
    const int taps = (high > part->from ? part->from : (int)high) - start;
    int32_t *weights = axis->weights + (size_t)i * (size_t)axis->max_taps;
    double sum = 0.0;
    for (int k = 0; k < taps; k++) {
        exact[k] = filter->get((k + start - center + 0.5) * inverse);
        sum += exact[k];
    }
    for (int k = 0; k < taps; k++) {
        weights[k] = round_weight(exact[k] / sum);
    }
    axis->start[i] = start;
    axis->taps[i] = taps;
}

static void fill_filtered(const struct vgg_axis_part *part, const struct filter *filter,
                          struct vgg_axis *axis, double *exact)
{
    for (int i = 0; i < part->count; i++) {
        fill_pixel(part, filter, axis, i, exact);
    }
}

/* One pixel of weight 1. Pillow adds up the positions, whose rounding errors choose the pixel where an output pixel's
 * centre lies between two. */
static void fill_nearest(const struct vgg_axis_part *part, struct vgg_axis *axis)
{
    const double scale = (double)part->from / part->to;
    double position = scale * 0.5;
    for (int i = 0; i < part->first + part->count; i++, position += scale) {
        if (i >= part->first) {
            const int at = i - part->first;
            axis->start[at] = position < part->from ? (int)position : part->from - 1;
            axis->taps[at] = 1;
            axis->weights[at] = 1 << VGG_WEIGHT_BITS;
        }
    }
}

/* An upper bound of the number of input pixels under the curve. */
static int count_taps(const struct vgg_axis_part *part, const struct filter *filter)
{
    const double scale = (double)part->from / part->to;
    const double support = filter->support * (scale < 1.0 ? 1.0 : scale);
    const double taps = 2 * support + 3;
    return taps < part->from ? (int)taps : part->from;
}

/* Allocates the arrays of an axis, and scratch for the weights of one pixel. */
static vgg_status allocate(struct vgg_image_job *job, struct vgg_axis *axis, double **exact,
                           struct vgg_error *err)
{
    const uint64_t count = (uint64_t)axis->count, max_taps = (uint64_t)axis->max_taps;
    void *blocks[4] = {NULL};
    const uint64_t bytes[] = {count * sizeof *axis->start, count * sizeof *axis->taps,
                              count * max_taps * sizeof *axis->weights, max_taps * sizeof **exact};
    vgg_status status = VGG_OK;
    for (int i = 0; i < 4 && status == VGG_OK; i++) {
        status = vgg_image_alloc(job, bytes[i], "the weights of the resize", &blocks[i], err);
    }
    axis->start = blocks[0];
    axis->taps = blocks[1];
    axis->weights = blocks[2];
    *exact = blocks[3];
    return status;
}

vgg_status vgg_axis_create(struct vgg_image_job *job, const struct vgg_axis_part *part,
                           enum vgg_interpolation interpolation, struct vgg_axis *axis,
                           struct vgg_error *err)
{
    const bool nearest = interpolation == VGG_INTERPOLATION_NEAREST;
    double *exact;
    *axis = (struct vgg_axis){.count = part->count,
                              .max_taps = nearest ? 1 : count_taps(part, &filters[interpolation])};
    vgg_status status = allocate(job, axis, &exact, err);
    if (status == VGG_OK && nearest) {
        fill_nearest(part, axis);
    } else if (status == VGG_OK) {
        fill_filtered(part, &filters[interpolation], axis, exact);
    }
    vgg_mem_free(job->allocator, exact);
    return status;
}

void vgg_axis_destroy(const struct vgg_allocator *allocator, struct vgg_axis *axis)
{
    vgg_mem_free(allocator, axis->start);
    vgg_mem_free(allocator, axis->taps);
    vgg_mem_free(allocator, axis->weights);
}
