/* SPDX-License-Identifier: MIT */
/* What the tasks of a step need that has nothing but an input, an output and scratch. */
#ifndef VGG_PLAN_F32_STEP_RUN_H
#define VGG_PLAN_F32_STEP_RUN_H

#include "plan/task.h"

struct vgg_step_run {
    const struct vgg_executor *executor;
    const struct vgg_kernels *kernels;
    const struct vgg_step *step;
    const struct vgg_activation *in, *out;
    float *scratch;
};

static inline struct vgg_step_run vgg_step_run_make(const struct vgg_executor *executor,
                                                    const struct vgg_step *step)
{
    return (struct vgg_step_run){
        .executor = executor,
        .kernels = executor->plan->options.kernels,
        .step = step,
        .in = &executor->activations[step->in],
        .out = &executor->activations[step->out],
        .scratch = vgg_executor_get_state(executor, step)->scratch,
    };
}

static inline struct vgg_task vgg_step_run_get_task(const struct vgg_step_run *run, size_t index)
{
    return vgg_task_get(run->step, run->out->shape.h, index);
}

/* Scratch of the thread that runs a task. */
static inline float *vgg_step_run_get_scratch(const struct vgg_step_run *run, int worker)
{
    return run->scratch + (size_t)worker * run->step->scratch.slot_elements;
}

/* Runs all tasks of the step. */
static inline void vgg_step_run_all(struct vgg_step_run *run, vgg_task_fn *task)
{
    const struct vgg_cut *cut = &run->step->cut;
    vgg_pool_run(run->executor->pool,
                 (size_t)run->executor->count * (size_t)cut->groups * (size_t)cut->chunks, task,
                 run);
}

#endif
