/* SPDX-License-Identifier: MIT */
/* Prints the output of one node of the net for one image: its shape, and the mean of each channel, which is a
 * feature vector for retrieval or for a classifier of one's own.
 *
 *     features CHECKPOINT IMAGE NODE        e.g. features.28, avgpool, classifier.3
 *
 * With on_node the session computes every node on its own and reports each to a callback. That is slower than a
 * plain session, which fuses convolution, ReLU and pool. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vgg/vgg.h>

struct request {
    const char *node;
    int found;
};

static void print_means(const char *name, const int64_t *shape, int ndim, const float *data)
{
    int64_t inner = 1; /* elements of one channel */
    for (int i = 2; i < ndim; i++) {
        inner *= shape[i];
    }
    printf("%s: [", name);
    for (int i = 0; i < ndim; i++) {
        printf("%s%lld", i > 0 ? "," : "", (long long)shape[i]);
    }
    printf("]\n");
    for (int64_t channel = 0; channel < shape[1]; channel++) {
        double sum = 0;
        for (int64_t i = 0; i < inner; i++) {
            sum += data[channel * inner + i];
        }
        printf("%.6g\n", sum / (double)inner);
    }
}

/* A vgg_node_fn: called after each node, in the order of execution. `data` is valid during the call only. */
static void on_node(void *user, const char *name, const int64_t *shape, int ndim, const float *data)
{
    struct request *request = (struct request *)user;
    if (strcmp(name, request->node) == 0) {
        request->found = 1;
        print_means(name, shape, ndim, data);
    }
}

static void list_nodes(const vgg_model *model)
{
    for (size_t i = 0; i < vgg_model_get_node_count(model); i++) {
        struct vgg_node_info node;
        vgg_model_get_node(model, i, &node);
        fprintf(stderr, "  %-16s %s\n", node.name, node.type);
    }
}

static vgg_status run(const vgg_model *model, const struct vgg_image *image,
                      struct request *request, struct vgg_error *err)
{
    struct vgg_session_options options;
    struct vgg_model_info info;
    vgg_session *session = NULL;
    memset(&options, 0, sizeof options); /* zero is the default of every option */
    options.on_node = on_node;
    options.on_node_user = request;
    vgg_model_get_info(model, &info);
    float *input = (float *)malloc((size_t)info.channels * sizeof(float) * (size_t)info.height *
                                   (size_t)info.width);
    float *logits = (float *)malloc(sizeof(float) * (size_t)info.class_count);
    vgg_status status = VGG_ERR_MEMORY;
    if (input != NULL && logits != NULL) {
        status = vgg_image_to_tensor(image, vgg_model_get_preprocess(model), NULL, input, err);
    }
    if (status == VGG_OK) {
        status = vgg_session_create(model, &options, &session, err);
    }
    if (status == VGG_OK) {
        status = vgg_session_run(session, input, 1, logits, err);
    }
    vgg_session_destroy(session);
    free(logits);
    free(input);
    return status;
}

int main(int argc, char **argv)
{
    struct vgg_error err;
    static struct vgg_image image;
    struct request request = {NULL, 0};
    vgg_checkpoint *checkpoint = NULL;
    vgg_model *model = NULL;
    if (argc != 4) {
        fprintf(stderr, "usage: features CHECKPOINT IMAGE NODE\n");
        return 2;
    }
    request.node = argv[3];
    vgg_status status = vgg_checkpoint_open(argv[1], NULL, &checkpoint, &err);
    if (status == VGG_OK) {
        status = vgg_model_create(checkpoint, NULL, &model, &err);
    }
    if (status == VGG_OK) {
        status = vgg_image_open(argv[2], NULL, &image, &err);
    }
    if (status == VGG_OK) {
        status = run(model, &image, &request, &err);
    }
    if (status != VGG_OK) {
        fprintf(stderr, "%s: %s\n", vgg_status_string(status), err.message);
    } else if (!request.found) {
        fprintf(stderr, "%s: no node is called %s; the nodes are:\n", argv[1], request.node);
        list_nodes(model);
    }
    vgg_image_destroy(&image);
    vgg_model_destroy(model);
    vgg_checkpoint_close(checkpoint);
    return status == VGG_OK && request.found ? 0 : 1;
}
