/* SPDX-License-Identifier: MIT */
/* The opcodes that import, call and change things. */
#ifndef VGG_CHECKPOINT_SCAN_WALK_CALLS_H
#define VGG_CHECKPOINT_SCAN_WALK_CALLS_H

#include "checkpoint/scan/walk_types.h"

/* What is done with bytes in the pickle. */
enum vgg_walk_bytes_use {
    VGG_WALK_LITERAL,  /* nothing is known: only if they begin as a pickle or zip does */
    VGG_WALK_ARGUMENT, /* given to a name that is not harmless */
    VGG_WALK_LOADED,   /* loaded as torch.load does */
};

void vgg_walk_import(struct vgg_pickle_walk *walk, struct vgg_span module, struct vgg_span name);
void vgg_walk_import_from_stack(struct vgg_pickle_walk *walk);
/* INST: the name, called with what is above the mark. */
void vgg_walk_inst(struct vgg_pickle_walk *walk, struct vgg_span module, struct vgg_span name);
/* OBJ: what is above the mark, called with the rest. */
void vgg_walk_obj(struct vgg_pickle_walk *walk);
/* REDUCE and NEWOBJ: the stack has the callable and, above it, this many arguments. */
void vgg_walk_reduce(struct vgg_pickle_walk *walk, size_t arguments);
/* BUILD */
void vgg_walk_build(struct vgg_pickle_walk *walk);
/* PERSID (text: the id stands in the opcode) and BINPERSID. */
void vgg_walk_persistent(struct vgg_pickle_walk *walk, bool text);
/* Reports a loader of bytes that was not called where it was taken; at the end of the pickle. */
void vgg_walk_check_loaders(struct vgg_pickle_walk *walk);
void vgg_walk_extension(struct vgg_pickle_walk *walk);
/* The target of APPEND, SETITEM and their like, on top of the stack.
 *   keys  items with keys: tensors have none to be set */
void vgg_walk_change(struct vgg_pickle_walk *walk, bool keys);
/* Reads the properties of an array of joblib from the top count keys and values. */
void vgg_walk_note_items(struct vgg_pickle_walk *walk, size_t count);
/* Adds bytes in the pickle to the parts of the file, if they may be a file themselves; texts are not. */
void vgg_walk_look_into(struct vgg_pickle_walk *walk, enum vgg_light_kind kind,
                        struct vgg_span bytes, enum vgg_walk_bytes_use use);

#endif
