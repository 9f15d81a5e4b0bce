/* SPDX-License-Identifier: MIT */
/* Inflating by zlib. */
#include "checkpoint/scan/inflate.h"

#include <limits.h>
#include <zlib.h>

enum { PIECE_BYTES = 64 << 10, RAW_BITS = -15, ANY_BITS = 15 + 32 };

static uInt clamp(uint64_t bytes)
{
    return bytes < UINT_MAX ? (uInt)bytes : UINT_MAX;
}

/* Inflates into a buffer; returns the number of bytes. */
static uint64_t inflate_into(z_stream *stream, const struct vgg_scan_item *packed, uint8_t *buffer,
                             uint64_t max)
{
    uint64_t used = 0, taken = 0;
    int code = Z_OK;
    while (code == Z_OK && used < max) {
        stream->next_in = (Bytef *)(uintptr_t)(packed->data + taken);
        stream->avail_in = clamp(packed->size - taken);
        stream->next_out = buffer + used;
        stream->avail_out = clamp(max - used);
        const uInt in = stream->avail_in, out = stream->avail_out;
        code = inflate(stream, Z_NO_FLUSH);
        taken += in - stream->avail_in;
        used += out - stream->avail_out;
        if (in == stream->avail_in && out == stream->avail_out) {
            break;
        }
    }
    return used;
}

void vgg_scan_inflate(struct vgg_scan_job *job, const struct vgg_scan_item *packed,
                      enum vgg_inflate_wrapper wrapper, uint64_t max, struct vgg_scan_item *out)
{
    uint8_t probe[512];
    z_stream stream = {0};
    const int bits = wrapper == VGG_INFLATE_RAW ? RAW_BITS : ANY_BITS;
    out->data = NULL;
    if (!vgg_scan_spend(job, packed, sizeof probe)) {
        return;
    }
    if (inflateInit2(&stream, bits) != Z_OK) {
        job->status = vgg_load_fail_memory(job->load, sizeof stream, "the scan");
        return;
    }
    /* Most bytes that look like a stream are none. */
    uint64_t size = inflate_into(&stream, packed, probe, sizeof probe);
    inflateEnd(&stream);
    if (size == 0 || inflateInit2(&stream, bits) != Z_OK) {
        return;
    }
    /* Deflate packs at most 1032 bytes into one. */
    if (size < sizeof probe) {
        max = size;
    } else if (max / 1032 > packed->size) {
        max = 1032 * (uint64_t)packed->size;
    }
    uint8_t *buffer = vgg_scan_keep(job, packed, max);
    if (buffer != NULL) {
        size = inflate_into(&stream, packed, buffer, max);
        out->data = buffer;
        out->size = (size_t)size;
        out->file_offset = VGG_NO_OFFSET;
        /* Bytes after the end can be a second stream, which gzip's readers go on with. */
        out->cut = (size == max && max > sizeof probe) ||
                   (wrapper != VGG_INFLATE_RAW && stream.total_in < packed->size);
        job->kept_bytes -= max - size;
        job->spent_bytes += size;
    }
    inflateEnd(&stream);
}

uint32_t vgg_scan_crc(const uint8_t *data, size_t size)
{
    uLong crc = crc32(0, NULL, 0);
    for (size_t done = 0; done < size;) {
        const uInt piece = clamp(size - done);
        crc = crc32(crc, data + done, piece);
        done += piece;
    }
    return (uint32_t)crc;
}
