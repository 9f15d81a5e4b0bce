/* SPDX-License-Identifier: MIT */
/* Better messages for files and folders that people take for a checkpoint, known by their names. */
#ifndef VGG_CHECKPOINT_EXPLAIN_H
#define VGG_CHECKPOINT_EXPLAIN_H

#include "base/load.h"

/* Replaces the error of a path that cannot be opened by one that says what is there and what to do, if that is known: a
 * folder with a checkpoint in it, parts of a distributed checkpoint. Returns the status of the error. */
vgg_status vgg_explain_failure(const struct vgg_load *load, vgg_status status);

#endif
