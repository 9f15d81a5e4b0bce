/* SPDX-License-Identifier: MIT */
/* Running plans in tests; see plan_run.h. */
#include "plan_run.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/dispatch.h"
#include "kernels/int8_dispatch.h"
#include "amx_model.h"
#include "tile_unit.h"

const struct vgg_kernels *plan_find_kernels(int number)
{
    return number == PLAN_MODEL ? &vgg_kernels_amx_model
                                : vgg_kernels_find((enum vgg_isa)number, NULL);
}

const struct vgg_int8_kernels *plan_get_int8_kernels(int number)
{
    return number == 0 ? &vgg_int8_kernels_amx_model : vgg_int8_kernels_get(number - 1);
}

atomic_int plan_allocations;

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *block, size_t bytes);
void *__real_aligned_alloc(size_t align, size_t bytes);
int __real_posix_memalign(void **block, size_t align, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *block, size_t bytes);
void *__wrap_aligned_alloc(size_t align, size_t bytes);
int __wrap_posix_memalign(void **block, size_t align, size_t bytes);

void *__wrap_malloc(size_t bytes)
{
    plan_allocations++;
    return __real_malloc(bytes);
}
void *__wrap_calloc(size_t count, size_t bytes)
{
    plan_allocations++;
    return __real_calloc(count, bytes);
}
void *__wrap_realloc(void *block, size_t bytes)
{
    plan_allocations++;
    return __real_realloc(block, bytes);
}
void *__wrap_aligned_alloc(size_t align, size_t bytes)
{
    plan_allocations++;
    return __real_aligned_alloc(align, bytes);
}
int __wrap_posix_memalign(void **block, size_t align, size_t bytes)
{
    plan_allocations++;
    return __real_posix_memalign(block, align, bytes);
}

void plan_run(const struct net *net, const struct vgg_plan_options *options, int threads,
              const struct plan_input *input, const struct plan_listener *listener, float *logits)
{
    const size_t image = 3 * (size_t)options->input.h * (size_t)options->input.w;
    const struct plan_listener nobody = {0}, *to = listener != NULL ? listener : &nobody;
    struct vgg_plan_options with = *options;
    struct vgg_error err = {0};
    struct vgg_pool *pool;
    struct vgg_plan *plan;
    struct vgg_executor *executor;
    with.unfused = options->unfused || listener != NULL;
    ck_assert_int_eq(vgg_pool_create(threads, NULL, &pool, NULL), VGG_OK);
    vgg_status status =
        vgg_plan_create(&(struct vgg_net){net->nodes, net->count, "net"}, &with, pool, &plan, &err);
    ck_assert_msg(status == VGG_OK, "%s", err.message);
    ck_assert_int_eq(plan->class_count, NET_CLASSES);
    const struct vgg_node_listener on = {to->on_node, to->user};
    status = vgg_executor_create(plan, pool, &on, &executor, &err);
    ck_assert_msg(status == VGG_OK, "%s", err.message);
    /* What a run leaves behind must not reach the next one: here it is NaN. */
    memset(executor->slab, 0xff, plan->slab_bytes);
    ck_assert_int_gt(plan_allocations, 0); /* they are counted indeed */
    const int before = plan_allocations;
    for (int n = 0; n < input->count; n += input->at_once) {
        const int left = input->count - n;
        vgg_executor_run(executor, input->images + (size_t)n * image,
                         left < input->at_once ? left : input->at_once,
                         logits + (size_t)n * NET_CLASSES);
    }
    ck_assert_int_eq(plan_allocations, before);
    ck_assert(!tile_unit_is_configured()); /* the kernels have released it */
    vgg_executor_destroy(executor);
    vgg_plan_destroy(plan);
    vgg_pool_destroy(pool);
}

double plan_compare(const float *a, const float *b, size_t count)
{
    double error = 0, largest = 0;
    for (size_t i = 0; i < count; i++) {
        error = fmax(error, fabs((double)a[i] - (double)b[i]));
        largest = fmax(largest, fabs((double)b[i]));
        ck_assert(isfinite(a[i]));
    }
    return error / largest;
}
