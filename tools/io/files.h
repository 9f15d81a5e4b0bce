/* SPDX-License-Identifier: MIT */
/* Kinds of files by their content, and the path of the bundled checkpoint. */
#ifndef TOOLS_IO_FILES_H
#define TOOLS_IO_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "vgg/status.h"

enum file_kind {
    FILE_ABSENT,     /* cannot be opened */
    FILE_STREAM,     /* "-" or a pipe: not looked into, since it can be read only once */
    FILE_IMAGE,      /* begins as a JPEG or PNG does */
    FILE_ARRAY,      /* begins as a .npy file does */
    FILE_CHECKPOINT, /* begins as a zip or as a legacy stream of torch.save does */
    FILE_FOLDER,
    FILE_OTHER, /* devices too */
};

/* Looks at the first bytes of a file. */
enum file_kind file_sniff(const char *path);

/* Refuses an image or array where a checkpoint is expected. Errors: FORMAT. */
vgg_status file_check_checkpoint(const char *path, struct vgg_error *err);

/* Whether a file has an extension of checkpoints: .pth, .pt, .ckpt, .safetensors and the like. */
bool file_is_named_checkpoint(const char *path);

/* Finds the checkpoint that comes with the program: in $VGG_MODELS, in a build tree, in an installed
 * tree that was moved as a whole, where it was configured to be. False when it is in none of them. */
bool file_find_bundled(char *path, size_t bytes);

#endif
