/* SPDX-License-Identifier: MIT */
/* Reading .npy: magic, version, a Python dict as header, then the numbers. */
#include "io/npy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/message.h"

enum { MAGIC_BYTES = 8, MAX_HEADER_BYTES = 64 * 1024 };

/* The header's text; tokens are taken from its front. */
struct header {
    const char *path;
    const char *next;
    struct vgg_error *err;
};

static void skip_blanks(struct header *header)
{
    header->next += strspn(header->next, " \t\n\r");
}

/* Takes one character if it is next. */
static bool take(struct header *header, char c)
{
    skip_blanks(header);
    if (*header->next != c) {
        return false;
    }
    header->next++;
    return true;
}

static vgg_status fail_header(const struct header *header, const char *expected)
{
    return message_fail(header->err, VGG_ERR_FORMAT, "%s: .npy header: expected %s, got '%.20s'",
                        header->path, expected, header->next);
}

/* Takes a string in single or double quotes, without escapes. */
static vgg_status take_string(struct header *header, char *out, size_t bytes)
{
    skip_blanks(header);
    char quote = *header->next;
    const char *end = quote == '\'' || quote == '"' ? strchr(header->next + 1, quote) : NULL;
    if (end == NULL || (size_t)(end - header->next) > bytes) {
        return fail_header(header, "a string");
    }
    size_t length = (size_t)(end - header->next) - 1;
    memcpy(out, header->next + 1, length);
    out[length] = '\0';
    header->next = end + 1;
    return VGG_OK;
}

static vgg_status take_descr(struct header *header, struct npy_reader *out)
{
    char descr[64];
    skip_blanks(header);
    if (*header->next == '[') {
        return message_fail(header->err, VGG_ERR_UNSUPPORTED,
                            "%s: expected dtype float32 ('" NPY_LITTLE "' or '" NPY_BIG
                            "'), got a structured dtype",
                            header->path);
    }
    vgg_status status = take_string(header, descr, sizeof descr);
    if (status == VGG_OK && strcmp(descr, NPY_LITTLE) != 0 && strcmp(descr, NPY_BIG) != 0) {
        return message_fail(header->err, VGG_ERR_UNSUPPORTED,
                            "%s: expected dtype float32 ('" NPY_LITTLE "' or '" NPY_BIG
                            "'), got '%s'",
                            header->path, descr);
    }
    out->swapped = status == VGG_OK && npy_is_swapped(descr);
    return status;
}

static vgg_status take_order(struct header *header)
{
    skip_blanks(header);
    if (strncmp(header->next, "True", 4) == 0) {
        return message_fail(header->err, VGG_ERR_UNSUPPORTED,
                            "%s: expected an array in C order, got Fortran order; "
                            "save numpy.ascontiguousarray(array)",
                            header->path);
    }
    if (strncmp(header->next, "False", 5) != 0) {
        return fail_header(header, "True or False");
    }
    header->next += 5;
    return VGG_OK;
}

static vgg_status take_shape(struct header *header, struct npy_reader *out)
{
    if (!take(header, '(')) {
        return fail_header(header, "a shape");
    }
    while (!take(header, ')')) {
        char *end;
        errno = 0;
        long long size =
            *header->next >= '0' && *header->next <= '9' ? strtoll(header->next, &end, 10) : -1;
        if (size < 0 || errno != 0 || out->ndim == NPY_MAX_DIMS) {
            return fail_header(header, "at most 8 sizes");
        }
        out->shape[out->ndim++] = size;
        header->next = end;
        if (!take(header, ',')) {
            if (!take(header, ')')) {
                return fail_header(header, "',' or ')'");
            }
            break;
        }
    }
    if (out->ndim == 0) {
        return message_fail(header->err, VGG_ERR_UNSUPPORTED,
                            "%s: expected an array, got a single number", header->path);
    }
    return VGG_OK;
}

/* {'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 224, 224), } */
static vgg_status parse_header(struct header *header, struct npy_reader *out)
{
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    unsigned seen = 0;
    if (!take(header, '{')) {
        return fail_header(header, "'{'");
    }
    while (!take(header, '}')) {
        char key[32];
        vgg_status status = take_string(header, key, sizeof key);
        if (status != VGG_OK) {
            return status;
        }
        unsigned which = 0;
        while (which < 3 && strcmp(keys[which], key) != 0) {
            which++;
        }
        if (which == 3 || (seen & 1U << which) != 0 || !take(header, ':')) {
            return fail_header(header, "descr, fortran_order and shape, once each");
        }
        seen |= 1U << which;
        status = which == 0   ? take_descr(header, out)
                 : which == 1 ? take_order(header)
                              : take_shape(header, out);
        if (status != VGG_OK) {
            return status;
        }
        if (!take(header, ',')) {
            if (!take(header, '}')) {
                return fail_header(header, "',' or '}'");
            }
            break;
        }
    }
    skip_blanks(header);
    if (seen != 7 || *header->next != '\0') {
        return fail_header(header, "descr, fortran_order and shape, once each");
    }
    return VGG_OK;
}

/* Checks the size of the file against the shape; fills row_count. */
static vgg_status check_size(struct npy_reader *reader, struct vgg_error *err)
{
    struct stat info;
    if (fstat(fileno(reader->file), &info) != 0) {
        return message_fail_errno(err, "%s: cannot read", reader->path);
    }
    size_t row_count = 1, row_bytes;
    int64_t bytes;
    bool fits = true;
    for (int i = 1; i < reader->ndim; i++) {
        fits = fits && !__builtin_mul_overflow(row_count, reader->shape[i], &row_count);
    }
    fits = fits && !__builtin_mul_overflow(row_count, sizeof(float), &row_bytes) &&
           !__builtin_mul_overflow(row_bytes, reader->shape[0], &bytes) &&
           !__builtin_add_overflow(bytes, reader->data_offset, &bytes);
    if (!fits) {
        return message_fail(err, VGG_ERR_LIMIT, "%s: the shape is too large", reader->path);
    }
    if (bytes != info.st_size) {
        return message_fail(err, VGG_ERR_FORMAT, "%s: expected %lld bytes for its shape, got %lld",
                            reader->path, (long long)bytes, (long long)info.st_size);
    }
    reader->row_count = row_count;
    return VGG_OK;
}

/* Reads magic, version and header. */
static vgg_status read_header(struct npy_reader *reader, char *text, struct vgg_error *err)
{
    unsigned char start[MAGIC_BYTES], length[4];
    size_t header_bytes = 0;
    if (fread(start, 1, sizeof start, reader->file) != sizeof start ||
        memcmp(start, "\x93NUMPY", 6) != 0) {
        return message_fail(err, VGG_ERR_FORMAT, "%s: expected a .npy file", reader->path);
    }
    if (start[6] != 1 && start[6] != 2) {
        return message_fail(err, VGG_ERR_UNSUPPORTED, "%s: expected .npy version 1 or 2, got %u",
                            reader->path, start[6]);
    }
    size_t length_bytes = start[6] == 1 ? 2 : 4;
    bool complete = fread(length, 1, length_bytes, reader->file) == length_bytes;
    for (size_t i = 0; complete && i < length_bytes; i++) {
        header_bytes |= (size_t)length[i] << (8 * i);
    }
    if (header_bytes > MAX_HEADER_BYTES) {
        return message_fail(err, VGG_ERR_LIMIT,
                            "%s: expected a header of at most %d bytes, got %zu", reader->path,
                            MAX_HEADER_BYTES, header_bytes);
    }
    if (!complete || fread(text, 1, header_bytes, reader->file) != header_bytes) {
        return message_fail(err, VGG_ERR_FORMAT, "%s: ends within the .npy header", reader->path);
    }
    text[header_bytes] = '\0';
    reader->data_offset = (int64_t)(MAGIC_BYTES + length_bytes + header_bytes);
    return VGG_OK;
}

/* Opens the file. Opening a FIFO must not wait for a writer before it is refused. */
static vgg_status open_file(struct npy_reader *reader, struct vgg_error *err)
{
    struct stat info;
    if (stat(reader->path, &info) == 0 && !S_ISREG(info.st_mode)) {
        return message_fail(err, VGG_ERR_UNSUPPORTED, "%s: expected a regular file", reader->path);
    }
    const int fd = open(reader->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        return message_fail_errno(err, "%s: cannot open", reader->path);
    }
    reader->file = fdopen(fd, "rb");
    return reader->file != NULL ? VGG_OK : message_fail_errno(err, "%s: cannot open", reader->path);
}

vgg_status npy_reader_open(const char *path, struct npy_reader *out, struct vgg_error *err)
{
    vgg_status status;
    *out = (struct npy_reader){.path = strdup(path)};
    char *text = malloc(MAX_HEADER_BYTES + 1);
    if (out->path == NULL || text == NULL) {
        status = message_fail(err, VGG_ERR_MEMORY, "%s: out of memory", path);
        goto done;
    }
    status = open_file(out, err);
    if (status != VGG_OK) {
        goto done;
    }
    status = read_header(out, text, err);
    if (status == VGG_OK) {
        struct header header = {.path = path, .next = text, .err = err};
        status = parse_header(&header, out);
    }
    if (status == VGG_OK) {
        status = check_size(out, err);
    }
done:
    free(text);
    if (status != VGG_OK) {
        npy_reader_close(out);
    }
    return status;
}

vgg_status npy_reader_read_row(struct npy_reader *reader, int64_t row, float *out,
                               struct vgg_error *err)
{
    int64_t offset = reader->data_offset + row * (int64_t)(reader->row_count * sizeof(float));
    errno = 0;
    if (fseeko(reader->file, offset, SEEK_SET) != 0 ||
        fread(out, sizeof(float), reader->row_count, reader->file) != reader->row_count) {
        return message_fail_errno(err, "%s: cannot read row %lld", reader->path, (long long)row);
    }
    if (reader->swapped) {
        npy_swap(out, reader->row_count, out);
    }
    return VGG_OK;
}

void npy_reader_close(struct npy_reader *reader)
{
    if (reader->file != NULL) {
        fclose(reader->file);
    }
    free(reader->path);
    *reader = (struct npy_reader){0};
}
