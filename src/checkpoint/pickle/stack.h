/* SPDX-License-Identifier: MIT */
/* The stack of the pickle machine. */
#ifndef VGG_CHECKPOINT_PICKLE_STACK_H
#define VGG_CHECKPOINT_PICKLE_STACK_H

#include "checkpoint/pickle/machine.h"

/* Every function is bounded by the machine's limits. */

/* The error after every NULL or false: no memory, or the limit on values. */
vgg_status vgg_pickle_no_memory(struct vgg_pickle_machine *m);
/* Makes *items, of *capacity elements of `bytes`, large enough for count. */
bool vgg_pickle_reserve(struct vgg_pickle_machine *m, void **items, size_t *capacity, size_t count,
                        size_t bytes);
struct vgg_value *vgg_pickle_make(struct vgg_pickle_machine *m, enum vgg_value_kind kind);
vgg_status vgg_pickle_push(struct vgg_pickle_machine *m, struct vgg_value *value);
vgg_status vgg_pickle_push_new(struct vgg_pickle_machine *m, struct vgg_value value);
/* The top count items; they stay where they are. NULL when the stack has fewer above its mark. */
struct vgg_value **vgg_pickle_peek(struct vgg_pickle_machine *m, size_t count);
/* Removes the last mark and the items above it, which stay readable until the next push. */
struct vgg_value **vgg_pickle_pop_mark(struct vgg_pickle_machine *m, size_t *count);
/* Appends items to a TUPLE, LIST, SET or DICT. */
vgg_status vgg_pickle_extend(struct vgg_pickle_machine *m, struct vgg_value *list,
                             struct vgg_value **items, size_t count);
/* Replaces count values on top by a new TUPLE of them (or by another kind of list). */
vgg_status vgg_pickle_collect(struct vgg_pickle_machine *m, enum vgg_value_kind kind,
                              struct vgg_value **items, size_t count);
vgg_status vgg_pickle_collect_top(struct vgg_pickle_machine *m, size_t count);
/* Adds the items above the mark (or the top `single` ones) to the list below them. */
vgg_status vgg_pickle_add_to(struct vgg_pickle_machine *m, enum vgg_value_kind kind, size_t single);

#endif
