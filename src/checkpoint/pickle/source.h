/* SPDX-License-Identifier: MIT */
/* The bytes that a pickle is read from. */
#ifndef VGG_CHECKPOINT_PICKLE_SOURCE_H
#define VGG_CHECKPOINT_PICKLE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bytes of a pickle. Values borrow their texts from them, or from a copy of them. */
struct vgg_pickle_source {
    const uint8_t *data; /* [size] */
    bool
        is_private; /* the bytes cannot change: they are read in place, others are copied piece by piece */
    size_t size;          /* the pickle may end before */
    uint64_t file_offset; /* of data[0]; VGG_NO_OFFSET when the bytes are not in the file as is */
    bool ids_are_keys;    /* persistent ids are texts or (class, …), as before torch 0.1.10 */
};

#endif
