/* SPDX-License-Identifier: MIT */
/* Measures the machine's peak: arithmetic on operands in the first-level cache, and reading the largest weights. */
#include "session/roofline.h"

#include "base/clock.h"

enum { MIN_READ_BYTES = 32 << 20, ROUNDS = 3 };

struct peak_run {
    const struct vgg_kernels *kernels;
    const struct vgg_int8_kernels *int8; /* not NULL: operations are products of bytes */
    const char *data;                    /* [threads][slice_bytes], or NULL */
    size_t slice_bytes;
    double flops; /* of one task */
};

static double seconds(void)
{
    return 1e-9 * (double)vgg_now_ns();
}

/* Arithmetic in a few milliseconds a round. */
static void peak_task(struct peak_run *run, size_t index, void (*peak)(struct vgg_peak_args *args),
                      int64_t iterations)
{
    struct vgg_peak_args args = {.iterations = iterations, .seed = 0x1p-10f * (float)(index % 64)};
    peak(&args);
    if (index == 0) {
        run->flops = args.flops; /* the same for every task */
    }
}

static void fma_task(void *context, size_t index, int worker)
{
    (void)worker;
    struct peak_run *run = context;
    peak_task(run, index, run->kernels->fma_peak, 150000);
}

static void product_task(void *context, size_t index, int worker)
{
    (void)worker;
    struct peak_run *run = context;
    peak_task(run, index, run->kernels->product_peak, run->kernels->v_terms > 1 ? 50000 : 150000);
}

static void int8_task(void *context, size_t index, int worker)
{
    (void)worker;
    struct peak_run *run = context;
    struct vgg_int8_peak_args args = {.iterations = 300000};
    run->int8->peak(&args);
    if (index == 0) {
        run->flops = args.operations;
    }
}

static void read_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct peak_run *run = context;
    run->kernels->read_peak(&(struct vgg_read_args){
        .data = run->data + index * run->slice_bytes,
        .bytes = run->slice_bytes,
    });
}

/* The shortest of a few rounds: the peak is what the machine can do, not what it did on average. */
static double best_time(struct vgg_pool *pool, size_t tasks, vgg_task_fn *fn, struct peak_run *run)
{
    double best = 0;
    for (int round = 0; round < ROUNDS; round++) {
        const double start = seconds();
        vgg_pool_run(pool, tasks, fn, run);
        const double time = seconds() - start;
        best = round == 0 || time < best ? time : best;
    }
    return best;
}

/* The weights of a linear layer, if its kernel reads them from beginning to end; else NULL. */
static const void *get_linear_weights(const struct vgg_step *step)
{
    /* Without in_place each task converts its rows from another element type. */
    return step->kind == VGG_STEP_INT8_LINEAR ? step->int8_linear.weights.weight
           : vgg_step_is_linear(step)         ? step->linear.in_place
                                              : NULL;
}

void vgg_plan_measure_peak(const struct vgg_plan *plan, struct vgg_pool *pool, struct vgg_peak *out)
{
    const size_t threads = (size_t)vgg_pool_get_threads(pool);
    struct peak_run run = {.kernels = plan->options.kernels, .int8 = plan->options.int8};
    size_t bytes = 0;
    *out = (struct vgg_peak){0};
    double time = best_time(pool, threads, run.int8 != NULL ? int8_task : fma_task, &run);
    out->flops_per_second = run.flops * (double)threads / time;
    if (run.int8 == NULL) {
        time = best_time(pool, threads, product_task, &run);
        out->winograd_flops_per_second = run.flops * (double)threads / time;
    }
    for (int s = 0; s < plan->step_count; s++) {
        const void *weights = get_linear_weights(&plan->steps[s]);
        if (weights != NULL && plan->info[s].weight_bytes > bytes) {
            bytes = plan->info[s].weight_bytes;
            run.data = weights;
        }
    }
    if (bytes >= MIN_READ_BYTES) {
        /* Slices of the size of a task of the layer itself, for the same pattern of reads. */
        const size_t slices = bytes >> 20;
        run.slice_bytes = 1 << 20;
        out->bytes_per_second = (double)(slices << 20) / best_time(pool, slices, read_task, &run);
    }
}
