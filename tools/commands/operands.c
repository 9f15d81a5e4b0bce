/* Which words of the command line are what. */
#include "commands/operands.h"

#include "io/files.h"
#include "io/message.h"
#include "vgg/image.h"

/* Whether the first word means the checkpoint: unless it is a picture, or a pipe, which may be one. Of
 * several words the first is a checkpoint if it is called one, so that a picture or a pipe in its place
 * is found out. A single word that does not exist is a picture: that is what is missing from a command
 * that names one file. */
static bool is_checkpoint_word(const char *first, enum file_kind kind, int word_count)
{
    switch (kind) {
    case FILE_PICTURE:
    case FILE_STREAM:
        return word_count > 1 && file_is_named_checkpoint(first);
    case FILE_ABSENT:
        return word_count > 1;
    case FILE_CHECKPOINT:
    case FILE_OTHER:
        break;
    }
    return true;
}

/* The only word is neither picture nor, as it seems, checkpoint: says what is wrong with it as a picture. */
static vgg_status fail_lone_word(const char *path, struct vgg_error *err)
{
    struct vgg_image image = {0};
    struct vgg_error reason = {0};
    if (!file_is_named_checkpoint(path) &&
        vgg_image_open(path, NULL, &image, &reason) == VGG_ERR_FORMAT) {
        return message_fail(err, VGG_ERR_ARGUMENT, "%s; as a checkpoint it needs an IMAGE after it",
                            reason.message);
    }
    vgg_image_destroy(&image);
    return message_fail(
        err, VGG_ERR_ARGUMENT,
        "%s: is no JPEG or PNG picture, and as a checkpoint it needs an IMAGE after "
        "it",
        path);
}

vgg_status words_sort(const struct cli_options *options, struct words *out, struct vgg_error *err)
{
    *out = (struct words){.model_path = options->model,
                          .pictures = options->words,
                          .picture_count = options->word_count};
    if (out->model_path == NULL && options->word_count > 0) {
        const char *first = options->words[0];
        const enum file_kind kind = file_sniff(first);
        if (is_checkpoint_word(first, kind, options->word_count)) {
            out->model_path = first;
            out->pictures++;
            out->picture_count--;
            if (out->picture_count == 0 && kind != FILE_CHECKPOINT) {
                return fail_lone_word(first, err);
            }
        }
    }
    for (int i = 1; out->model_path == NULL && i < options->word_count; i++) {
        if (file_sniff(options->words[i]) == FILE_CHECKPOINT) {
            return message_fail(err, VGG_ERR_ARGUMENT,
                                "%s is a checkpoint: expected MODEL before the pictures, found it "
                                "after %s",
                                options->words[i], options->words[0]);
        }
    }
    if (out->picture_count == 0) {
        return out->model_path == NULL
                   ? message_fail(err, VGG_ERR_ARGUMENT, "no IMAGE given")
                   : message_fail(err, VGG_ERR_ARGUMENT, "no IMAGE given after the checkpoint %s",
                                  out->model_path);
    }
    return VGG_OK;
}

vgg_status words_take_model(const struct cli_options *options, const char **model,
                            struct vgg_error *err)
{
    const int used = options->model == NULL ? 1 : 0;
    *model = options->model;
    if (*model == NULL && options->word_count > 0) {
        *model = options->words[0];
    }
    if (*model == NULL) {
        return message_fail(err, VGG_ERR_ARGUMENT, "no MODEL given");
    }
    if (options->word_count > used) {
        return message_fail(err, VGG_ERR_ARGUMENT, "one MODEL only, and then '%s'",
                            options->words[used]);
    }
    return VGG_OK;
}
