/* SPDX-License-Identifier: MIT */
/* The thread pool: a generation number announces a loop, an atomic counter hands out its tasks.
 *
 * Between the layers of one net a worker waits for microseconds, so it spins a little before it
 * sleeps; between two images it sleeps, so that an idle session costs no CPU time. */
#include "base/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "base/cpu.h"
#include "base/mem.h"

enum { SPINS = 2000 }; /* some tens of microseconds */

struct worker {
    pthread_t thread;
    struct vgg_pool *pool;
    int index;
};

struct vgg_pool {
    int threads;
    int started;            /* workers that exist: threads - 1 once all are started */
    struct worker *workers; /* [threads] */
    struct vgg_allocator allocator;
    pthread_mutex_t mutex;
    pthread_cond_t work_ready; /* generation has changed, or quit */
    pthread_cond_t work_done;  /* busy has become 0 */
    bool quit;

    vgg_task_fn *fn;
    void *context;
    size_t count;

    _Alignas(VGG_ALIGN_BYTES) atomic_size_t next; /* the next task to hand out */
    _Alignas(VGG_ALIGN_BYTES) atomic_uint generation;
    _Alignas(VGG_ALIGN_BYTES) atomic_int busy; /* workers that have not finished the loop */
};

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) || (defined(__arm__) && __ARM_ARCH >= 7)
    __asm__ volatile("yield");
#endif
}

static void take_tasks(struct vgg_pool *pool, int worker)
{
    for (;;) {
        size_t i = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (i >= pool->count) {
            return;
        }
        pool->fn(pool->context, i, worker);
    }
}

/* Waits until the generation differs from seen; false when the pool ends. */
static bool wait_for_work(struct vgg_pool *pool, unsigned seen)
{
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load_explicit(&pool->generation, memory_order_acquire) != seen) {
            return true;
        }
        relax();
    }
    pthread_mutex_lock(&pool->mutex);
    while (atomic_load_explicit(&pool->generation, memory_order_acquire) == seen && !pool->quit) {
        pthread_cond_wait(&pool->work_ready, &pool->mutex);
    }
    bool quit = atomic_load_explicit(&pool->generation, memory_order_acquire) == seen;
    pthread_mutex_unlock(&pool->mutex);
    return !quit;
}

static void *worker_main(void *argument)
{
    const struct worker *self = argument;
    struct vgg_pool *pool = self->pool;
    unsigned seen = 0;
    vgg_denormals_off();
    while (wait_for_work(pool, seen)) {
        seen++;
        take_tasks(pool, self->index);
        if (atomic_fetch_sub_explicit(&pool->busy, 1, memory_order_acq_rel) == 1) {
            pthread_mutex_lock(&pool->mutex);
            pthread_cond_signal(&pool->work_done);
            pthread_mutex_unlock(&pool->mutex);
        }
    }
    return NULL;
}

/* Starts the workers; those that the system does not let start are left out. */
static void start(struct vgg_pool *pool, const struct vgg_context *context)
{
    const int wanted = pool->threads;
    for (int i = 1; i < wanted; i++) {
        struct worker *worker = &pool->workers[i - 1];
        worker->pool = pool;
        worker->index = i;
        int failure = pthread_create(&worker->thread, NULL, worker_main, worker);
        if (failure != 0) {
            pool->threads = i;
            vgg_log(context, VGG_LOG_WARNING, "%d of %d threads: the next cannot be started: %s", i,
                    wanted, strerror(failure));
            return;
        }
        pool->started = i;
    }
}

vgg_status vgg_pool_create(int threads, const struct vgg_context *context, struct vgg_pool **out,
                           struct vgg_error *err)
{
    const struct vgg_allocator *allocator = vgg_allocator_of(context);
    *out = NULL;
    struct vgg_pool *pool = vgg_aligned_alloc(allocator, sizeof *pool);
    if (pool == NULL) {
        return vgg_fail_memory(err, "threads", sizeof *pool, "the thread pool");
    }
    *pool = (struct vgg_pool){.threads = threads};
    if (allocator != NULL) {
        pool->allocator = *allocator;
    }
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->work_ready, NULL);
    pthread_cond_init(&pool->work_done, NULL);
    pool->workers = vgg_mem_alloc_cleared(&pool->allocator, (size_t)threads, sizeof *pool->workers);
    if (pool->workers == NULL) {
        vgg_pool_destroy(pool);
        return vgg_fail_memory(err, "threads", (size_t)threads * sizeof *pool->workers,
                               "the thread pool");
    }
    start(pool, context);
    *out = pool;
    return VGG_OK;
}

void vgg_pool_destroy(struct vgg_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    pthread_mutex_lock(&pool->mutex);
    pool->quit = true;
    pthread_cond_broadcast(&pool->work_ready);
    pthread_mutex_unlock(&pool->mutex);
    for (int i = 0; i < pool->started; i++) {
        pthread_join(pool->workers[i].thread, NULL);
    }
    pthread_cond_destroy(&pool->work_done);
    pthread_cond_destroy(&pool->work_ready);
    pthread_mutex_destroy(&pool->mutex);
    const struct vgg_allocator allocator = pool->allocator;
    vgg_mem_free(&allocator, pool->workers);
    vgg_mem_free(&allocator, pool);
}

int vgg_pool_get_threads(const struct vgg_pool *pool)
{
    return pool->threads;
}

void vgg_pool_run(struct vgg_pool *pool, size_t count, vgg_task_fn *fn, void *context)
{
    uint64_t saved = vgg_denormals_off();
    pool->fn = fn;
    pool->context = context;
    pool->count = count;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    bool shared = pool->started > 0 && count > 1;
    if (shared) {
        atomic_store_explicit(&pool->busy, pool->started, memory_order_relaxed);
        /* The lock keeps the announcement from falling between a worker's last look and its sleep. */
        pthread_mutex_lock(&pool->mutex);
        atomic_fetch_add_explicit(&pool->generation, 1, memory_order_release);
        pthread_cond_broadcast(&pool->work_ready);
        pthread_mutex_unlock(&pool->mutex);
    }
    take_tasks(pool, 0);
    if (shared) {
        for (int i = 0; i < SPINS; i++) {
            if (atomic_load_explicit(&pool->busy, memory_order_acquire) == 0) {
                goto done;
            }
            relax();
        }
        pthread_mutex_lock(&pool->mutex);
        while (atomic_load_explicit(&pool->busy, memory_order_acquire) != 0) {
            pthread_cond_wait(&pool->work_done, &pool->mutex);
        }
        pthread_mutex_unlock(&pool->mutex);
    }
done:
    vgg_denormals_restore(saved);
}
