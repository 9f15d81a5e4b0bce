/* SPDX-License-Identifier: MIT */
/* Running the plan of an int8 net. Integers and single roundings: neither threads nor the instruction set change
 * a bit. */
#include "plan/int8/int8_run.h"

#include <math.h>
#include <string.h>

#include "base/arith.h"
#include "plan/activation.h"
#include "plan/task.h"

/* What the tasks of one step need. */
struct step_run {
    const struct vgg_plan *plan;
    const struct vgg_step *step;
    const struct vgg_activation *in, *out;
    const float *input;   /* the caller's, for QUANTIZE_INPUT */
    uint8_t zero[4];      /* QUANTIZE_INPUT: the byte nearest to zero in each channel */
    const float *inverse; /* and 1 / step */
    int count;            /* images */
    uint8_t *scratch;     /* [slots][slot_elements] floats */
};

static struct vgg_task get_task(const struct step_run *run, size_t index)
{
    return vgg_task_get(run->step, run->out->shape.h, index);
}

static uint8_t *block_of(const struct vgg_activation *a, int n, int block)
{
    return a->data_bytes + n * a->n_stride + block * a->block_stride;
}

static void fill_pixels(uint8_t *out, const uint8_t pixel[4], ptrdiff_t count)
{
    for (ptrdiff_t i = 0; i < count; i++) {
        memcpy(out + 4 * i, pixel, 4);
    }
}

/* The padding of zeros around some rows of the net's input, with the corners at its top and bottom. */
static void pad_rows(const struct step_run *run, uint8_t *y, int begin, int end)
{
    const struct vgg_activation *a = run->out;
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
    const struct step_run *run = context;
    const struct vgg_task task = get_task(run, index);
    const struct vgg_shape shape = run->out->shape;
    const ptrdiff_t plane = (ptrdiff_t)shape.h * shape.w;
    const struct vgg_int8_quantize_args args = {
        .x = run->input + task.n * plane * shape.c,
        .x_channel_stride = plane,
        .x_row_stride = shape.w,
        .channels = shape.c,
        .low = run->plan->options.grid->low,
        .inverse = run->inverse,
        .y = block_of(run->out, task.n, 0),
        .y_row_stride = run->out->row_stride,
        .h_begin = task.begin,
        .h_end = task.end,
        .w = shape.w,
    };
    run->plan->options.int8->quantize(&args);
    pad_rows(run, args.y, task.begin, task.end);
}

static void run_quantize(struct step_run *run, struct vgg_pool *pool, size_t tasks)
{
    const struct vgg_int8_grid *grid = run->plan->options.grid;
    float inverse[3];
    for (int c = 0; c < 3; c++) {
        inverse[c] = 1.0f / grid->step[c];
        const float q = rintf((0 - grid->low[c]) * inverse[c]);
        if (c < run->out->shape.c) {
            run->zero[c] = (uint8_t)(q > 255 ? 255 : q > 0 ? q : 0);
        }
    }
    run->inverse = inverse;
    vgg_pool_run(pool, tasks, quantize_task, run);
}

static void conv_task(void *context, size_t index, int worker)
{
    const struct step_run *run = context;
    const struct vgg_step *step = run->step;
    const struct vgg_int8_conv_step *int8 = &step->int8_conv;
    const struct vgg_int8_weights *weights = &int8->weights;
    const struct vgg_activation *in = run->in, *out = run->out;
    const struct vgg_task task = get_task(run, index);
    const int first = task.group * (VGG_INT8_BLOCK / VGG_INT8_GROUP);
    const int left = vgg_ceil_div(out->shape.c, VGG_INT8_GROUP) - first;
    const ptrdiff_t channel = (ptrdiff_t)first * VGG_INT8_GROUP;
    uint8_t *y = block_of(out, task.n, task.group);
    struct vgg_int8_conv_args args = {
        .x = block_of(in, task.n, 0) - int8->padding * (in->row_stride + in->lanes),
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
        const int side = int8->pool;
        const ptrdiff_t input_rows = (ptrdiff_t)side * int8->stride * in->row_stride;
        const uint8_t *x = args.x;
        args.y = run->scratch + (size_t)worker * step->scratch.slot_elements * sizeof(float);
        args.ow = out->shape.w * side;
        args.y_row_stride = (ptrdiff_t)args.ow * VGG_INT8_BLOCK;
        args.oh_begin = 0;
        for (int begin = task.begin, end; begin < task.end; begin = end) {
            end = begin + int8->rows < task.end ? begin + int8->rows : task.end;
            args.x = x + begin * input_rows;
            args.oh_end = (end - begin) * side;
            run->plan->options.int8->conv(&args);
            run->plan->options.int8->max_pool(&(struct vgg_int8_max_pool_args){
                .x = args.y,
                .x_row_stride = args.y_row_stride,
                .y = y + begin * out->row_stride,
                .y_row_stride = out->row_stride,
                .kernel = side,
                .stride = side,
                .oh_end = end - begin,
                .ow = out->shape.w,
            });
        }
    }
    vgg_activation_clear_padding(out, y, task.begin, task.end);
}

static void max_pool_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct step_run *run = context;
    const struct vgg_task task = get_task(run, index);
    const struct vgg_max_pool *pool = &run->step->max_pool;
    const struct vgg_int8_max_pool_args args = {
        .x = block_of(run->in, task.n, task.group),
        .x_row_stride = run->in->row_stride,
        .y = block_of(run->out, task.n, task.group),
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

/* The mean of a window of one channel, rounded to nearest, halves up. */
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

/* One block of channels of an adaptive average pool, whose windows are those of kernels.h. */
static void avg_pool_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct step_run *run = context;
    const struct vgg_task task = get_task(run, index);
    const struct vgg_shape in = run->in->shape, out = run->out->shape;
    const uint8_t *x = block_of(run->in, task.n, task.group);
    uint8_t *y = block_of(run->out, task.n, task.group);
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

/* Blocks into features in PyTorch's order; zeros up to whole blocks of them. */
static void flatten_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct step_run *run = context;
    const struct vgg_activation *in = run->in;
    const struct vgg_shape shape = in->shape;
    uint8_t *y = block_of(run->out, (int)index, 0);
    const uint8_t *const end = y + run->out->n_stride;
    for (int c = 0; c < shape.c; c++) {
        const uint8_t *x = block_of(in, (int)index, c / in->lanes) + c % in->lanes;
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
    const struct step_run *run = context;
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
        /* Up to a whole block of features, as the next layer reads them. */
        const ptrdiff_t written = (ptrdiff_t)groups * VGG_INT8_GROUP;
        for (int n = 0; n < run->count && written < out->n_stride; n++) {
            memset(block_of(out, n, 0) + written, 0, (size_t)(out->n_stride - written));
        }
    }
}

void vgg_int8_run_step(struct vgg_executor *executor, const struct vgg_step *step)
{
    struct step_run run = {
        .plan = executor->plan,
        .step = step,
        .in = step->in >= 0 ? &executor->activations[step->in] : NULL,
        .out = &executor->activations[step->out],
        .input = executor->input,
        .count = executor->count,
        .scratch = (uint8_t *)vgg_executor_get_state(executor, step)->scratch,
    };
    struct vgg_pool *pool = executor->pool;
    const size_t tasks = (size_t)run.count * (size_t)step->cut.groups * (size_t)step->cut.chunks;
    switch (step->kind) {
    case VGG_STEP_QUANTIZE_INPUT:
        run_quantize(&run, pool, tasks);
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
    default: /* IDENTITY: int8 nets have no others */
        break;
    }
}

void vgg_int8_to_nchw(const struct vgg_plan *plan, const struct vgg_activation *a, int image,
                      float *out)
{
    const bool input = a->lanes == VGG_INT8_INPUT_BLOCK;
    for (int c = 0; c < a->shape.c; c++) {
        const uint8_t *x = block_of(a, image, c / a->lanes) + c % a->lanes;
        const float low = input ? plan->options.grid->low[c] : 0;
        const float scale = input ? plan->options.grid->step[c] : a->scale;
        for (int h = 0; h < a->shape.h; h++) {
            for (int w = 0; w < a->shape.w; w++) {
                *out++ = low + (float)x[h * a->row_stride + (ptrdiff_t)w * a->lanes] * scale;
            }
        }
    }
}
