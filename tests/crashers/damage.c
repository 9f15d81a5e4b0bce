/* SPDX-License-Identifier: MIT */
/* Damages a small checkpoint in every byte.
 *
 *     damage STEP FILE...
 *
 * Opens each file cut off at every byte, which must be refused, and with every STEPth other value in every
 * byte: no crash, and what is accepted can be read. If vgg_checkpoint_verify finds nothing wrong with it,
 * its tensors must be those of the whole file. The file is opened under two names: "x.pth", where only a zip's
 * checksums can show damage, and its own name, which contains its SHA-256. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vgg/checkpoint.h"

enum { TENSORS_MAX = 8, ELEMENTS_MAX = 64 };

/* What a file holds. */
struct contents {
    size_t count;
    struct {
        char name[64];
        int ndim;
        int64_t shape[VGG_MAX_DIMS];
        enum vgg_dtype dtype;
        float values[ELEMENTS_MAX];
    } tensors[TENSORS_MAX];
};

static unsigned passed, failed;

static void report(bool good, const char *path, const char *what, size_t at, unsigned value)
{
    passed += good;
    failed += !good;
    if (!good) {
        printf("FAILED %s: %s byte %zu, value %u\n", path, what, at, value);
    }
}

/* Reads everything there is, and keeps the small things. */
static void read_contents(const vgg_checkpoint *checkpoint, struct contents *out)
{
    memset(out, 0, sizeof *out);
    out->count = vgg_checkpoint_get_tensor_count(checkpoint);
    for (size_t i = 0; i < out->count; i++) {
        const struct vgg_tensor *tensor = vgg_checkpoint_get_tensor(checkpoint, i);
        int64_t count = vgg_tensor_get_count(tensor);
        if (i >= TENSORS_MAX || count > 1 << 20) {
            continue;
        }
        float *values = malloc(((size_t)count + 1) * sizeof *values);
        if (values == NULL) {
            abort();
        }
        vgg_tensor_read_f32(tensor, values);
        snprintf(out->tensors[i].name, sizeof out->tensors[i].name, "%s", tensor->name);
        out->tensors[i].ndim = tensor->ndim;
        out->tensors[i].dtype = tensor->dtype;
        memcpy(out->tensors[i].shape, tensor->shape,
               (size_t)tensor->ndim * sizeof tensor->shape[0]);
        memcpy(out->tensors[i].values, values,
               (size_t)(count < ELEMENTS_MAX ? count : ELEMENTS_MAX) * sizeof *values);
        free(values);
    }
}

/* Opens a block of exactly these bytes, so that a sanitizer sees reads past them. */
static vgg_status open_copy(const uint8_t *data, size_t size, const char *name, bool verify,
                            struct contents *out)
{
    static struct vgg_error err;
    vgg_checkpoint *checkpoint;
    uint8_t *copy = malloc(size > 0 ? size : 1);
    if (copy == NULL) {
        abort();
    }
    memcpy(copy, data, size);
    vgg_status status = vgg_checkpoint_open_memory(copy, size, name, NULL, NULL, &checkpoint, &err);
    if (status == VGG_OK) {
        read_contents(checkpoint, out);
        status = verify ? vgg_checkpoint_verify(checkpoint, NULL, &err) : VGG_OK;
    }
    vgg_checkpoint_close(checkpoint);
    free(copy);
    return status;
}

static void cut(const char *path, const uint8_t *data, size_t size)
{
    static struct contents contents;
    for (size_t end = 0; end < size; end++) {
        report(open_copy(data, end, "x.pth", false, &contents) != VGG_OK, path, "cut off at", end,
               0);
    }
}

/* The number of changed files that were accepted. */
static size_t change(const char *path, uint8_t *data, size_t size, unsigned step)
{
    static struct contents whole, contents;
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    bool has_checksums = memcmp(data, "PK", 2) == 0;
    size_t accepted = 0;
    report(open_copy(data, size, name, true, &whole) == VGG_OK, path, "whole", size, 0);
    for (size_t i = 0; i < size; i++) {
        uint8_t kept = data[i];
        for (unsigned flip = 1; flip < 256; flip += step) {
            data[i] = (uint8_t)(kept ^ flip);
            vgg_status status = open_copy(data, size, "x.pth", has_checksums, &contents);
            accepted += status == VGG_OK;
            report(!has_checksums || status != VGG_OK ||
                       memcmp(&whole, &contents, sizeof whole) == 0,
                   path, "accepted and wrong:", i, data[i]);
        }
        /* By the SHA-256 in its name every change is found; one each is enough of that. */
        report(open_copy(data, size, name, true, &contents) != VGG_OK, path,
               "not found by its hash:", i, data[i]);
        data[i] = kept;
    }
    return accepted;
}

int main(int argc, char **argv)
{
    unsigned step = argc > 2 ? (unsigned)atoi(argv[1]) : 0;
    if (step == 0) {
        fprintf(stderr, "usage: damage STEP FILE...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        static uint8_t data[1 << 16];
        FILE *file = fopen(argv[i], "rb");
        size_t size = file != NULL ? fread(data, 1, sizeof data, file) : 0;
        if (size == 0 || size == sizeof data) {
            perror(argv[i]);
            return 2;
        }
        fclose(file);
        cut(argv[i], data, size);
        size_t accepted = change(argv[i], data, size, step);
        printf("%s: %zu bytes, %zu changes accepted\n", argv[i], size, accepted);
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed > 0;
}
