/* SPDX-License-Identifier: MIT */
/* Class names that a checkpoint has beside its tensors. */
#ifndef VGG_MODEL_INFER_FOUND_LABELS_H
#define VGG_MODEL_INFER_FOUND_LABELS_H

#include "checkpoint/checkpoint.h"
#include "model/infer/found.h"

/* Adds the names that the checkpoint has under usual keys: a dict from names to indices (class_to_idx) or from indices to
 * names (id2label), or a list (classes).
 * Errors: MEMORY. */
vgg_status vgg_found_read_labels(const struct vgg_load *load,
                                 const struct vgg_checkpoint *checkpoint, struct vgg_found *found);

#endif
