/* SPDX-License-Identifier: MIT */
/* Running a step as tasks: each computes a group of channels and a chunk of output rows of one image. */
#ifndef VGG_PLAN_TASK_H
#define VGG_PLAN_TASK_H

#include "base/arith.h"
#include "plan/types.h"

/* Tasks that a step is cut into for each thread, so that no thread waits long for the last one. */
enum { VGG_TASKS_PER_THREAD = 4 };

/* The number of chunks that `rows` output rows are cut into: at least min_chunks, and enough to occupy all threads.
 *   tasks_per_chunk  of a chunk of rows: images times groups */
static inline int vgg_cut_rows(const struct vgg_plan *plan, int rows, int min_chunks,
                               int64_t tasks_per_chunk)
{
    const int64_t tasks = (int64_t)VGG_TASKS_PER_THREAD * plan->options.threads;
    const int wanted = (int)((tasks + tasks_per_chunk - 1) / tasks_per_chunk);
    return vgg_clamp(min_chunks > wanted ? min_chunks : wanted, 1, rows);
}

/* What the tasks of one step need. */
struct vgg_step_run {
    const struct vgg_plan *plan;
    const struct vgg_step *step;
    /* `in` is NULL for QUANTIZE_INPUT. */
    const struct vgg_activation *in, *out;
    /* The caller's, [count][c][h][w]. */
    const float *input;
    /* Images. */
    int count;
    /* [slots][slot_elements] */
    float *scratch;
};

static inline struct vgg_step_run vgg_step_run_make(const struct vgg_executor *executor,
                                                    const struct vgg_step *step)
{
    return (struct vgg_step_run){
        .plan = executor->plan,
        .step = step,
        .in = step->in >= 0 ? &executor->activations[step->in] : NULL,
        .out = &executor->activations[step->out],
        .input = executor->input,
        .count = executor->count,
        .scratch = vgg_executor_get_state(executor, step)->scratch,
    };
}

static inline size_t vgg_step_run_count_tasks(const struct vgg_step_run *run)
{
    const struct vgg_cut *cut = &run->step->cut;
    return (size_t)run->count * (size_t)cut->groups * (size_t)cut->chunks;
}

struct vgg_task {
    int n, group;
    /* Rows of the output. */
    int begin, end;
};

/* Sets the rows of chunk 0 … chunks-1 of all `rows`. */
static inline void vgg_task_set_rows(struct vgg_task *task, int rows, size_t chunk, size_t chunks)
{
    task->begin = (int)((size_t)rows * chunk / chunks);
    task->end = (int)((size_t)rows * (chunk + 1) / chunks);
}

/* The task number `index` of count * groups * chunks. */
static inline struct vgg_task vgg_step_run_get_task(const struct vgg_step_run *run, size_t index)
{
    const struct vgg_cut *cut = &run->step->cut;
    const size_t groups = (size_t)cut->groups, chunks = (size_t)cut->chunks;
    const size_t n = index / (groups * chunks), rest = index % (groups * chunks);
    const size_t group = cut->groups_first ? rest / chunks : rest % groups;
    const size_t chunk = cut->groups_first ? rest % chunks : rest / groups;
    struct vgg_task task = {.n = (int)n, .group = (int)group};
    vgg_task_set_rows(&task, run->out->shape.h, chunk, chunks);
    return task;
}

/* The task number `index` of count * chunks, where a task computes all groups. */
static inline struct vgg_task vgg_step_run_get_chunk(const struct vgg_step_run *run, size_t index)
{
    const size_t chunks = (size_t)run->step->cut.chunks;
    struct vgg_task task = {.n = (int)(index / chunks)};
    vgg_task_set_rows(&task, run->out->shape.h, index % chunks, chunks);
    return task;
}

/* Scratch of the thread that runs a task. */
static inline float *vgg_step_run_get_scratch(const struct vgg_step_run *run, int worker)
{
    return run->scratch + (size_t)worker * run->step->scratch.slot_elements;
}

/* Runs all tasks of the step. */
static inline void vgg_step_run_all(struct vgg_step_run *run, struct vgg_pool *pool,
                                    vgg_task_fn *task)
{
    vgg_pool_run(pool, vgg_step_run_count_tasks(run), task, run);
}

#endif
