/* SPDX-License-Identifier: MIT */
/* vgg-infer convert: a checkpoint's tensors into a file of another format. */
#include <string.h>

#include "commands/commands.h"
#include "commands/net.h"
#include "io/files.h"
#include "io/sigbus.h"
#include "io/message.h"
#include "io/plural.h"
#include "vgg/checkpoint.h"
#include "vgg/model.h"
#include "vgg/quantize.h"
#include "commands/operands.h"

/* What a file is converted to. */
struct converted {
    /* Tensors written. */
    size_t count;
    /* The net is described in the .json beside the output. */
    bool described;
};

/* Writes the tensors of a file that no net is made of. The modules and the code of one that has them are lost. Fails if
 * there is a description that cannot be read: the output would be another net. */
static vgg_status save_tensors(const vgg_checkpoint *checkpoint, const char *output,
                               const struct vgg_error *reason, struct vgg_error *err)
{
    if (reason->hint == VGG_HINT_BESIDE) {
        *err = *reason;
        return reason->code;
    }
    const bool torchscript = vgg_checkpoint_get_container(checkpoint) == VGG_CONTAINER_TORCHSCRIPT;
    vgg_status status = vgg_checkpoint_save(checkpoint, output, err);
    if (status == VGG_OK && (torchscript || vgg_checkpoint_get_class(checkpoint) != NULL)) {
        message_print("warning: %s has the tensors alone, not the settings of the layers: %s",
                      output, reason->message);
    }
    return status;
}

/* Writes an int8 net's tensors dequantized to float32, all others unchanged. */
static vgg_status save(const vgg_checkpoint *checkpoint, const struct cli_options *options,
                       const struct vgg_verified *verified, struct converted *out,
                       struct vgg_error *err)
{
    const char *output = options->output;
    struct vgg_model_info info = {0};
    struct vgg_error reason = {0};
    vgg_model *model = NULL;
    out->count = vgg_checkpoint_get_tensor_count(checkpoint);
    vgg_status status = vgg_model_create(checkpoint, NULL, &model, &reason);
    if (status == VGG_OK) {
        vgg_model_get_info(model, &info);
    }
    vgg_status verification = VGG_OK;
    if (options->verify && (status == VGG_OK || !message_is_memory(&reason))) {
        verification = net_verify_model(model, vgg_checkpoint_get_path(checkpoint), verified, err);
    }
    if (verification != VGG_OK) {
        status = verification;
    } else if (info.int8) {
        out->count /= 2; /* without scales and sums */
        out->described = true;
        status = vgg_model_dequantize(model, output, err);
        if (status == VGG_OK) {
            message_print(
                "%s: int8 weights are dequantized to float32: not the weights before quantization",
                vgg_checkpoint_get_path(checkpoint));
        }
    } else if (status == VGG_OK) {
        status = vgg_model_save(model, checkpoint, output, &out->described, err);
    } else if (message_is_memory(&reason) ||
               vgg_checkpoint_get_container(checkpoint) == VGG_CONTAINER_PACKED) {
        *err = reason;
    } else {
        status = save_tensors(checkpoint, output, &reason, err);
    }
    vgg_model_destroy(model);
    return status;
}

int command_convert(const struct cli_options *options)
{
    struct vgg_error err = {0};
    const struct vgg_context context = message_context(options->verbose);
    const struct vgg_checkpoint_options choice = {.key = options->key};
    const char *model;
    struct vgg_verified verified = {0};
    vgg_checkpoint *checkpoint = NULL;
    struct converted converted = {0};
    int exit_code = EXIT_USAGE;
    vgg_status status = operands_take_model_and_output(options, "model.safetensors", &model, &err);
    if (status == VGG_OK) {
        exit_code = EXIT_MODEL;
        sigbus_begin(model);
        status = file_check_checkpoint(model, &err);
    }
    if (status == VGG_OK) {
        status = vgg_checkpoint_open_with(model, &choice, &context, &checkpoint, &err);
    }
    if (status == VGG_OK) {
        sigbus_watch(checkpoint);
    }
    if (status == VGG_OK && options->verify) {
        status = net_verify_file(checkpoint, &verified, &err);
    }
    if (status == VGG_OK) {
        status = save(checkpoint, options, &verified, &converted, &err);
        exit_code = status == VGG_ERR_ARGUMENT   ? EXIT_USAGE
                    : status == VGG_ERR_MISMATCH ? EXIT_MODEL
                                                 : EXIT_FAILED;
    }
    if (status == VGG_OK) {
        message_print(
            "%s: %zu tensor%s of %s%s", options->output, converted.count, plural_s(converted.count),
            model,
            converted.described ? "; layers, labels and preprocessing in the .json beside it" : "");
        exit_code = EXIT_GOOD;
    } else {
        message_error(&err);
    }
    sigbus_end();
    vgg_checkpoint_close(checkpoint);
    return message_is_memory(&err) ? EXIT_MEMORY : exit_code;
}
