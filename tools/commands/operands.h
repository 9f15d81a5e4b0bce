/* Which words of the command line are what: the checkpoint and the pictures. */
#ifndef TOOLS_COMMANDS_OPERANDS_H
#define TOOLS_COMMANDS_OPERANDS_H

#include "commands/options.h"
#include "vgg/status.h"

/* Borrowed from the options. */
struct words {
    const char *model_path; /* NULL: none is named, the bundled checkpoint is meant */
    const char **pictures;  /* [picture_count] */
    int picture_count;      /* at least 1 */
};

/* Takes the checkpoint from --model, or else from the first word where that is none of the pictures.
 * Errors: ARGUMENT, where no picture is left, or words stand in another order. */
vgg_status words_sort(const struct cli_options *options, struct words *out, struct vgg_error *err);

/* For a command that takes one checkpoint and nothing else: from --model, or the only word. Borrowed.
 * Errors: ARGUMENT. */
vgg_status words_take_model(const struct cli_options *options, const char **model,
                            struct vgg_error *err);

#endif
