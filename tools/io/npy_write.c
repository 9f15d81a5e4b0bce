/* SPDX-License-Identifier: MIT */
/* Writing .npy: a header of fixed size, then rows; the header again at the end. */
#include "io/npy.h"

#include <math.h>
#include <string.h>

#include "io/message.h"

/* Version 1.0; the numbers begin at a multiple of 64 bytes, as NumPy does it. Eight sizes of 20 digits
 * fit. */
enum { PREFIX_BYTES = 10, HEADER_BYTES = 256 };

static vgg_status write_header(struct npy_writer *writer, struct vgg_error *err)
{
    char header[HEADER_BYTES + 1];
    const unsigned text_bytes = HEADER_BYTES - PREFIX_BYTES;
    memcpy(header, "\x93NUMPY\x01\x00", 8);
    header[8] = (char)(text_bytes & 0xff);
    header[9] = (char)(text_bytes >> 8);
    int length = PREFIX_BYTES;
    length += snprintf(header + length, sizeof header - (size_t)length,
                       "{'descr': '" NPY_LITTLE "', 'fortran_order': False, 'shape': (");
    for (int i = 0; i < writer->ndim; i++) {
        length += snprintf(header + length, sizeof header - (size_t)length, "%lld, ",
                           (long long)writer->shape[i]);
    }
    length += snprintf(header + length, sizeof header - (size_t)length, "), }");
    memset(header + length, ' ', (size_t)(HEADER_BYTES - length));
    header[HEADER_BYTES - 1] = '\n';
    if (fseeko(writer->file, 0, SEEK_SET) != 0 ||
        fwrite(header, 1, HEADER_BYTES, writer->file) != HEADER_BYTES) {
        return message_fail_errno(err, "%s: cannot write", writer->path);
    }
    return VGG_OK;
}

vgg_status npy_writer_begin(FILE *file, const char *path, struct npy_writer *out,
                            struct vgg_error *err)
{
    *out = (struct npy_writer){.file = file, .path = path, .ndim = 2};
    return write_header(out, err);
}

static vgg_status write_floats(struct npy_writer *writer, const float *data, size_t count,
                               struct vgg_error *err)
{
    enum { PIECE = 1024 };
    float piece[PIECE];
    while (count > 0) {
        const bool swapped = npy_is_swapped(NPY_LITTLE);
        const size_t now = swapped && count > PIECE ? PIECE : count;
        if (swapped) {
            npy_swap(data, now, piece);
        }
        if (fwrite(swapped ? piece : data, sizeof *data, now, writer->file) != now) {
            return message_fail_errno(err, "%s: cannot write", writer->path);
        }
        data += now;
        count -= now;
    }
    return VGG_OK;
}

static vgg_status write_missing(struct npy_writer *writer, struct vgg_error *err)
{
    const float missing = NAN;
    vgg_status status = VGG_OK;
    for (size_t i = 0; i < writer->row_count && status == VGG_OK; i++) {
        status = write_floats(writer, &missing, 1, err);
    }
    writer->shape[0] += status == VGG_OK;
    return status;
}

/* Takes the shape of the first row, and writes the rows that were missing before it. */
static vgg_status start(struct npy_writer *writer, const int64_t *shape, int ndim,
                        struct vgg_error *err)
{
    writer->started = true;
    writer->ndim = ndim + 1;
    writer->row_count = 1;
    for (int i = 0; i < ndim; i++) {
        writer->shape[i + 1] = shape[i];
        writer->row_count *= (size_t)shape[i];
    }
    for (; writer->pending > 0; writer->pending--) {
        vgg_status status = write_missing(writer, err);
        if (status != VGG_OK) {
            return status;
        }
    }
    return VGG_OK;
}

vgg_status npy_writer_add(struct npy_writer *writer, const int64_t *shape, int ndim,
                          const float *data, struct vgg_error *err)
{
    if (!writer->started) {
        vgg_status status = start(writer, shape, ndim, err);
        if (status != VGG_OK) {
            return status;
        }
    }
    if (ndim + 1 != writer->ndim ||
        memcmp(shape, writer->shape + 1, (size_t)ndim * sizeof *shape) != 0) {
        return message_fail(err, VGG_ERR_MISMATCH,
                            "%s: rows must have the same size, that of the first one",
                            writer->path);
    }
    vgg_status status = write_floats(writer, data, writer->row_count, err);
    writer->shape[0] += status == VGG_OK;
    return status;
}

vgg_status npy_writer_add_missing(struct npy_writer *writer, struct vgg_error *err)
{
    if (writer->started) {
        return write_missing(writer, err);
    }
    writer->pending++;
    return VGG_OK;
}

vgg_status npy_writer_finish(struct npy_writer *writer, struct vgg_error *err)
{
    if (writer->file == NULL) {
        return VGG_OK;
    }
    if (!writer->started) {
        writer->shape[0] = writer->pending;
    }
    vgg_status status = write_header(writer, err);
    *writer = (struct npy_writer){0};
    return status;
}
