/* SPDX-License-Identifier: MIT */
/* A checkpoint that is open and the model made of it. */
#ifndef TOOLS_COMMANDS_NET_H
#define TOOLS_COMMANDS_NET_H

#include "commands/options.h"
#include "io/read_image.h"
#include "report/report.h"
#include "vgg/checkpoint.h"
#include "vgg/model.h"

struct net {
    vgg_checkpoint *checkpoint;
    vgg_model *model;
    struct report_model about; /* borrows from the two above */
    struct vgg_limits limits;  /* of images */
};

/* Opens a checkpoint and its model by the options.
 *   path  borrowed until net_close
 *   out   filled on success; cleared after an error
 * Errors: those of vgg_checkpoint_open, vgg_checkpoint_verify and vgg_model_create. */
vgg_status net_open(const char *path, const struct cli_options *options, struct net *out,
                    struct vgg_error *err);
/* The exit code when that failed: an error in an option's value is wrong usage. */
int net_exit_code(const struct vgg_error *err);

void net_close(struct net *net);

/* What --verify does with the file. Errors: those of vgg_checkpoint_verify; UNSUPPORTED when nothing could be verified. */
vgg_status net_verify_file(const vgg_checkpoint *checkpoint, struct vgg_verified *verified,
                           struct vgg_error *err);
/* What it does with the net in the file; prints what of both could not be verified. Errors: those of vgg_model_verify.
 *   model  NULL: it is not looked at */
vgg_status net_verify_model(const vgg_model *model, const char *path,
                            const struct vgg_verified *verified, struct vgg_error *err);

/* How images become input of the net. Borrows from the net. */
struct image_reader net_get_reader(const struct net *net);

/* Whether the file has mean and std among its tensors, with which the net probably normalises its input itself. */
bool net_has_own_normalisation(const struct net *net);

/* Where the bundled checkpoint is, for a command without a MODEL; prints it. Errors: IO. */
vgg_status net_find_bundled(char *path, size_t bytes, struct vgg_error *err);

/* Checks the options that need no model: --preset is known, --isa can be run here. Errors: ARGUMENT. */
vgg_status net_check_options(const struct cli_options *options, struct vgg_error *err);

#endif
