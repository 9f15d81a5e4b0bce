/* SPDX-License-Identifier: MIT */
/* The files that the Hugging Face Hub has beside a checkpoint: config.json of timm and transformers, and
 * preprocessor_config.json. */
#ifndef VGG_MODEL_INFER_SIDE_CONFIG_H
#define VGG_MODEL_INFER_SIDE_CONFIG_H

#include "model/infer/found.h"

/* Adds class names and preprocessing from the files in the checkpoint's folder. A file that is no regular one, too large
 * or no JSON is reported and not used; one of another net, or of another purpose, is not used.
 *   load  with the checkpoint's path
 * Errors: MEMORY. */
vgg_status vgg_found_read_side_files(const struct vgg_load *load, struct vgg_found *found);

#endif
