/* Which file is what: images and checkpoints by content, the bundled checkpoint by place. */
#ifndef TOOLS_IO_FILES_H
#define TOOLS_IO_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "vgg/status.h"

enum file_kind {
    FILE_ABSENT,     /* cannot be opened */
    FILE_STREAM,     /* "-" or a pipe: can be read only once, so it is not looked into */
    FILE_IMAGE,      /* begins as a JPEG or PNG does */
    FILE_CHECKPOINT, /* begins as a zip or as a legacy stream of torch.save does */
    FILE_FOLDER,
    FILE_OTHER, /* devices too */
};

/* Looks at the first bytes of a file. */
enum file_kind file_sniff(const char *path);

/* Refuses what is no checkpoint by its kind: an image, a folder. Errors: FORMAT. */
vgg_status file_check_checkpoint(const char *path, struct vgg_error *err);

/* Whether a file is called what checkpoints are called: .pth, .pt, .ckpt, .safetensors and the like. */
bool file_is_named_checkpoint(const char *path);

/* Finds the checkpoint that comes with the program: in $VGG_MODELS, in a build tree, in an installed
 * tree that was moved as a whole, where it was configured to be. False when it is in none of them. */
bool file_find_bundled(char *path, size_t bytes);

#endif
