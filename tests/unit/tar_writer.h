/* SPDX-License-Identifier: MIT */
/* Writes tar archives as PyTorch 0.1.9 and older did, right or wrong in any detail. */
#ifndef VGG_TESTS_TAR_WRITER_H
#define VGG_TESTS_TAR_WRITER_H

#include "writer.h"

/* A member, and what its header says of it; zeroed fields mean the truth. */
struct entry {
    const char *name;
    struct bytes content;
    char type;           /* '0' */
    const char *records; /* of an extended header before it */
    const char *size;    /* the field's text */
    const char *magic;
    const char *prefix;
    int sum_lie;
};

/* The members of a checkpoint, in their order. */
enum { SYS_INFO, PICKLE, TENSORS, STORAGES, GOOD_ENTRIES };

static inline void put_header(struct bytes *out, const struct entry *entry, const char *name,
                              char type, size_t size)
{
    uint8_t block[512] = {0};
    unsigned sum = 0;
    memcpy(block, name, strlen(name));
    memcpy(block + 100, "0000644", 8);
    snprintf((char *)block + 124, 12, "%011o", (unsigned)size);
    if (entry->size != NULL && type != 'x') {
        memcpy(block + 124, entry->size, 12);
    }
    memcpy(block + 136, "13055020000", 12);
    memset(block + 148, ' ', 8);
    block[156] = (uint8_t)type;
    memcpy(block + 257,
           entry->magic != NULL ? entry->magic
                                : "ustar\0"
                                  "00",
           8);
    if (entry->prefix != NULL) {
        memcpy(block + 345, entry->prefix, strlen(entry->prefix));
    }
    for (size_t i = 0; i < sizeof block; i++) {
        sum += block[i];
    }
    snprintf((char *)block + 148, 8, "%06o", sum + (unsigned)entry->sum_lie);
    put(out, block, sizeof block);
}

static inline void pad(struct bytes *out)
{
    static const uint8_t zeros[512];
    put(out, zeros, (512 - out->size % 512) % 512);
}

static inline struct bytes make_tar(const struct entry *entries, size_t count)
{
    static const uint8_t end[1024];
    struct bytes out = {0};
    for (size_t i = 0; i < count; i++) {
        const struct entry *entry = &entries[i];
        if (entry->records != NULL) {
            put_header(&out, entry, "././@PaxHeader", 'x', strlen(entry->records));
            put(&out, entry->records, strlen(entry->records));
            pad(&out);
        }
        put_header(&out, entry, entry->name, entry->type != 0 ? entry->type : '0',
                   entry->content.size);
        put(&out, entry->content.data, entry->content.size);
        pad(&out);
    }
    put(&out, end, sizeof end);
    return out;
}

static inline void put_sys_info(struct bytes *out)
{
    PUT(out, "\x80\x02}(X\x10\0\0\0protocol_versionM\xe8\x03X\x0d\0\0\0little_endian\x88u.");
}

static inline void put_count(struct bytes *out, int64_t count)
{
    PUT(out, "\x80\x02");
    put_int(out, count);
    PUT(out, ".");
}

/* (key, storage, class), dimensions */
static inline void put_tensor_record(struct bytes *out, int64_t key, int64_t storage,
                                     const char *class, int ndim, const int64_t *numbers)
{
    PUT(out, "\x80\x02");
    put_int(out, key);
    put_int(out, storage);
    put_global(out, "torch", class);
    PUT(out, "\x87.");
    put_le(out, (uint64_t)ndim, 8);
    for (int i = 0; i < 2 * ndim + 1; i++) {
        put_le(out, (uint64_t)numbers[i], 8);
    }
}

static inline void put_storage_record(struct bytes *out, int64_t key, const char *class,
                                      const float *values, size_t count)
{
    PUT(out, "\x80\x02");
    put_int(out, key);
    put_text(out, "cpu");
    put_global(out, "torch", class);
    PUT(out, "\x87.");
    put_le(out, count, 8);
    put_floats(out, values, count);
}

static inline void put_views(struct bytes *out, const int64_t *views, size_t count)
{
    PUT(out, "\x80\x02](");
    for (size_t i = 0; i < count; i++) {
        put_ints(out, views + 4 * i, 4);
    }
    PUT(out, "e.");
}

#endif
