/* SPDX-License-Identifier: MIT */
/* Which operands of the command line are what: the checkpoint and the images. */
#ifndef TOOLS_COMMANDS_OPERANDS_H
#define TOOLS_COMMANDS_OPERANDS_H

#include "commands/options.h"
#include "vgg/status.h"

/* Borrowed from the options. */
struct operands {
    const char *model_path; /* NULL: not named, the bundled checkpoint is meant */
    const char **images;    /* [image_count] */
    int image_count;        /* at least 1 */
};

/* Takes the checkpoint from --model, else from the first operand unless that is an image.
 * Errors: ARGUMENT, where no image is left, or operands stand in another order. */
vgg_status operands_sort(const struct cli_options *options, struct operands *out,
                         struct vgg_error *err);

/* For a command that takes one checkpoint and nothing else: from --model, or the only operand. Borrowed.
 * Errors: ARGUMENT. */
vgg_status operands_take_model(const struct cli_options *options, const char **model,
                               struct vgg_error *err);

/* The same for a command that writes a file, which -o must name.
 *   example  of the file's name, for the message */
vgg_status operands_take_model_and_output(const struct cli_options *options, const char *example,
                                          const char **model, struct vgg_error *err);

/* Prints why an image failed, with a hint where its path is that of something else.
 *   path  named in the message, if the error does not name it */
void operands_print_image_error(const char *path, const struct vgg_error *err);

#endif
