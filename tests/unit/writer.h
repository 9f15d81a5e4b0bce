/* SPDX-License-Identifier: MIT */
/* Writes small checkpoints into memory, right or wrong in any detail: bytes, pickles, legacy streams,
 * zip archives, and files to open them from. */
#ifndef VGG_TESTS_UNIT_WRITER_H
#define VGG_TESTS_UNIT_WRITER_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <check.h>

#include "vgg/checkpoint.h"

/* ---- bytes ---- */

/* Grows as it is written; free(data). */
struct bytes {
    uint8_t *data;
    size_t size, capacity;
};

static inline void put(struct bytes *out, const void *data, size_t size)
{
    if (out->size + size > out->capacity) {
        out->capacity = 2 * (out->size + size);
        out->data = realloc(out->data, out->capacity);
        ck_assert_ptr_nonnull(out->data);
    }
    if (size > 0) {
        memcpy(out->data + out->size, data, size);
    }
    out->size += size;
}

/* A literal, which may hold zeros. */
#define PUT(out, literal) put(out, literal, sizeof(literal) - 1)

static inline void put_le(struct bytes *out, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        uint8_t byte = (uint8_t)(value >> (8 * i));
        put(out, &byte, 1);
    }
}

static inline void set_le(struct bytes *out, size_t offset, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        out->data[offset + i] = (uint8_t)(value >> (8 * i));
    }
}

/* A copy of exactly these bytes on the heap, so that a sanitizer sees reads past them. */
static inline uint8_t *copy_exactly(const void *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, data, size);
    return copy;
}

/* ---- pickles ---- */

static inline void put_text(struct bytes *out, const char *text)
{
    PUT(out, "X");
    put_le(out, strlen(text), 4);
    put(out, text, strlen(text));
}

static inline void put_int(struct bytes *out, int64_t value)
{
    PUT(out, "\x8a\x08");
    put_le(out, (uint64_t)value, 8);
}

static inline void put_global(struct bytes *out, const char *module, const char *name)
{
    PUT(out, "c");
    put(out, module, strlen(module));
    PUT(out, "\n");
    put(out, name, strlen(name));
    PUT(out, "\n");
}

static inline void put_ints(struct bytes *out, const int64_t *values, int count)
{
    PUT(out, "(");
    for (int i = 0; i < count; i++) {
        put_int(out, values[i]);
    }
    PUT(out, "t");
}

/* A tensor to be pickled; zeroed fields mean the usual. */
struct sample {
    const char *name;
    const char *key;   /* of the storage */
    const char *type;  /* "Float" */
    int64_t available; /* elements of the storage */
    int64_t offset;
    int ndim, stride_count; /* 0: ndim */
    int64_t shape[10], stride[10];
};

static inline void put_storage(struct bytes *out, const struct sample *sample)
{
    char type[64];
    snprintf(type, sizeof type, "%sStorage", sample->type != NULL ? sample->type : "Float");
    PUT(out, "(");
    put_text(out, "storage");
    put_global(out, "torch", type);
    put_text(out, sample->key);
    put_text(out, "cpu");
    put_int(out, sample->available);
    PUT(out, "tQ");
}

/* storage, offset, size, stride */
static inline void put_view(struct bytes *out, const struct sample *sample)
{
    put_storage(out, sample);
    put_int(out, sample->offset);
    put_ints(out, sample->shape, sample->ndim);
    put_ints(out, sample->stride, sample->stride_count != 0 ? sample->stride_count : sample->ndim);
}

static inline void put_tensor(struct bytes *out, const struct sample *sample)
{
    put_global(out, "torch._utils", "_rebuild_tensor_v2");
    PUT(out, "(");
    put_view(out, sample);
    PUT(out, "\x89");
    put_global(out, "collections", "OrderedDict");
    PUT(out, ")RtR");
}

/* A whole pickle: {name: tensor, …}. */
static inline void put_state_dict(struct bytes *out, const struct sample *samples, size_t count)
{
    PUT(out, "\x80\x02");
    put_global(out, "collections", "OrderedDict");
    PUT(out, ")R(");
    for (size_t i = 0; i < count; i++) {
        put_text(out, samples[i].name);
        put_tensor(out, &samples[i]);
    }
    PUT(out, "u.");
}

/* ---- the checkpoint that most tests start from ---- */

/* w [2][3] = 1 … 6 in storage "0", b [2] = 7, 8 in storage "1". */
static const struct sample good_samples[2] = {
    {.name = "w", .key = "0", .available = 6, .ndim = 2, .shape = {2, 3}, .stride = {3, 1}},
    {.name = "b", .key = "1", .available = 2, .ndim = 1, .shape = {2}, .stride = {1}},
};
static const float good_values[8] = {1, 2, 3, 4, 5, 6, 7, 8};
/* The same as files hold them, little-endian. */
static const char good_bytes[32] = "\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40\0\0\x80\x40"
                                   "\0\0\xa0\x40\0\0\xc0\x40\0\0\xe0\x40\0\0\0\x41";

static inline void put_floats(struct bytes *out, const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        put_le(out, bits, 4);
    }
}

/* ---- legacy streams ---- */

static inline void put_legacy_header(struct bytes *out)
{
    PUT(out, "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.");
    PUT(out, "\x80\x02M\xe9\x03.");
    PUT(out, "\x80\x02}X\x0d\0\0\0little_endian\x88s.");
}

static inline void put_legacy_keys(struct bytes *out, const char *const *keys, size_t count)
{
    PUT(out, "\x80\x02](");
    for (size_t i = 0; i < count; i++) {
        put_text(out, keys[i]);
    }
    PUT(out, "e.");
}

static inline void put_legacy_storage(struct bytes *out, const float *values, size_t count)
{
    put_le(out, count, 8);
    put_floats(out, values, count);
}

static inline struct bytes good_legacy(void)
{
    struct bytes out = {0};
    put_legacy_header(&out);
    put_state_dict(&out, good_samples, 2);
    put_legacy_keys(&out, (const char *const[]){"0", "1"}, 2);
    put_legacy_storage(&out, good_values, 6);
    put_legacy_storage(&out, good_values + 6, 2);
    return out;
}

/* ---- zip archives ---- */

/* A member, and what its headers say of it; zeroed fields mean the truth. */
struct member {
    const char *name;
    const void *data;
    size_t size;
    uint16_t method;
    size_t unpacked; /* when the data are deflated */
    uint32_t crc;    /* computed when stored and 0 */
    bool no_crc;     /* 0 is what is meant */
    const char *local_name;
    uint16_t flags, local_flags; /* added to torch's */
    uint16_t local_method;
    bool no_descriptor; /* sizes and CRC in the local header instead */
    int64_t offset_lie, size_lie;
    bool zip64;             /* sizes and offset in an extra field of 64-bit numbers */
    unsigned zip64_missing; /* bytes that this field lacks */
};

static inline uint32_t crc32_of(const uint8_t *data, size_t size)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (0xedb88320 & -(crc & 1));
        }
    }
    return ~crc;
}

/* A header's fields from the flags to the lengths of names. */
static inline void put_member_fields(struct bytes *out, const struct member *member, uint16_t flags,
                                     uint16_t method, bool zero, uint32_t crc)
{
    size_t unpacked = member->unpacked != 0 ? member->unpacked : member->size;
    put_le(out, flags, 2);
    put_le(out, method, 2);
    put_le(out, 0, 4);
    put_le(out, zero ? 0 : crc, 4);
    put_le(out, zero ? 0 : member->size + (uint64_t)member->size_lie, 4);
    put_le(out, zero ? 0 : unpacked + (uint64_t)member->size_lie, 4);
}

/* As torch writes archives: sizes after the data, zip64 end records always. */
static inline struct bytes make_zip(const struct member *members, size_t count)
{
    struct bytes out = {0};
    size_t offsets[64];
    uint32_t crcs[64];
    ck_assert_uint_le(count, 64);
    for (size_t i = 0; i < count; i++) {
        const struct member *m = &members[i];
        const char *name = m->local_name != NULL ? m->local_name : m->name;
        uint16_t flags = m->no_descriptor ? 0x0800 : 0x0808;
        bool computed = m->crc == 0 && m->method == 0 && !m->no_crc;
        crcs[i] = computed ? crc32_of(m->data, m->size) : m->crc;
        offsets[i] = out.size;
        PUT(&out, "PK\3\4\0\0");
        put_member_fields(&out, m, flags | m->local_flags,
                          m->local_method != 0 ? m->local_method : m->method, !m->no_descriptor,
                          crcs[i]);
        put_le(&out, strlen(name), 2);
        put_le(&out, 0, 2);
        put(&out, name, strlen(name));
        put(&out, m->data, m->size);
        if (!m->no_descriptor) {
            PUT(&out, "PK\7\10");
            put_le(&out, crcs[i], 4);
            put_le(&out, m->size, 4);
            put_le(&out, m->unpacked != 0 ? m->unpacked : m->size, 4);
        }
    }
    size_t directory = out.size;
    for (size_t i = 0; i < count; i++) {
        const struct member *m = &members[i];
        PUT(&out, "PK\1\2\0\0\0\0");
        put_member_fields(&out, m, (m->no_descriptor ? 0x0800 : 0x0808) | m->flags, m->method,
                          false, crcs[i]);
        uint64_t numbers[3] = {(m->unpacked != 0 ? m->unpacked : m->size) + (uint64_t)m->size_lie,
                               m->size + (uint64_t)m->size_lie,
                               offsets[i] + (uint64_t)m->offset_lie};
        unsigned extra = m->zip64 ? 28 - m->zip64_missing : 0;
        if (m->zip64) {
            set_le(&out, out.size - 8, UINT64_MAX, 8);
        }
        put_le(&out, strlen(m->name), 2);
        put_le(&out, extra, 2);
        put_le(&out, 0, 6); /* comment, disk, internal attributes */
        put_le(&out, 0, 4);
        put_le(&out, m->zip64 ? UINT32_MAX : numbers[2], 4);
        put(&out, m->name, strlen(m->name));
        if (m->zip64) {
            PUT(&out, "\1\0");
            put_le(&out, extra - 4, 2);
            for (unsigned done = 0; done < extra - 4; done += 8) {
                put_le(&out, numbers[done / 8], extra - 4 - done < 8 ? extra - 4 - done : 8);
            }
        }
    }
    size_t end = out.size;
    PUT(&out, "PK\6\6\x2c\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    put_le(&out, count, 8);
    put_le(&out, count, 8);
    put_le(&out, end - directory, 8);
    put_le(&out, directory, 8);
    PUT(&out, "PK\6\7\0\0\0\0");
    put_le(&out, end, 8);
    put_le(&out, 1, 4);
    PUT(&out, "PK\5\6\0\0\0\0");
    put_le(&out, count, 2);
    put_le(&out, count, 2);
    put_le(&out, end - directory, 4);
    put_le(&out, directory, 4);
    put_le(&out, 0, 2);
    return out;
}

enum { GOOD_MEMBERS = 4 };

/* The members of the good checkpoint. pickle->data is used, not copied. */
static inline void good_members(struct bytes *pickle, struct member members[GOOD_MEMBERS])
{
    put_state_dict(pickle, good_samples, 2);
    const struct member all[GOOD_MEMBERS] = {
        {.name = "good/data.pkl", .data = pickle->data, .size = pickle->size},
        {.name = "good/data/0", .data = good_bytes, .size = 6 * sizeof(float)},
        {.name = "good/data/1", .data = good_bytes + 24, .size = 2 * sizeof(float)},
        {.name = "good/version", .data = "3\n", .size = 2},
    };
    memcpy(members, all, sizeof all);
}

/* ---- files ---- */

/* Opens bytes as a file. */
static inline vgg_status open_bytes(const void *data, size_t size, const struct vgg_limits *limits,
                                    vgg_checkpoint **out, struct vgg_error *err)
{
    char path[64];
    int fd = memfd_create("checkpoint", MFD_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, data, size), (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    const struct vgg_context context = {.limits = limits};
    vgg_status status = vgg_checkpoint_open(path, &context, out, err);
    close(fd);
    return status;
}

/* Every element of every tensor lies in the file, or in memory that can be read. */
static inline void read_all(const vgg_checkpoint *checkpoint)
{
    static const unsigned sizes[] = {4, 8, 2, 2, 8, 4, 2, 1, 1, 1, 1, 1};
    for (size_t i = 0; i < vgg_checkpoint_get_tensor_count(checkpoint); i++) {
        const struct vgg_tensor *t = vgg_checkpoint_get_tensor(checkpoint, i);
        int64_t count = vgg_tensor_get_count(t), last = 0;
        for (int k = 0; k < t->ndim && count > 0; k++) {
            last += (t->shape[k] - 1) * t->stride[k];
        }
        if (t->file_offset != VGG_NO_OFFSET && count > 0) {
            ck_assert_uint_le(t->file_offset + ((uint64_t)last + 1) * sizes[t->dtype],
                              vgg_checkpoint_get_file_bytes(checkpoint));
        }
        if (count <= 1 << 20) {
            float *values = malloc(((size_t)count + 1) * sizeof *values);
            ck_assert_ptr_nonnull(values);
            vgg_tensor_read_f32(t, values);
            free(values);
        }
    }
}

/* Opens what may be anything: no crash, and an error has a message. */
static inline vgg_status try_bytes(const void *data, size_t size)
{
    static struct vgg_error err;
    vgg_checkpoint *checkpoint;
    err.message[0] = '\0';
    vgg_status status = open_bytes(data, size, NULL, &checkpoint, &err);
    if (status == VGG_OK) {
        read_all(checkpoint);
    } else {
        ck_assert_ptr_null(checkpoint);
        ck_assert_int_eq(err.code, status);
        ck_assert_uint_gt(strlen(err.message), 0);
    }
    vgg_checkpoint_close(checkpoint);
    return status;
}

/* No beginning of the bytes is accepted, and none does harm. Frees them. */
static inline void try_cuts(struct bytes whole)
{
    for (size_t size = 0; size < whole.size; size++) {
        ck_assert_int_ne(try_bytes(whole.data, size), VGG_OK);
    }
    free(whole.data);
}

/* With any one bit of them changed the bytes do no harm. Frees them. */
static inline void try_changed_bits(struct bytes whole)
{
    for (size_t i = 0; i < whole.size; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            whole.data[i] ^= (uint8_t)(1u << bit);
            try_bytes(whole.data, whole.size);
            whole.data[i] ^= (uint8_t)(1u << bit);
        }
    }
    free(whole.data);
}

/* The bytes are refused with this status, for a reason that has this text in it. Frees them. */
static inline void refuse_bytes(struct bytes bytes, vgg_status expected, const char *reason)
{
    static struct vgg_error err;
    vgg_checkpoint *checkpoint;
    vgg_status status = open_bytes(bytes.data, bytes.size, NULL, &checkpoint, &err);
    ck_assert_msg(status == expected && strstr(err.message, reason) != NULL,
                  "expected \"%s\" (%s), found \"%s\" (%s)", reason, vgg_status_string(expected),
                  status == VGG_OK ? "" : err.message, vgg_status_string(status));
    vgg_checkpoint_close(checkpoint);
    free(bytes.data);
}

/* The bytes are the good checkpoint. Frees them. */
static inline void accept_good(struct bytes bytes)
{
    static struct vgg_error err;
    vgg_checkpoint *checkpoint;
    vgg_status status = open_bytes(bytes.data, bytes.size, NULL, &checkpoint, &err);
    ck_assert_msg(status == VGG_OK, "%s", err.message);
    ck_assert_uint_eq(vgg_checkpoint_get_tensor_count(checkpoint), 2);
    for (size_t i = 0; i < 2; i++) {
        const struct vgg_tensor *tensor = vgg_checkpoint_get_tensor(checkpoint, i);
        float values[6];
        ck_assert_str_eq(tensor->name, good_samples[i].name);
        ck_assert_ptr_eq(vgg_checkpoint_find_tensor(checkpoint, tensor->name), tensor);
        ck_assert_int_le(vgg_tensor_get_count(tensor), 6);
        vgg_tensor_read_f32(tensor, values);
        ck_assert_mem_eq(values, good_values + 6 * i,
                         (size_t)vgg_tensor_get_count(tensor) * sizeof(float));
    }
    ck_assert_ptr_null(vgg_checkpoint_find_tensor(checkpoint, "c"));
    vgg_checkpoint_close(checkpoint);
    free(bytes.data);
}

#endif
