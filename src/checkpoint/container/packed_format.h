/* SPDX-License-Identifier: MIT */
/* The packed file: a net with BatchNorm folded in, laid out for mmap. All numbers are little-endian.
 *
 *     header       64 bytes (struct vgg_packed_header), then zeros up to the first page
 *     tensors      each at the next multiple of a page, zeros between them
 *     description  JSON as in models/README.md: layers, input, preprocessing, labels
 *     directory    JSON: {"tensors": [{"name", "dtype", "layout", "shape", "offset", "crc32"}, …]} in the
 *                  file's order; dtypes as in safetensors ("F32"), layouts as in layout.c. They and the shape
 *                  determine the size. A convolution's weight may be followed, or replaced, by entries of the
 *                  same name with prepacked weights: their layout is an order of prepacked_order.h, "direct" or
 *                  "winograd", with "group", "channels" and "m"
 *
 * Every byte belongs to one of these, so that nothing can hide in the file. Each part has a CRC-32. Those of large
 * tensors are compared by vgg_checkpoint_verify alone, all others whenever the file is opened. */
#ifndef VGG_CHECKPOINT_CONTAINER_PACKED_FORMAT_H
#define VGG_CHECKPOINT_CONTAINER_PACKED_FORMAT_H

#include <stdint.h>

enum {
    VGG_PACKED_VERSION = 2,
    VGG_PACKED_HEADER_BYTES = 64,
    VGG_PACKED_PAGE_BYTES = 4096,
};
/* Not text, and a transfer in text mode damages it. */
#define VGG_PACKED_MAGIC "\x89VGG\r\n\x1a\n"

/* As in the file, after the magic. */
struct vgg_packed_header {
    uint32_t version;
    uint32_t page_bytes;
    uint64_t file_bytes;
    uint64_t description_offset; /* the directory follows the description and ends the file */
    uint64_t description_bytes, directory_bytes;
    uint32_t description_crc, directory_crc;
    uint32_t zero;
    uint32_t header_crc; /* of all before it */
};

#endif
