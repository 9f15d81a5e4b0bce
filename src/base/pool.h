/* SPDX-License-Identifier: MIT */
/* A fixed set of threads that share out the tasks of one loop at a time. */
#ifndef VGG_BASE_POOL_H
#define VGG_BASE_POOL_H

#include "base/status.h"

struct vgg_pool;

/* Starts threads - 1 workers; the calling thread is the other one. Where the system does not let all start, there are
 * fewer, and a warning is logged.
 *   context  may be NULL
 * Errors: MEMORY. */
vgg_status vgg_pool_create(int threads, const struct vgg_context *context, struct vgg_pool **out,
                           struct vgg_error *err);
void vgg_pool_destroy(struct vgg_pool *pool);
/* Those that have started. */
int vgg_pool_get_threads(const struct vgg_pool *pool);

/* Calls fn(context, i, worker) once for each i in 0 … count-1, on the calling thread and the workers;
 * returns when all are done. Tasks are handed out in order, one at a time; worker, 0 … threads-1, is the index of the
 * thread. Denormals are off inside fn. One loop at a time per pool. Allocates nothing. */
typedef void vgg_task_fn(void *context, size_t index, int worker);
void vgg_pool_run(struct vgg_pool *pool, size_t count, vgg_task_fn *fn, void *context);

#endif
