/* SPDX-License-Identifier: MIT */
/* What the targets do with a checkpoint. */
#include <stdlib.h>

#include "fuzz.h"
#include "vgg/model.h"
#include "vgg/session.h"

/* Bounds that keep one run short; the defaults are for real files. */
static struct vgg_limits small_limits(void)
{
    struct vgg_limits limits;
    vgg_limits_init(&limits);
    limits.file_bytes = 1 << 22;
    limits.pickle_bytes = 1 << 20;
    limits.pickle_opcodes = 20000;
    limits.pickle_stack = 1000;
    limits.pickle_memo = 2000;
    return limits;
}

static void check_error(vgg_status status, const struct vgg_error *err)
{
    fuzz_check(err->code == status, "the error record has the status");
    fuzz_check(err->message[0] != '\0', "an error has a message");
    for (const char *c = err->message; *c != '\0'; c++) {
        fuzz_check((unsigned char)*c >= 0x20 && *c != 0x7f, "a message has no control characters");
    }
}

/* Reads every element, unless strides of 0 make very many of them. */
static void read_tensor(const struct vgg_tensor *tensor)
{
    int64_t count = vgg_tensor_get_count(tensor);
    if (count > 1 << 16) {
        return;
    }
    float *values = malloc(((size_t)count + 1) * sizeof *values);
    if (values != NULL) {
        vgg_tensor_read_f32(tensor, values);
        free(values);
    }
}

/* An int8 net checks some of the file's numbers when it is planned, and no others may make a sum overflow: it
 * is run, too, where that is quick. */
static vgg_status use_int8(const vgg_checkpoint *checkpoint, const vgg_model *model)
{
    enum { SIDE = 16, FILE_BYTES = 1 << 16 };
    static struct vgg_error err;
    struct vgg_limits limits = small_limits();
    struct vgg_model_info info;
    const struct vgg_session_options options = {.threads = 1, .limits = &limits};
    vgg_session *session = NULL;
    vgg_model_get_info(model, &info);
    limits.activation_bytes = 1 << 17;
    if (!info.int8 || info.height > SIDE ||
        vgg_checkpoint_get_file_bytes(checkpoint) > FILE_BYTES) {
        return VGG_OK;
    }
    err.message[0] = '\0';
    vgg_status status = vgg_session_create(model, &options, &session, &err);
    float *numbers = calloc(3 * SIDE * SIDE + (size_t)info.class_count, sizeof *numbers);
    if (status != VGG_OK) {
        check_error(status, &err);
    } else if (numbers != NULL) {
        vgg_session_run(session, numbers, 1, numbers + 3 * SIDE * SIDE, &err);
    }
    free(numbers);
    vgg_session_destroy(session);
    return status;
}

vgg_status fuzz_use_checkpoint(const vgg_checkpoint *checkpoint)
{
    static struct vgg_error err;
    const struct vgg_limits limits = small_limits();
    size_t count = vgg_checkpoint_get_tensor_count(checkpoint);
    for (size_t i = 0; i < count; i++) {
        const struct vgg_tensor *tensor = vgg_checkpoint_get_tensor(checkpoint, i);
        fuzz_check(vgg_checkpoint_find_tensor(checkpoint, tensor->name) == tensor,
                   "a tensor is found by its name");
        read_tensor(tensor);
    }
    vgg_model *model = NULL;
    const struct vgg_model_options options = {.limits = &limits};
    err.message[0] = '\0';
    vgg_status status = vgg_model_create(checkpoint, &options, &model, &err);
    if (status == VGG_OK) {
        struct vgg_node_info info;
        for (size_t i = 0; i < vgg_model_get_node_count(model); i++) {
            vgg_model_get_node(model, i, &info);
        }
        status = vgg_model_check_classifier(model, &err);
        if (status == VGG_OK) {
            status = use_int8(checkpoint, model);
        }
    } else {
        check_error(status, &err);
    }
    vgg_model_destroy(model);
    return status;
}

vgg_status fuzz_checkpoint(const uint8_t *data, size_t size)
{
    static struct vgg_error err;
    const struct vgg_limits limits = small_limits();
    const struct vgg_context context = {.limits = &limits};
    vgg_checkpoint *checkpoint;
    err.message[0] = '\0';
    vgg_status status =
        vgg_checkpoint_open_memory(data, size, "fuzzed.pth", NULL, &context, &checkpoint, &err);
    if (status == VGG_OK) {
        (void)vgg_checkpoint_verify(checkpoint, NULL, &err);
        status = fuzz_use_checkpoint(checkpoint);
    } else {
        fuzz_check(checkpoint == NULL, "no checkpoint after an error");
        check_error(status, &err);
    }
    vgg_checkpoint_close(checkpoint);
    return status;
}
