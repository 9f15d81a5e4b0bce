/* SPDX-License-Identifier: MIT */
/* Classifies an image with a checkpoint and an image that are in memory, all memory of the library being taken
 * from an allocator with a limit, and its log messages being printed.
 *
 *     memory CHECKPOINT IMAGE LIMIT_MB */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vgg/vgg.h>

/* --- an allocator that counts and has a limit ------------------------------------------------------- */

struct budget {
    size_t used, peak, limit;
};

/* Before each block: its size, in as many bytes as the largest alignment that the library asks for. */
enum { HEADER = 64 };

static void *allocate(void *user, size_t bytes, size_t alignment)
{
    struct budget *budget = (struct budget *)user;
    const size_t total = (bytes + HEADER + HEADER - 1) / HEADER * HEADER;
    if (alignment > HEADER || total < bytes || total > budget->limit - budget->used) {
        return NULL;
    }
    unsigned char *block = (unsigned char *)aligned_alloc(HEADER, total);
    if (block == NULL) {
        return NULL;
    }
    memcpy(block, &total, sizeof total);
    budget->used += total;
    budget->peak = budget->used > budget->peak ? budget->used : budget->peak;
    return block + HEADER;
}

static void release(void *user, void *memory)
{
    struct budget *budget = (struct budget *)user;
    unsigned char *block = (unsigned char *)memory - HEADER;
    size_t total;
    memcpy(&total, block, sizeof total);
    budget->used -= total;
    free(block);
}

static void print_log(void *user, enum vgg_log_level level, const char *message)
{
    (void)user;
    fprintf(stderr, "%s: %s\n", level == VGG_LOG_WARNING ? "warning" : "info", message);
}

/* --- files ------------------------------------------------------------------------------------------ */

struct bytes {
    const char *name;
    void *data;
    size_t count;
};

static int read_file(struct bytes *out)
{
    FILE *file = fopen(out->name, "rb");
    long size = -1;
    if (file != NULL && fseek(file, 0, SEEK_END) == 0) {
        size = ftell(file);
    }
    if (size > 0 && fseek(file, 0, SEEK_SET) == 0) {
        out->count = (size_t)size;
        out->data = malloc(out->count);
        if (out->data != NULL && fread(out->data, 1, out->count, file) != out->count) {
            free(out->data);
            out->data = NULL;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    if (out->data == NULL) {
        fprintf(stderr, "%s: cannot be read\n", out->name);
    }
    return out->data != NULL;
}

/* --- the net ---------------------------------------------------------------------------------------- */

struct net {
    vgg_checkpoint *checkpoint; /* borrows the bytes of the file until it is closed */
    vgg_model *model;
    vgg_session *session;
    struct vgg_image image;
};

static vgg_status open_net(struct net *net, struct bytes checkpoint, struct bytes image,
                           const struct vgg_context *context, struct vgg_error *err)
{
    /* The name is for messages, and for the description NAME.json, which is read if it exists. */
    vgg_status status = vgg_checkpoint_open_memory(
        checkpoint.data, checkpoint.count, checkpoint.name, NULL, context, &net->checkpoint, err);
    if (status == VGG_OK) {
        status = vgg_model_create(net->checkpoint, NULL, &net->model, err);
    }
    if (status == VGG_OK) {
        status = vgg_session_create(net->model, NULL, &net->session, err);
    }
    if (status == VGG_OK) {
        status = vgg_image_decode(image.data, image.count, image.name, context, &net->image, err);
    }
    return status;
}

static void close_net(struct net *net)
{
    vgg_image_destroy(&net->image);
    vgg_session_destroy(net->session);
    vgg_model_destroy(net->model);
    vgg_checkpoint_close(net->checkpoint);
}

static vgg_status classify(struct net *net, struct vgg_error *err)
{
    struct vgg_model_info info;
    struct vgg_ranked best;
    vgg_model_get_info(net->model, &info);
    float *input = (float *)malloc((size_t)info.channels * sizeof(float) * (size_t)info.height *
                                   (size_t)info.width);
    float *logits = (float *)malloc(sizeof(float) * (size_t)info.class_count);
    vgg_status status = VGG_ERR_MEMORY;
    if (input != NULL && logits != NULL) {
        status = vgg_image_to_tensor(&net->image, vgg_model_get_preprocess(net->model), NULL, input,
                                     err);
    }
    if (status == VGG_OK) {
        status = vgg_session_run(net->session, input, 1, logits, err);
    }
    if (status == VGG_OK) {
        vgg_rank(logits, info.class_count, 1, &best);
        printf("class %d, probability %.4f\n", best.index, best.probability);
    }
    free(logits);
    free(input);
    return status;
}

int main(int argc, char **argv)
{
    struct vgg_error err;
    static struct net net;
    struct budget budget = {0, 0, 0};
    struct vgg_context context;
    struct bytes checkpoint = {NULL, NULL, 0}, image = {NULL, NULL, 0};
    if (argc != 4 || (budget.limit = strtoul(argv[3], NULL, 10) << 20) == 0) {
        fprintf(stderr, "usage: memory CHECKPOINT IMAGE LIMIT_MB\n");
        return 2;
    }
    memset(&context, 0, sizeof context);
    context.allocator.allocate = allocate;
    context.allocator.release = release;
    context.allocator.user = &budget;
    context.log = print_log;
    vgg_status status = VGG_ERR_IO;
    checkpoint.name = argv[1];
    image.name = argv[2];
    if (read_file(&checkpoint) && read_file(&image)) {
        status = open_net(&net, checkpoint, image, &context, &err);
        if (status == VGG_OK) {
            status = classify(&net, &err);
        }
        if (status != VGG_OK) {
            fprintf(stderr, "%s: %s\n", vgg_status_string(status), err.message);
        }
        close_net(&net);
    }
    printf("peak %.1f MB, not released %zu bytes\n", (double)budget.peak / 1e6, budget.used);
    free(image.data);
    free(checkpoint.data);
    return status == VGG_OK ? 0 : 1;
}
