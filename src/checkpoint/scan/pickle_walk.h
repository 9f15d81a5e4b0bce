/* SPDX-License-Identifier: MIT */
/* Follows one pickle as Python's unpickler would run it, noting what it names and calls. */
#ifndef VGG_CHECKPOINT_SCAN_PICKLE_WALK_H
#define VGG_CHECKPOINT_SCAN_PICKLE_WALK_H

#include "checkpoint/scan/walk_types.h"

/* Follows the pickle at in.offset to its end. */
void vgg_pickle_walk_run(struct vgg_pickle_walk *walk);
/* Reports what it names and does, unless the bytes turned out to be no pickle; frees it. */
void vgg_pickle_walk_finish(struct vgg_pickle_walk *walk);

#endif
