/* SPDX-License-Identifier: MIT */
/* Which operands of the command line are what. */
#include "commands/operands.h"

#include <string.h>

#include "io/files.h"
#include "io/message.h"
#include "vgg/image.h"

/* Whether the first operand is the checkpoint. A file that is an image or array is none, nor a pipe, which may be an
 * image; but of several operands one with a checkpoint's name is taken as such, so that the message is about
 * what is wrong with it. A lone operand that does not exist is an image: it is what `vgg-infer IMAGE` lacks. */
static bool is_checkpoint(const char *first, enum file_kind kind, int operand_count)
{
    switch (kind) {
    case FILE_IMAGE:
    case FILE_ARRAY:
    case FILE_STREAM:
        return operand_count > 1 && file_is_named_checkpoint(first);
    case FILE_ABSENT:
        return operand_count > 1;
    case FILE_CHECKPOINT:
    case FILE_FOLDER:
    case FILE_OTHER:
        break;
    }
    return true;
}

static vgg_status fail_folder(const char *path, struct vgg_error *err)
{
    return message_fail(err, VGG_ERR_ARGUMENT,
                        "%s: expected an image, got a folder; classify its files with %s/*.jpg, or "
                        "measure accuracy with vgg-infer eval MODEL %s",
                        path, path, path);
}

/* The only operand is neither image nor, as it seems, checkpoint: reports what is wrong with it as an image. */
static vgg_status fail_lone_operand(const char *path, struct vgg_error *err)
{
    vgg_image_file *image = NULL;
    struct vgg_error reason = {0};
    if (!file_is_named_checkpoint(path) &&
        vgg_image_file_open(path, NULL, &image, &reason) == VGG_ERR_FORMAT) {
        return message_fail(err, VGG_ERR_ARGUMENT,
                            "%s; if it is the checkpoint, name an IMAGE after it", reason.message);
    }
    vgg_image_file_close(image);
    return message_fail(err, VGG_ERR_ARGUMENT,
                        "%s: expected a JPEG or PNG image; if it is the checkpoint, name an IMAGE "
                        "after it",
                        path);
}

static vgg_status check_order(const struct cli_options *options, struct vgg_error *err)
{
    for (int i = 1; i < options->operand_count; i++) {
        if (file_sniff(options->operands[i]) == FILE_CHECKPOINT) {
            return message_fail(err, VGG_ERR_ARGUMENT,
                                "%s: expected an image, got a checkpoint; name MODEL before the "
                                "images",
                                options->operands[i]);
        }
    }
    return VGG_OK;
}

vgg_status operands_sort(const struct cli_options *options, struct operands *out,
                         struct vgg_error *err)
{
    *out = (struct operands){.model_path = options->model,
                             .images = options->operands,
                             .image_count = options->operand_count};
    if (out->model_path == NULL && options->operand_count > 0) {
        const char *first = options->operands[0];
        const enum file_kind kind = file_sniff(first);
        if (kind == FILE_FOLDER && options->operand_count == 1) {
            return fail_folder(first, err);
        }
        if (is_checkpoint(first, kind, options->operand_count)) {
            out->model_path = first;
            out->images++;
            out->image_count--;
            if (out->image_count == 0 && kind != FILE_CHECKPOINT) {
                return fail_lone_operand(first, err);
            }
        }
    }
    vgg_status status = out->model_path == NULL ? check_order(options, err) : VGG_OK;
    if (status == VGG_OK && out->image_count == 0) {
        return out->model_path == NULL
                   ? message_fail(err, VGG_ERR_ARGUMENT, "no IMAGE given")
                   : message_fail(err, VGG_ERR_ARGUMENT, "no IMAGE given after the checkpoint %s",
                                  out->model_path);
    }
    return status;
}

vgg_status operands_take_model(const struct cli_options *options, const char **model,
                               struct vgg_error *err)
{
    const int used = options->model == NULL ? 1 : 0;
    *model = options->model;
    if (*model == NULL && options->operand_count > 0) {
        *model = options->operands[0];
    }
    if (*model == NULL) {
        return message_fail(err, VGG_ERR_ARGUMENT, "no MODEL given");
    }
    if (options->operand_count > used) {
        return message_fail(err, VGG_ERR_ARGUMENT, "expected one MODEL, got '%s' after it",
                            options->operands[used]);
    }
    return VGG_OK;
}

vgg_status operands_take_model_and_output(const struct cli_options *options, const char *example,
                                          const char **model, struct vgg_error *err)
{
    vgg_status status = operands_take_model(options, model, err);
    if (status == VGG_OK && options->output == NULL) {
        status = message_fail(err, VGG_ERR_ARGUMENT, "no -o FILE given, as in -o %s", example);
    }
    return status;
}

void operands_print_image_error(const char *path, const struct vgg_error *err)
{
    struct vgg_error folder = {0};
    switch (file_sniff(path)) {
    case FILE_FOLDER:
        (void)fail_folder(path, &folder);
        message_print("%s", folder.message);
        return;
    case FILE_CHECKPOINT:
        message_print("%s: expected an image, got a checkpoint; name MODEL before the images",
                      path);
        return;
    default:
        break;
    }
    message_file_error(path, err);
}
