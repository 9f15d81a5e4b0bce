/* Times a model for the comparison scripts: for each line on standard input it runs the net once and
 * prints the nanoseconds that took, so that a script can take turns with another engine.
 *
 *     time_model MODEL BATCH THREADS [CPU] */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "vgg/vgg.h"

static long long now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000000000 + now.tv_nsec;
}

int main(int argc, char **argv)
{
    struct vgg_error err = {0};
    vgg_checkpoint *checkpoint = NULL;
    vgg_model *model = NULL;
    vgg_session *session = NULL;
    struct vgg_model_info info;
    struct vgg_session_options options = {0};
    if (argc < 4) {
        fprintf(stderr, "usage: time_model MODEL BATCH THREADS [CPU]\n");
        return 2;
    }
    options.batch = atoi(argv[2]);
    options.threads = atoi(argv[3]);
    if (argc > 4 && !vgg_cpu_parse(argv[4], &options.cpu)) {
        fprintf(stderr, "%s: no such instruction set\n", argv[4]);
        return 2;
    }
    if (vgg_checkpoint_open(argv[1], NULL, &checkpoint, &err) != VGG_OK ||
        vgg_model_create(checkpoint, NULL, &model, &err) != VGG_OK ||
        vgg_session_create(model, &options, &session, &err) != VGG_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    vgg_model_get_info(model, &info);
    const size_t inputs = (size_t)options.batch * 3 * (size_t)info.height * (size_t)info.width;
    float *input = malloc(inputs * sizeof *input);
    float *logits = malloc((size_t)options.batch * (size_t)info.class_count * sizeof *logits);
    if (input == NULL || logits == NULL) {
        return 1;
    }
    for (size_t i = 0; i < inputs; i++) {
        input[i] = (float)(i * 2654435761u % 1000) / 250.0f - 2.0f;
    }
    for (int c = getchar(); c != EOF; c = getchar()) {
        if (c != '\n') {
            continue;
        }
        const long long start = now_ns();
        if (vgg_session_run(session, input, options.batch, logits, &err) != VGG_OK) {
            fprintf(stderr, "%s\n", err.message);
            return 1;
        }
        printf("%lld\n", now_ns() - start);
        fflush(stdout);
    }
    free(logits);
    free(input);
    vgg_session_destroy(session);
    vgg_model_destroy(model);
    vgg_checkpoint_close(checkpoint);
    return 0;
}
