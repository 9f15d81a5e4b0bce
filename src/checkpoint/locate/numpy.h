/* SPDX-License-Identifier: MIT */
/* NumPy's arrays in a pickle. */
#ifndef VGG_CHECKPOINT_LOCATE_NUMPY_H
#define VGG_CHECKPOINT_LOCATE_NUMPY_H

#include "base/load.h"
#include "checkpoint/pickle/value.h"
#include "checkpoint/tensor/tensor.h"

struct vgg_array_type {
    /* As NumPy calls it: 'U' text, 'f', 'i', 'u' numbers, 'b' conditions, 'O' Python's objects. */
    char kind;
    /* The most significant byte comes first. */
    bool big;
    size_t item_bytes;
};

struct vgg_array {
    struct vgg_array_type type;
    int ndim;
    int64_t shape[VGG_MAX_DIMS];
    /* The first dimension is the innermost. */
    bool fortran;
    /* Bytes, a call that makes bytes of a text, or a list of objects. */
    struct vgg_value *data;
};

/* Reads a dtype: its name, "U4", and in its state the byte order, "<". False: another type. */
bool vgg_array_read_type(const struct vgg_value *dtype, struct vgg_array_type *out);

/* Reads what an array is, but not its elements. False: the value is no array of a type that is read here. */
bool vgg_array_read(const struct vgg_value *value, struct vgg_array *out);

/* Makes the data of an array bytes. Protocol 2 writes them as a text with one character for each,
 * _codecs.encode(text, "latin1"). The call is replaced, and so is a long text, so that each is decoded once.
 * False: without memory; data of another kind stay as they are. */
bool vgg_array_decode(struct vgg_value *data, struct vgg_arena *arena);

#endif
