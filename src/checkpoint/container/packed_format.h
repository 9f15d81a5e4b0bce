/* SPDX-License-Identifier: MIT */
/* The packed file: a folded net, ready to be mapped. All numbers are little-endian.
 *
 *     header       64 bytes (struct vgg_packed_header), then zeros up to the first page
 *     tensors      each at the next multiple of a page, zeros between them
 *     description  JSON as in models/README.md: layers, input, preprocessing, labels
 *     directory    JSON: {"tensors": [{"name", "dtype", "layout", "shape", "offset", "crc32"}, …]} in the
 *                  file's order; dtypes as in safetensors ("F32"), layouts as in layout.c, from which with
 *                  the shape follows how many bytes there are. A convolution's weight may be followed by, or
 *                  consist of, entries of the same name whose layout is an order of prepacked.h, "direct" or
 *                  "winograd", with "group", "channels" and "m"
 *
 * Every byte belongs to one of these, so that nothing can hide in the file. Each part has a CRC-32: those
 * of tensors are compared when asked for (and those of small tensors always), all others always. */
#ifndef VGG_CHECKPOINT_CONTAINER_PACKED_FORMAT_H
#define VGG_CHECKPOINT_CONTAINER_PACKED_FORMAT_H

#include <stdint.h>

enum {
    VGG_PACKED_VERSION = 2,
    VGG_PACKED_HEADER_BYTES = 64,
    VGG_PACKED_PAGE_BYTES = 4096,
};
/* No text reads so, and a transfer as text changes it. */
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
