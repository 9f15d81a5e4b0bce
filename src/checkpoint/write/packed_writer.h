/* SPDX-License-Identifier: MIT */
/* Writing a packed file, which container/packed_format.h describes. */
#ifndef VGG_CHECKPOINT_WRITE_PACKED_WRITER_H
#define VGG_CHECKPOINT_WRITE_PACKED_WRITER_H

#include "base/bytes.h"
#include "base/outfile.h"
#include "checkpoint/tensor/layout.h"
#include "checkpoint/tensor/prepacked_order.h"

/* What the directory says of a tensor. */
struct vgg_packed_tensor {
    const char *name;
    enum vgg_dtype dtype;
    enum vgg_layout layout;
    const int64_t *shape; /* [ndim] */
    int ndim;
};

/* Writes one: begin, then each tensor (begin, its elements in the layout's order, end), finish. */
struct vgg_packed_writer {
    struct vgg_outfile *out;
    struct vgg_bytes directory;
    /* Of the tensor that is being written. */
    enum vgg_dtype dtype;
    uint32_t crc;
};
void vgg_packed_begin(struct vgg_packed_writer *writer, struct vgg_outfile *out,
                      const struct vgg_allocator *allocator);
void vgg_packed_begin_tensor(struct vgg_packed_writer *writer,
                             const struct vgg_packed_tensor *tensor);
/* The same for float32 weights prepacked in this order, right after the weight itself if that is written.
 *   tensor  its layout is not used */
void vgg_packed_begin_prepacked(struct vgg_packed_writer *writer,
                                const struct vgg_packed_tensor *tensor,
                                const struct vgg_order_info *info);
/* elements  [count] of the tensor's type, in this machine's byte order */
void vgg_packed_add(struct vgg_packed_writer *writer, const void *elements, size_t count);
void vgg_packed_end_tensor(struct vgg_packed_writer *writer);
/* Writes description, directory and header, and frees the memory of the writer. False when there was no memory.
 *   description  JSON; NULL: nothing is written, after an error */
bool vgg_packed_finish(struct vgg_packed_writer *writer, const struct vgg_bytes *description);

#endif
