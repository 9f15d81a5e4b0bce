/* SPDX-License-Identifier: MIT */
/* Running the steps of an int8 net. All arithmetic is with integers and single roundings, so that neither the number of
 * threads nor the ISA changes a bit. */
#include "plan/int8/int8_run.h"

#include <math.h>
#include <string.h>

#include "base/arith.h"
#include "plan/activation.h"
#include "plan/task.h"

struct quantize_run {
    struct vgg_step_run base;
    /* Of each channel, the byte nearest to zero, and 1 / step. */
    uint8_t zero[4];
    float inverse[3];
};

static void fill_pixels(uint8_t *out, const uint8_t pixel[4], ptrdiff_t count)
{
    for (ptrdiff_t i = 0; i < count; i++) {
        memcpy(out + 4 * i, pixel, 4);
    }
}

/* Writes the padding around some rows of the net's input: left and right of them, and above the first or below the last
 * row. */
static void pad_rows(const struct quantize_run *run, uint8_t *y, int begin, int end)
{
    const struct vgg_activation *a = run->base.out;
    const ptrdiff_t side = (ptrdiff_t)a->pad * a->lanes, inside = (ptrdiff_t)a->shape.w * a->lanes;
    for (int row = begin; row < end; row++) {
        fill_pixels(y + row * a->row_stride - side, run->zero, a->pad);
        fill_pixels(y + row * a->row_stride + inside, run->zero, a->pad);
    }
    for (int row = 1; row <= a->pad; row++) {
        if (begin == 0) {
            fill_pixels(y - row * a->row_stride - side, run->zero, a->shape.w + 2 * a->pad);
        }
        if (end == a->shape.h) {
            fill_pixels(y + (a->shape.h + row - 1) * a->row_stride - side, run->zero,
                        a->shape.w + 2 * a->pad);
        }
    }
}

static void quantize_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct quantize_run *run = context;
    const struct vgg_plan_options *options = &run->base.plan->options;
    const struct vgg_activation *out = run->base.out;
    const struct vgg_task task = vgg_step_run_get_task(&run->base, index);
    const ptrdiff_t plane = (ptrdiff_t)out->shape.h * out->shape.w;
    const struct vgg_int8_quantize_args args = {
        .x = run->base.input + task.n * plane * out->shape.c,
        .x_channel_stride = plane,
        .x_row_stride = out->shape.w,
        .channels = out->shape.c,
        .low = options->grid->low,
        .inverse = run->inverse,
        .y = vgg_activation_get_bytes(out, task.n, 0),
        .y_row_stride = out->row_stride,
        .h_begin = task.begin,
        .h_end = task.end,
        .w = out->shape.w,
    };
    options->int8->quantize(&args);
    pad_rows(run, args.y, task.begin, task.end);
}

static void run_quantize(const struct vgg_step_run *base, struct vgg_pool *pool)
{
    const struct vgg_int8_grid *grid = base->plan->options.grid;
    struct quantize_run run = {.base = *base};
    for (int c = 0; c < 3; c++) {
        run.inverse[c] = 1.0f / grid->step[c];
        const float q = rintf((0 - grid->low[c]) * run.inverse[c]);
        if (c < base->out->shape.c) {
            run.zero[c] = (uint8_t)(q > 255 ? 255 : q > 0 ? q : 0);
        }
    }
    vgg_pool_run(pool, vgg_step_run_count_tasks(base), quantize_task, &run);
}

/* Computes some rows of the convolution and pools them while they are in the cache, until the task's rows are complete.
 *   args  the convolution of the task's rows; y is scratch for the pool's input
 *   y     the output's pixel (0, 0) */
static void convolve_and_pool(const struct vgg_step_run *run, const struct vgg_task *task,
                              struct vgg_int8_conv_args *args, uint8_t *y)
{
    const struct vgg_int8_kernels *kernels = run->plan->options.int8;
    const struct vgg_int8_conv_step *int8 = &run->step->int8_conv;
    const struct vgg_activation *out = run->out;
    const int side = int8->pool;
    const ptrdiff_t input_rows = (ptrdiff_t)side * int8->stride * run->in->row_stride;
    const uint8_t *x = args->x;
    args->ow = out->shape.w * side;
    args->y_row_stride = (ptrdiff_t)args->ow * VGG_INT8_BLOCK;
    args->oh_begin = 0;
    for (int begin = task->begin, end; begin < task->end; begin = end) {
        end = begin + int8->rows < task->end ? begin + int8->rows : task->end;
        args->x = x + begin * input_rows;
        args->oh_end = (end - begin) * side;
        kernels->conv(args);
        kernels->max_pool(&(struct vgg_int8_max_pool_args){
            .x = args->y,
            .x_row_stride = args->y_row_stride,
            .y = y + begin * out->row_stride,
            .y_row_stride = out->row_stride,
            .kernel = side,
            .stride = side,
            .oh_end = end - begin,
            .ow = out->shape.w,
        });
    }
}

static void conv_task(void *context, size_t index, int worker)
{
    const struct vgg_step_run *run = context;
    const struct vgg_step *step = run->step;
    const struct vgg_int8_conv_step *int8 = &step->int8_conv;
    const struct vgg_int8_weights *weights = &int8->weights;
    const struct vgg_activation *in = run->in, *out = run->out;
    const struct vgg_task task = vgg_step_run_get_task(run, index);
    const int first = task.group * (VGG_INT8_BLOCK / VGG_INT8_GROUP);
    const int left = vgg_ceil_div(out->shape.c, VGG_INT8_GROUP) - first;
    const ptrdiff_t channel = (ptrdiff_t)first * VGG_INT8_GROUP;
    uint8_t *y = vgg_activation_get_bytes(out, task.n, task.group);
    struct vgg_int8_conv_args args = {
        .x = vgg_activation_get_bytes(in, task.n, 0) - int8->padding * (in->row_stride + in->lanes),
        .x_block_stride = in->block_stride,
        .x_row_stride = in->row_stride,
        .ic_blocks = in->blocks,
        .ic_block = in->lanes,
        .kernel = int8->kernel,
        .stride = int8->stride,
        .weight = weights->weight + first * weights->weight_group_stride,
        .weight_group_stride = weights->weight_group_stride,
        .scaling = {weights->bias + channel, weights->scale + channel,
                    weights->weight_sum + channel},
        .y = y,
        .y_row_stride = out->row_stride,
        .groups = left < VGG_INT8_BLOCK / VGG_INT8_GROUP ? left : VGG_INT8_BLOCK / VGG_INT8_GROUP,
        .oh_begin = task.begin,
        .oh_end = task.end,
        .ow = out->shape.w,
    };
    if (int8->pool == 0) {
        run->plan->options.int8->conv(&args);
    } else {
        args.y = (uint8_t *)(run->scratch + (size_t)worker * step->scratch.slot_elements);
        convolve_and_pool(run, &task, &args, y);
    }
    vgg_activation_clear_padding(out, y, task.begin, task.end);
}

static void max_pool_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct vgg_step_run *run = context;
    const struct vgg_task task = vgg_step_run_get_task(run, index);
    const struct vgg_max_pool *pool = &run->step->max_pool;
    const struct vgg_int8_max_pool_args args = {
        .x = vgg_activation_get_bytes(run->in, task.n, task.group),
        .x_row_stride = run->in->row_stride,
        .y = vgg_activation_get_bytes(run->out, task.n, task.group),
        .y_row_stride = run->out->row_stride,
        .kernel = pool->kernel,
        .stride = pool->stride,
        .oh_begin = task.begin,
        .oh_end = task.end,
        .ow = run->out->shape.w,
    };
    run->plan->options.int8->max_pool(&args);
    vgg_activation_clear_padding(run->out, args.y, task.begin, task.end);
}

/* The mean of a window of one channel, rounded to nearest, ties up. */
static uint8_t average(const uint8_t *x, ptrdiff_t row_stride, int h, int w)
{
    uint64_t sum = 0;
    const uint64_t count = (uint64_t)h * (uint64_t)w;
    for (int i = 0; i < h; i++) {
        for (int j = 0; j < w; j++) {
            sum += x[i * row_stride + (ptrdiff_t)j * VGG_INT8_BLOCK];
        }
    }
    return (uint8_t)((sum + count / 2) / count);
}

/* An adaptive average pool of one block of channels; the windows are defined in kernels.h. */
static void avg_pool_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct vgg_step_run *run = context;
    const struct vgg_task task = vgg_step_run_get_task(run, index);
    const struct vgg_shape in = run->in->shape, out = run->out->shape;
    const uint8_t *x = vgg_activation_get_bytes(run->in, task.n, task.group);
    uint8_t *y = vgg_activation_get_bytes(run->out, task.n, task.group);
    for (int oh = 0; oh < out.h; oh++) {
        const int h_begin = (int)((int64_t)oh * in.h / out.h);
        const int h_end = (int)((((int64_t)oh + 1) * in.h + out.h - 1) / out.h);
        for (int ow = 0; ow < out.w; ow++) {
            const int w_begin = (int)((int64_t)ow * in.w / out.w);
            const int w_end = (int)((((int64_t)ow + 1) * in.w + out.w - 1) / out.w);
            const uint8_t *corner =
                x + h_begin * run->in->row_stride + (ptrdiff_t)w_begin * VGG_INT8_BLOCK;
            uint8_t *pixel = y + oh * run->out->row_stride + (ptrdiff_t)ow * VGG_INT8_BLOCK;
            for (int c = 0; c < VGG_INT8_BLOCK; c++) {
                pixel[c] =
                    average(corner + c, run->in->row_stride, h_end - h_begin, w_end - w_begin);
            }
        }
    }
    vgg_activation_clear_padding(run->out, y, 0, out.h);
}

/* NCHWc to features in PyTorch's order, padded with zeros to whole blocks. */
static void flatten_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct vgg_step_run *run = context;
    const struct vgg_activation *in = run->in;
    const struct vgg_shape shape = in->shape;
    uint8_t *y = vgg_activation_get_bytes(run->out, (int)index, 0);
    const uint8_t *const end = y + run->out->n_stride;
    for (int c = 0; c < shape.c; c++) {
        const uint8_t *x = vgg_activation_get_bytes(in, (int)index, c / in->lanes) + c % in->lanes;
        for (int h = 0; h < shape.h; h++) {
            for (int w = 0; w < shape.w; w++) {
                *y++ = x[h * in->row_stride + (ptrdiff_t)w * in->lanes];
            }
        }
    }
    memset(y, 0, (size_t)(end - y));
}

static void linear_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct vgg_step_run *run = context;
    const struct vgg_step *step = run->step;
    const struct vgg_int8_linear_step *int8 = &step->int8_linear;
    const struct vgg_int8_weights *weights = &int8->weights;
    const struct vgg_activation *out = run->out;
    const int64_t groups = vgg_ceil_div(out->shape.c, VGG_INT8_GROUP);
    const bool bytes = out->element_bytes == 1;
    const struct vgg_int8_linear_args args = {
        .x = run->in->data_bytes,
        .x_stride = run->in->n_stride,
        .k_blocks = int8->k_blocks,
        .weight = weights->weight,
        .scaling = {weights->bias, weights->scale, weights->weight_sum},
        .y = bytes ? out->data_bytes : NULL,
        .y_float = bytes ? NULL : out->data,
        .y_stride = out->n_stride,
        .begin = (int)(groups * (int64_t)index / step->cut.groups),
        .end = (int)(groups * ((int64_t)index + 1) / step->cut.groups),
        .rows = out->shape.c,
        .n = run->count,
    };
    run->plan->options.int8->linear(&args);
    if (bytes && args.end == groups) {
        /* Clears features up to a whole block, because the next layer reads whole blocks. */
        const ptrdiff_t written = (ptrdiff_t)groups * VGG_INT8_GROUP;
        for (int n = 0; n < run->count && written < out->n_stride; n++) {
            memset(vgg_activation_get_bytes(out, n, 0) + written, 0,
                   (size_t)(out->n_stride - written));
        }
    }
}

void vgg_int8_run_step(struct vgg_executor *executor, const struct vgg_step *step)
{
    struct vgg_step_run run = vgg_step_run_make(executor, step);
    struct vgg_pool *pool = executor->pool;
    const size_t tasks = vgg_step_run_count_tasks(&run);
    switch (step->kind) {
    case VGG_STEP_QUANTIZE_INPUT:
        run_quantize(&run, pool);
        break;
    case VGG_STEP_INT8_CONV:
        vgg_pool_run(pool, tasks, conv_task, &run);
        break;
    case VGG_STEP_MAX_POOL:
        vgg_pool_run(pool, tasks, max_pool_task, &run);
        break;
    case VGG_STEP_AVG_POOL:
        vgg_pool_run(pool, tasks, avg_pool_task, &run);
        break;
    case VGG_STEP_FLATTEN:
        vgg_pool_run(pool, tasks, flatten_task, &run);
        break;
    case VGG_STEP_INT8_LINEAR:
        vgg_pool_run(pool, (size_t)step->cut.groups, linear_task, &run);
        break;
    default:
        /* IDENTITY; int8 nets have no other kinds. */
        break;
    }
}

void vgg_int8_to_nchw(const struct vgg_plan *plan, const struct vgg_activation *a, int image,
                      float *out)
{
    const bool input = a->lanes == VGG_INT8_INPUT_BLOCK;
    for (int c = 0; c < a->shape.c; c++) {
        const uint8_t *x = vgg_activation_get_bytes(a, image, c / a->lanes) + c % a->lanes;
        const float low = input ? plan->options.grid->low[c] : 0;
        const float scale = input ? plan->options.grid->step[c] : a->scale;
        for (int h = 0; h < a->shape.h; h++) {
            for (int w = 0; w < a->shape.w; w++) {
                *out++ = low + (float)x[h * a->row_stride + (ptrdiff_t)w * a->lanes] * scale;
            }
        }
    }
}
