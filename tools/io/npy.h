/* SPDX-License-Identifier: MIT */
/* NumPy's .npy files of float32 in C order: read by rows in either byte order, written by
 * rows little-endian. */
#ifndef TOOLS_IO_NPY_H
#define TOOLS_IO_NPY_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "vgg/status.h"

#define NPY_MAX_DIMS 8

/* How NumPy names float32, little- and big-endian. */
#define NPY_LITTLE "<f4"
#define NPY_BIG ">f4"

/* Whether numbers in one of these orders have their bytes the other way round than in memory. */
static inline bool npy_is_swapped(const char *descr)
{
    return (descr[0] == '>') != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
}

/* Reverses the bytes of each number.
 *   out  [count]; may be the numbers themselves */
static inline void npy_swap(const float *numbers, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &numbers[i], sizeof bits);
        bits = __builtin_bswap32(bits);
        memcpy(&out[i], &bits, sizeof bits);
    }
}

/* An open array. A row is what one index of the first dimension selects. */
struct npy_reader {
    FILE *file;
    char *path;
    int ndim;                    /* 1 … NPY_MAX_DIMS */
    int64_t shape[NPY_MAX_DIMS]; /* elements, all >= 0 */
    size_t row_count;            /* floats in a row; 0 when a dimension after the first is 0 */
    bool swapped;                /* not in this machine's byte order */
    int64_t data_offset;         /* bytes from the start of the file */
};

/* Opens a .npy file of version 1 or 2 and checks everything about it but the numbers: a complete
 * header, dtype float32, C order, and a file size that agrees with the shape.
 *   out  filled on success, to be closed with npy_reader_close; cleared after an error
 * Errors: IO, FORMAT, UNSUPPORTED (another dtype, Fortran order, another version), LIMIT, MEMORY. */
vgg_status npy_reader_open(const char *path, struct npy_reader *out, struct vgg_error *err);
/* Reads one row. out: [row_count]. Errors: IO. */
vgg_status npy_reader_read_row(struct npy_reader *reader, int64_t row, float *out,
                               struct vgg_error *err);
void npy_reader_close(struct npy_reader *reader);

/* An array being written; its first dimension is known only at the end, when the header, which has
 * space for it, is written again. Zero-initialised: there is none. */
struct npy_writer {
    FILE *file;       /* borrowed */
    const char *path; /* of messages; borrowed */
    bool started;     /* whether the shape of a row is known */
    int ndim;         /* of the array: that of a row + 1 */
    int64_t shape[NPY_MAX_DIMS];
    size_t row_count;
    int64_t pending; /* missing rows before the shape was known */
};

/* Begins an array in an open file, which must be seekable. Errors: IO. */
vgg_status npy_writer_begin(FILE *file, const char *path, struct npy_writer *out,
                            struct vgg_error *err);
/* Appends a row, whose shape must be that of the first one.
 *   shape  [ndim]; data [product of shape]
 * Errors: IO; MISMATCH for another shape: nothing is written then. */
vgg_status npy_writer_add(struct npy_writer *writer, const int64_t *shape, int ndim,
                          const float *data, struct vgg_error *err);
/* Appends a row of NaN, in place of one that could not be computed. Errors: IO. */
vgg_status npy_writer_add_missing(struct npy_writer *writer, struct vgg_error *err);
/* Writes the final header. With nothing but missing rows the array is [rows, 0].
 * Errors: IO. A finished or cleared writer is allowed. */
vgg_status npy_writer_finish(struct npy_writer *writer, struct vgg_error *err);

#endif
