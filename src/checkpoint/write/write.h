/* Writing checkpoints: what the two formats share, and the zip archive that one of them is. */
#ifndef VGG_CHECKPOINT_WRITE_WRITE_H
#define VGG_CHECKPOINT_WRITE_WRITE_H

#include "base/outfile.h"
#include "checkpoint/checkpoint.h"

/* Receives a tensor's elements piece by piece. */
typedef void vgg_bytes_fn(void *user, const void *bytes, size_t count);

/* Hands out the elements in row-major order, little-endian, whatever their strides and byte order. */
void vgg_tensor_write(const struct vgg_tensor *tensor, vgg_bytes_fn *fn, void *user);

/* Bytes of all elements. */
static inline uint64_t vgg_tensor_get_bytes(const struct vgg_tensor *tensor)
{
    return (uint64_t)vgg_tensor_get_count(tensor) * vgg_dtype_get_bytes(tensor->dtype);
}

/* The formats. Errors: UNSUPPORTED (an element type), MEMORY; those of writing are kept in out. */
vgg_status vgg_write_pth(const struct vgg_checkpoint *checkpoint, struct vgg_outfile *out,
                         struct vgg_error *err);
vgg_status vgg_write_safetensors(const struct vgg_checkpoint *checkpoint, struct vgg_outfile *out,
                                 struct vgg_error *err);

/* Bytes that grow in memory. */
struct vgg_bytes {
    uint8_t *data;
    size_t size, capacity;
    bool ok; /* false once there was no memory */
    const struct vgg_allocator *allocator;
};
void vgg_bytes_add(struct vgg_bytes *bytes, const void *data, size_t count);
void vgg_bytes_add_le(struct vgg_bytes *bytes, uint64_t value, unsigned count);
static inline void vgg_bytes_add_text(struct vgg_bytes *bytes, const char *text)
{
    vgg_bytes_add(bytes, text, strlen(text));
}

/* As a JSON string; the text is valid UTF-8 without control characters, as names and labels are. */
void vgg_bytes_add_string(struct vgg_bytes *json, const char *text);

/* A zip archive of stored members, each of whose data begins at a multiple of 64 bytes, as torch writes it:
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
    bool wide; /* its local header has room for 64-bit sizes */
};
void vgg_zip_writer_init(struct vgg_zip_writer *zip, struct vgg_outfile *out,
                         const struct vgg_allocator *allocator);
/* bytes  the size of the data to come; */
void vgg_zip_writer_begin(struct vgg_zip_writer *zip, const char *name, uint64_t bytes);
void vgg_zip_writer_add(void *zip, const void *bytes, size_t count);
void vgg_zip_writer_end(struct vgg_zip_writer *zip, const char *name);
/* Writes the directory. False when there was no memory. Frees what the writer holds. */
bool vgg_zip_writer_finish(struct vgg_zip_writer *zip);

#endif
