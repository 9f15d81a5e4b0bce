/* SPDX-License-Identifier: MIT */
/* The directory of a packed file: the list of its tensors. */
#ifndef VGG_CHECKPOINT_CONTAINER_PACKED_DIRECTORY_H
#define VGG_CHECKPOINT_CONTAINER_PACKED_DIRECTORY_H

#include "checkpoint/container/entries.h"
#include "checkpoint/container/packed_format.h"
#include "checkpoint/tensor/layout.h"

/* A tensor, or weights prepacked from it. */
struct vgg_packed_entry {
    struct vgg_span name; /* in the arena */
    struct vgg_tensor_view view;
    const struct vgg_element_type *type;
    const struct vgg_layout_type *layout; /* NULL: prepacked, in the order that follows */
    struct vgg_order_info order;
    bool follows;           /* the entry before it has the same name */
    uint64_t offset, bytes; /* in the file */
    uint32_t crc;
};

struct vgg_packed_directory {
    struct vgg_packed_entry *entries; /* [count], in the file's order, without gaps; in the arena */
    size_t count;
};

/* Parses a copy of the directory.
 *   text  [header->directory_bytes]
 * Errors: FORMAT, LIMIT, MEMORY. */
vgg_status vgg_packed_directory_read(const struct vgg_archive *archive,
                                     const struct vgg_packed_header *header, const uint8_t *text,
                                     struct vgg_packed_directory *out);

static inline uint64_t vgg_packed_next_page(uint64_t offset)
{
    return (offset + VGG_PACKED_PAGE_BYTES - 1) / VGG_PACKED_PAGE_BYTES * VGG_PACKED_PAGE_BYTES;
}

#endif
