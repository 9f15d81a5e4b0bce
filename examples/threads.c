/* SPDX-License-Identifier: MIT */
/* Classifies many images in several threads that share one model.
 *
 *     threads THREADS CHECKPOINT IMAGE...
 *
 * A model is never written to after vgg_model_create and serves any number of sessions; a session runs one batch
 * at a time. Hence each thread has a session of its own, of one thread. For the shortest time of a single image,
 * use one session with options.threads instead. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vgg/vgg.h>

struct result {
    vgg_status status;
    struct vgg_ranked best;
    struct vgg_error err;
};

/* What the threads share: the mutex protects `next`. */
struct work {
    const vgg_model *model;
    char **paths;
    struct result *results;
    int count, next;
    pthread_mutex_t mutex;
};

static int take_index(struct work *work)
{
    pthread_mutex_lock(&work->mutex);
    const int index = work->next < work->count ? work->next++ : -1;
    pthread_mutex_unlock(&work->mutex);
    return index;
}

struct worker {
    struct work *work;
    pthread_t thread;
    vgg_session *session;
    float *input, *logits;
};

static int create_worker(struct worker *worker, struct work *work, struct vgg_error *err)
{
    struct vgg_session_options options;
    struct vgg_model_info info;
    vgg_model_get_info(work->model, &info);
    memset(&options, 0, sizeof options);
    options.threads = 1;
    worker->work = work;
    worker->input = (float *)malloc((size_t)info.channels * sizeof(float) * (size_t)info.height *
                                    (size_t)info.width);
    worker->logits = (float *)malloc(sizeof(float) * (size_t)info.class_count);
    return worker->input != NULL && worker->logits != NULL &&
           vgg_session_create(work->model, &options, &worker->session, err) == VGG_OK;
}

static void destroy_worker(struct worker *worker)
{
    vgg_session_destroy(worker->session);
    free(worker->logits);
    free(worker->input);
}

static void classify(struct worker *worker, const char *path, struct result *result)
{
    const vgg_model *model = worker->work->model;
    vgg_image_file *image = NULL;
    struct vgg_model_info info;
    vgg_model_get_info(model, &info);
    result->status = vgg_image_file_open(path, NULL, &image, &result->err);
    if (result->status == VGG_OK) {
        result->status = vgg_image_file_to_tensor(image, vgg_model_get_preprocess(model),
                                                  worker->input, &result->err);
    }
    if (result->status == VGG_OK) {
        result->status =
            vgg_session_run(worker->session, worker->input, 1, worker->logits, &result->err);
    }
    if (result->status == VGG_OK) {
        vgg_rank(worker->logits, info.class_count, 1, &result->best);
    }
    vgg_image_file_close(image);
}

static void *run_worker(void *user)
{
    struct worker *worker = (struct worker *)user;
    int index;
    while ((index = take_index(worker->work)) >= 0) {
        classify(worker, worker->work->paths[index], &worker->work->results[index]);
    }
    return NULL;
}

/* Whether all threads could be started and all images classified. */
static int run_all(struct work *work, int threads)
{
    struct vgg_error err;
    struct worker *workers = (struct worker *)calloc((size_t)threads, sizeof *workers);
    int started = 0, good = 0;
    while (workers != NULL && started < threads && create_worker(&workers[started], work, &err) &&
           pthread_create(&workers[started].thread, NULL, run_worker, &workers[started]) == 0) {
        started++;
    }
    for (int i = 0; i < started; i++) {
        pthread_join(workers[i].thread, NULL);
    }
    if (started < threads) {
        fprintf(stderr, "only %d of %d threads could be started: %s\n", started, threads,
                err.message);
    }
    for (int i = 0; workers != NULL && i < threads; i++) {
        destroy_worker(&workers[i]);
    }
    free(workers);
    for (int i = 0; i < work->count; i++) {
        const struct result *result = &work->results[i];
        if (started > 0 && result->status == VGG_OK) {
            printf("%s: class %d, probability %.4f\n", work->paths[i], result->best.index,
                   result->best.probability);
            good++;
        } else {
            fprintf(stderr, "%s\n", started > 0 ? result->err.message : "not classified");
        }
    }
    return started == threads && good == work->count;
}

int main(int argc, char **argv)
{
    struct vgg_error err;
    vgg_checkpoint *checkpoint = NULL;
    vgg_model *model = NULL;
    int threads = argc > 3 ? atoi(argv[1]) : 0, good = 0;
    if (threads < 1 || threads > 1024) {
        fprintf(stderr, "usage: threads THREADS CHECKPOINT IMAGE...\n");
        return 2;
    }
    if (vgg_checkpoint_open(argv[2], NULL, &checkpoint, &err) != VGG_OK ||
        vgg_model_create(checkpoint, NULL, &model, &err) != VGG_OK) {
        fprintf(stderr, "%s\n", err.message);
    } else {
        struct work work = {model, argv + 3, NULL, argc - 3, 0, PTHREAD_MUTEX_INITIALIZER};
        work.results = (struct result *)calloc((size_t)work.count, sizeof *work.results);
        good = work.results != NULL && run_all(&work, threads);
        free(work.results);
    }
    vgg_model_destroy(model);
    vgg_checkpoint_close(checkpoint);
    return good ? 0 : 1;
}
