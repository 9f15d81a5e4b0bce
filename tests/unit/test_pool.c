/* SPDX-License-Identifier: MIT */
/* base/pool: each task exactly once, whatever the threads; loops in a row; the denormal mode. */
#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/cpu.h"
#include "base/pool.h"

enum { MAX_TASKS = 1000, MAX_THREADS = 8 };

struct tally {
    atomic_int runs[MAX_TASKS];
    atomic_int strangers; /* calls with a worker or an index that cannot be */
    int threads;
    size_t count;
};

static void count_task(void *context, size_t index, int worker)
{
    struct tally *tally = context;
    if (worker < 0 || worker >= tally->threads || index >= tally->count) {
        tally->strangers++;
        return;
    }
    tally->runs[index]++;
}

static struct vgg_pool *create(int threads)
{
    struct vgg_pool *pool;
    ck_assert_int_eq(vgg_pool_create(threads, NULL, &pool, NULL), VGG_OK);
    ck_assert_int_eq(vgg_pool_get_threads(pool), threads);
    return pool;
}

/* One loop; every task must have run once. */
static void run_loop(struct vgg_pool *pool, size_t count)
{
    static struct tally tally;
    memset(&tally, 0, sizeof tally);
    tally.threads = vgg_pool_get_threads(pool);
    tally.count = count;
    vgg_pool_run(pool, count, count_task, &tally);
    ck_assert_int_eq(tally.strangers, 0);
    size_t wrong = 0;
    for (size_t i = 0; i < MAX_TASKS; i++) {
        wrong += tally.runs[i] != (i < count);
    }
    ck_assert_uint_eq(wrong, 0);
}

START_TEST(runs_each_task_once)
{
    static const size_t counts[] = {0, 1, 2, 3, 7, 8, 9, 100, MAX_TASKS};
    for (int threads = 1; threads <= MAX_THREADS; threads++) {
        struct vgg_pool *pool = create(threads);
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            run_loop(pool, counts[i]);
        }
        vgg_pool_destroy(pool);
    }
}
END_TEST

START_TEST(runs_many_loops_in_a_row)
{
    struct vgg_pool *pool = create(4);
    for (size_t i = 0; i < 2000; i++) {
        run_loop(pool, i % 11);
    }
    vgg_pool_destroy(pool);
}
END_TEST

static void sleep_task(void *context, size_t index, int worker)
{
    (void)worker;
    if (index == 0) {
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    atomic_fetch_add((atomic_int *)context, 1);
}

/* Long enough for workers, and for the caller, to stop spinning and to sleep. */
START_TEST(wakes_those_who_sleep)
{
    struct vgg_pool *pool = create(3);
    for (int i = 0; i < 20; i++) {
        atomic_int runs = 0;
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
        vgg_pool_run(pool, 4, sleep_task, &runs);
        ck_assert_int_eq(runs, 4);
    }
    vgg_pool_destroy(pool);
}
END_TEST

START_TEST(ends_without_having_run)
{
    vgg_pool_destroy(NULL);
    for (int threads = 1; threads <= MAX_THREADS; threads++) {
        vgg_pool_destroy(create(threads));
    }
    struct vgg_pool *pool = create(3);
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL); /* asleep by now */
    vgg_pool_destroy(pool);
}
END_TEST

static bool keeps_denormals(void)
{
    volatile float tiny = 1e-40f, one = 1;
    volatile float product = tiny * one;
    return product > 0;
}

static void denormal_task(void *context, size_t index, int worker)
{
    (void)index;
    (void)worker;
    if (keeps_denormals()) {
        atomic_fetch_add((atomic_int *)context, 1);
    }
}

START_TEST(turns_denormals_off_and_on_again)
{
    for (int threads = 1; threads <= 3; threads++) {
        struct vgg_pool *pool = create(threads);
        atomic_int kept = 0;
        ck_assert(keeps_denormals());
        vgg_pool_run(pool, 100, denormal_task, &kept);
        vgg_pool_run(pool, 0, denormal_task, &kept);
        ck_assert(kept == 0 || !VGG_HAS_DENORMAL_MODE);
        ck_assert(keeps_denormals());
        vgg_pool_destroy(pool);
    }
}
END_TEST

/* The system lets this many threads start. */
static int startable = INT_MAX;
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
                          void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
                          void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
                          void *argument)
{
    return startable-- > 0 ? __real_pthread_create(thread, attr, fn, argument) : EAGAIN;
}

static void count_warning(void *user, enum vgg_log_level level, const char *message)
{
    *(int *)user += level == VGG_LOG_WARNING && strstr(message, "cannot be started") != NULL;
}

START_TEST(has_fewer_threads_where_no_more_can_start)
{
    int warnings = 0;
    const struct vgg_context context = {.log = count_warning, .log_user = &warnings};
    for (int started = 0; started < MAX_THREADS; started++) {
        struct vgg_pool *pool;
        warnings = 0;
        startable = started;
        ck_assert_int_eq(vgg_pool_create(MAX_THREADS, &context, &pool, NULL), VGG_OK);
        ck_assert_int_eq(vgg_pool_get_threads(pool), started + 1);
        ck_assert_int_eq(warnings, started + 1 < MAX_THREADS);
        run_loop(pool, 0);
        run_loop(pool, MAX_TASKS);
        vgg_pool_destroy(pool);
    }
}
END_TEST

UNIT_MAIN("pool", has_fewer_threads_where_no_more_can_start, runs_each_task_once,
          runs_many_loops_in_a_row, wakes_those_who_sleep, ends_without_having_run,
          turns_denormals_off_and_on_again)
