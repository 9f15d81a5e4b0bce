/* SPDX-License-Identifier: MIT */
/* Writes a zip archive member by member. */
#ifndef VGG_CHECKPOINT_WRITE_ZIP_WRITER_H
#define VGG_CHECKPOINT_WRITE_ZIP_WRITER_H

#include "base/bytes.h"
#include "base/outfile.h"

/* A zip archive of stored members, with the data of each at a multiple of 64 bytes, as torch writes it:
 *     begin, then write its data, end; … finish */
struct vgg_zip_writer {
    struct vgg_outfile *out;
    struct vgg_bytes directory;
    uint64_t member_count;
    uint64_t large; /* sizes and offsets from here on need zip64: 2^32 - 1; tests set less */
    /* The member that is being written. */
    uint64_t header_offset, data_offset;
    size_t name_bytes;
    uint32_t crc;
    bool wide; /* its local header has fields for 64-bit sizes */
};
void vgg_zip_writer_init(struct vgg_zip_writer *zip, struct vgg_outfile *out,
                         const struct vgg_allocator *allocator);
/* bytes  the size of the data to come */
void vgg_zip_writer_begin(struct vgg_zip_writer *zip, const char *name, uint64_t bytes);
void vgg_zip_writer_add(void *zip, const void *bytes, size_t count);
void vgg_zip_writer_end(struct vgg_zip_writer *zip, const char *name);
/* Writes the directory and frees the memory of the writer. False when there was no memory. */
bool vgg_zip_writer_finish(struct vgg_zip_writer *zip);

#endif
