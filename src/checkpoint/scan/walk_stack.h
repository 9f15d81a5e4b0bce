/* SPDX-License-Identifier: MIT */
/* The stack of a pickle that is followed: what is missing is UNKNOWN, and noted as a misuse. */
#ifndef VGG_CHECKPOINT_SCAN_WALK_STACK_H
#define VGG_CHECKPOINT_SCAN_WALK_STACK_H

#include "checkpoint/scan/walk_types.h"

/* Python would end here with an error. */
void vgg_walk_misuse(struct vgg_pickle_walk *walk);
void vgg_walk_push(struct vgg_pickle_walk *walk, struct vgg_light value);
/* The value with `below` others on it. */
struct vgg_light vgg_walk_peek(struct vgg_pickle_walk *walk, size_t below);
/* Removes values; never a MARK. */
void vgg_walk_drop(struct vgg_pickle_walk *walk, size_t count);
/* How many values are above the last MARK, or on the whole stack. */
size_t vgg_walk_above_mark(const struct vgg_pickle_walk *walk);
/* Removes the last MARK and what is above it. */
void vgg_walk_pop_mark(struct vgg_pickle_walk *walk);
/* Removes the MARK under the top. */
void vgg_walk_drop_mark_below(struct vgg_pickle_walk *walk);
/* Makes a tuple of the top values. */
void vgg_walk_tuple(struct vgg_pickle_walk *walk, size_t count);
void vgg_walk_memoize(struct vgg_pickle_walk *walk, uint64_t index);
void vgg_walk_recall(struct vgg_pickle_walk *walk, uint64_t index);

#endif
