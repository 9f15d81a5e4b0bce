/* SPDX-License-Identifier: MIT */
/* One task of a step: an image, a group of channels, a chunk of output rows. */
#ifndef VGG_PLAN_TASK_H
#define VGG_PLAN_TASK_H

#include "plan/types.h"

struct vgg_task {
    int n, group;
    int begin, end; /* rows */
};

/* The rows of chunk 0 … chunks-1. */
static inline void vgg_task_set_rows(struct vgg_task *task, int rows, size_t chunk, size_t chunks)
{
    task->begin = (int)((size_t)rows * chunk / chunks);
    task->end = (int)((size_t)rows * (chunk + 1) / chunks);
}

/* Which task of a step is `index`, of count * groups * chunks.
 *   rows  of its output */
static inline struct vgg_task vgg_task_get(const struct vgg_step *step, int rows, size_t index)
{
    const size_t groups = (size_t)step->cut.groups, chunks = (size_t)step->cut.chunks;
    const size_t n = index / (groups * chunks), rest = index % (groups * chunks);
    const size_t group = step->cut.groups_first ? rest / chunks : rest % groups;
    struct vgg_task task = {.n = (int)n, .group = (int)group};
    vgg_task_set_rows(&task, rows, step->cut.groups_first ? rest % chunks : rest / groups, chunks);
    return task;
}

#endif
