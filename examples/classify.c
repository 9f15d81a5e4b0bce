/* SPDX-License-Identifier: MIT */
/* Classifies one image and prints the five most probable classes.
 *
 *     classify CHECKPOINT IMAGE */
#include <stdio.h>
#include <stdlib.h>
#include <vgg/vgg.h>

enum { TOP = 5 };

struct classifier {
    vgg_checkpoint *checkpoint;
    vgg_model *model;
    vgg_session *session;
    struct vgg_model_info info;
};

static vgg_status open_classifier(struct classifier *net, const char *path, struct vgg_error *err)
{
    vgg_status status = vgg_checkpoint_open(path, NULL, &net->checkpoint, err);
    if (status == VGG_OK) {
        status = vgg_model_create(net->checkpoint, NULL, &net->model, err);
    }
    if (status == VGG_OK) {
        vgg_model_get_info(net->model, &net->info);
        status = vgg_session_create(net->model, NULL, &net->session, err);
    }
    return status;
}

/* In the reverse order of opening: a session uses its model, a model its checkpoint. NULL is allowed. */
static void close_classifier(struct classifier *net)
{
    vgg_session_destroy(net->session);
    vgg_model_destroy(net->model);
    vgg_checkpoint_close(net->checkpoint);
}

static vgg_status run(const struct classifier *net, const vgg_image_file *image, float *logits,
                      struct vgg_error *err)
{
    const size_t count =
        (size_t)net->info.channels * (size_t)net->info.height * (size_t)net->info.width;
    float *input = (float *)malloc(count * sizeof *input);
    if (input == NULL) {
        snprintf(err->message, sizeof err->message, "out of memory");
        return VGG_ERR_MEMORY;
    }
    vgg_status status =
        vgg_image_file_to_tensor(image, vgg_model_get_preprocess(net->model), input, err);
    if (status == VGG_OK) {
        status = vgg_session_run(net->session, input, 1, logits, err);
    }
    free(input);
    return status;
}

static void print_top(const struct classifier *net, const float *logits)
{
    struct vgg_ranked top[TOP];
    const int count = net->info.class_count < TOP ? net->info.class_count : TOP;
    vgg_rank(logits, net->info.class_count, count, top);
    for (int i = 0; i < count; i++) {
        const char *label = vgg_model_get_label(net->model, top[i].index);
        printf("%8.4f %%  class %d  %s\n", 100 * top[i].probability, top[i].index,
               label != NULL ? label : "");
    }
}

int main(int argc, char **argv)
{
    struct vgg_error err;
    static struct classifier net;
    vgg_image_file *image = NULL;
    if (argc != 3) {
        fprintf(stderr, "usage: classify CHECKPOINT IMAGE\n");
        return 2;
    }
    float *logits = NULL;
    vgg_status status = open_classifier(&net, argv[1], &err);
    if (status == VGG_OK) {
        status = vgg_image_file_open(argv[2], NULL, &image, &err);
    }
    if (status == VGG_OK) {
        logits = (float *)malloc((size_t)net.info.class_count * sizeof *logits);
        status = logits == NULL ? VGG_ERR_MEMORY : run(&net, image, logits, &err);
    }
    if (status == VGG_OK) {
        print_top(&net, logits);
    } else {
        fprintf(stderr, "%s: %s\n", vgg_status_string(status), err.message);
    }
    free(logits);
    vgg_image_file_close(image);
    close_classifier(&net);
    return status == VGG_OK ? 0 : 1;
}
