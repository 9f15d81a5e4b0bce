/* SPDX-License-Identifier: MIT */
/* checkpoint/container/safetensors: files whole, cut and falsified in any detail. */
#include "unit.h"
#include "writer.h"

/* A file of a header, padded by spaces as the format's own writer does it, and data. */
static struct bytes make(const char *header, const void *data, size_t size)
{
    struct bytes out = {0};
    size_t length = strlen(header), padded = (length + 7) / 8 * 8;
    put_le(&out, padded, 8);
    put(&out, header, length);
    put(&out, "       ", padded - length);
    put(&out, data, size);
    return out;
}

#define TENSOR(name, dtype, shape, begin, end)                                                     \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" begin "," end   \
    "]}"
#define W TENSOR("w", "F32", "[2,3]", "0", "24")
#define B TENSOR("b", "F32", "[2]", "24", "32")
static const char good_header[] = "{" W "," B "}";

static struct bytes good(void)
{
    return make(good_header, good_bytes, sizeof good_bytes);
}

START_TEST(reads_a_file)
{
    struct bytes whole = good();
    static struct vgg_error err;
    vgg_checkpoint *checkpoint;
    ck_assert_int_eq(open_bytes(whole.data, whole.size, NULL, &checkpoint, &err), VGG_OK);
    ck_assert_int_eq(vgg_checkpoint_get_container(checkpoint), VGG_CONTAINER_SAFETENSORS);
    const struct vgg_tensor *w = vgg_checkpoint_find_tensor(checkpoint, "w");
    ck_assert_mem_eq(whole.data + w->file_offset, good_bytes, 24);
    ck_assert(vgg_tensor_is_contiguous(w));
    vgg_checkpoint_close(checkpoint);
    accept_good(whole);
}
END_TEST

static void check_writer(const char *metadata, const char *expected)
{
    char header[1000];
    static struct vgg_error err;
    vgg_checkpoint *checkpoint;
    snprintf(header, sizeof header, "{\"__metadata__\":{%s}," W "," B "}", metadata);
    struct bytes file = make(header, good_bytes, sizeof good_bytes);
    ck_assert_int_eq(open_bytes(file.data, file.size, NULL, &checkpoint, &err), VGG_OK);
    ck_assert_str_eq(vgg_checkpoint_get_writer(checkpoint), expected);
    vgg_checkpoint_close(checkpoint);
    free(file.data);
}

START_TEST(tells_the_metadata)
{
#define FORTY "0123456789012345678901234567890123456789"
    check_writer("", "");
    check_writer("\"format\":\"pt\"", "safetensors, metadata format \"pt\"");
    check_writer("\"format\":\"pt\",\"by\":\"a tool\"",
                 "safetensors, metadata format \"pt\", by \"a tool\"");
    check_writer("\"a\":\"x\\ny\",\"b\":\"\",\"c\":\"" FORTY "0\"", ""); /* what cannot be shown */
    check_writer("\"a\":\"" FORTY "\",\"b\":\"" FORTY "\",\"c\":\"" FORTY "\",\"d\":\"" FORTY
                 "\",\"e\":\"x\"",
                 "safetensors, metadata a \"" FORTY "\", b \"" FORTY "\", c \"" FORTY
                 "\", e \"x\"");
}
END_TEST

START_TEST(reads_other_headers)
{
    static const char *const headers[] = {
        "{\"__metadata__\":{\"format\":\"pt\",\"\":\"\"}," W "," B "}",
        "{" W "," B ",\"__metadata__\":{}}",
        "{ \"w\" : {\"data_offsets\":[ 0, 24 ],\n\"shape\":[2,3],\"dtype\":\"F32\"} , " B " }",
        "{\"\\u0077\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}," B "}",
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        accept_good(make(headers[i], good_bytes, sizeof good_bytes));
    }
    char turned[sizeof good_bytes]; /* data in another order than the header */
    memcpy(turned, good_bytes + 24, 8);
    memcpy(turned + 8, good_bytes, 24);
    accept_good(
        make("{" TENSOR("w", "F32", "[2,3]", "8", "32") "," TENSOR("b", "F32", "[2]", "0", "8") "}",
             turned, sizeof turned));
}
END_TEST

START_TEST(reads_every_type)
{
    static const struct {
        const char *name;
        enum vgg_dtype dtype;
        size_t bytes;
        uint64_t one;
    } types[] = {
        {"F32", VGG_DTYPE_F32, 4, 0x3f800000},
        {"F64", VGG_DTYPE_F64, 8, 0x3ff0000000000000},
        {"F16", VGG_DTYPE_F16, 2, 0x3c00},
        {"BF16", VGG_DTYPE_BF16, 2, 0x3f80},
        {"F8_E4M3", VGG_DTYPE_F8_E4M3, 1, 0x38},
        {"F8_E5M2", VGG_DTYPE_F8_E5M2, 1, 0x3c},
        {"I64", VGG_DTYPE_I64, 8, 1},
        {"I32", VGG_DTYPE_I32, 4, 1},
        {"I16", VGG_DTYPE_I16, 2, 1},
        {"I8", VGG_DTYPE_I8, 1, 1},
        {"U8", VGG_DTYPE_U8, 1, 1},
        {"BOOL", VGG_DTYPE_BOOL, 1, 1},
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        char header[200];
        float value;
        static struct vgg_error err;
        vgg_checkpoint *checkpoint;
        snprintf(header, sizeof header,
                 "{\"empty\":{\"dtype\":\"%s\",\"shape\":[3,0,9007199254740992,"
                 "9007199254740992],\"data_offsets\":[0,0]},"
                 "\"x\":{\"dtype\":\"%s\",\"shape\":[],\"data_offsets\":[0,%zu]}}",
                 types[i].name, types[i].name, types[i].bytes);
        struct bytes out = make(header, NULL, 0);
        put_le(&out, types[i].one, (unsigned)types[i].bytes);
        ck_assert_msg(open_bytes(out.data, out.size, NULL, &checkpoint, &err) == VGG_OK, "%s",
                      err.message);
        const struct vgg_tensor *x = vgg_checkpoint_find_tensor(checkpoint, "x");
        ck_assert_int_eq(x->dtype, types[i].dtype);
        ck_assert_int_eq(x->ndim, 0);
        vgg_tensor_read_f32(x, &value);
        ck_assert(value == 1);
        ck_assert_int_eq(vgg_tensor_get_count(vgg_checkpoint_find_tensor(checkpoint, "empty")), 0);
        vgg_checkpoint_close(checkpoint);
        free(out.data);
    }
}
END_TEST

START_TEST(refuses_other_types)
{
    refuse_bytes(make("{" TENSOR("x", "C64", "[1]", "0", "8") "}", good_bytes, 8),
                 VGG_ERR_UNSUPPORTED, "x: elements of torch.C64");
    refuse_bytes(make("{" TENSOR("x", "F4", "[2]", "0", "1") "}", good_bytes, 1),
                 VGG_ERR_UNSUPPORTED, "header: x: unknown dtype \"F4\"");
    refuse_bytes(make("{" TENSOR("x", "f32", "[1]", "0", "4") "}", good_bytes, 4),
                 VGG_ERR_UNSUPPORTED, "unknown dtype \"f32\"");
}
END_TEST

START_TEST(refuses_wrong_headers)
{
    static const struct {
        const char *header;
        vgg_status status;
        const char *reason;
    } cases[] = {
        {"{\"w\":1}", VGG_ERR_FORMAT, "header: w: expected an object, found 1"},
        {"{\"w\":{}}", VGG_ERR_FORMAT, "w: dtype: expected a text, found nothing"},
        {"{" TENSOR("w", "F32", "6", "0", "24") "}", VGG_ERR_FORMAT, "shape: expected a list"},
        {"{" TENSOR("w", "F32", "[-6]", "0", "24") "}", VGG_ERR_FORMAT, "numbers, found -6"},
        {"{" TENSOR("w", "F32", "[1.5]", "0", "24") "}", VGG_ERR_FORMAT, "numbers, found 1.5"},
        {"{" TENSOR("w", "F32", "[1e99]", "0", "24") "}", VGG_ERR_FORMAT, "found 1e+99"},
        {"{" TENSOR("w", "F32", "[\"6\"]", "0", "24") "}", VGG_ERR_FORMAT, "found \"6\""},
        {"{" TENSOR("w", "F32", "[1,1,1,1,1,1,1,1,1]", "0", "4") "}", VGG_ERR_UNSUPPORTED,
         "w: 9 dimensions, at most 8"},
        {"{" TENSOR("w", "F32", "[6]", "0", "24,24") "}", VGG_ERR_FORMAT, "a list of two"},
        {"{" TENSOR("w", "F32", "[6]", "-0.5", "24") "}", VGG_ERR_FORMAT, "data_offsets: expected"},
        {"{" TENSOR("w", "F32", "[6]", "0", "null") "}", VGG_ERR_FORMAT, "found null"},
        {"{" TENSOR("w", "F32", "[6]", "0", "20") "}", VGG_ERR_FORMAT, "do not agree"},
        {"{" TENSOR("w", "F32", "[6]", "24", "0") "}", VGG_ERR_FORMAT, "do not agree"},
        {"{" TENSOR("w", "F64", "[6]", "0", "24") "}", VGG_ERR_FORMAT, "expected 48 bytes"},
        {"{" TENSOR("w", "F32", "[4294967296,4294967296]", "0", "0") "}", VGG_ERR_FORMAT,
         "more than"},
        {"{" TENSOR("w", "F32", "[4294967296,1073741824]", "0", "0") "}", VGG_ERR_FORMAT,
         "more than"},
        {"{" W "," TENSOR("b", "F32", "[2]", "20", "28") "}", VGG_ERR_FORMAT,
         "b: expected its data at 24, found it at 20 (inside another"},
        {"{" W "," TENSOR("b", "F32", "[1]", "28", "32") "}", VGG_ERR_FORMAT,
         "b: expected its data at 24, found it at 28 (after a hole)"},
        {"{" TENSOR("b", "F32", "[2]", "24", "32") "}", VGG_ERR_FORMAT, "after a hole"},
        {"{" W "," TENSOR("v", "F32", "[2,3]", "0", "24") "," B "}", VGG_ERR_FORMAT, "inside"},
        {"{" W "}", VGG_ERR_FORMAT, "8 bytes after the last tensor, expected the end"},
        {"{" W "," B "," W "}", VGG_ERR_FORMAT, "w: the key is given twice"},
        {"{" W
         ",\"b\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[24,32]}}",
         VGG_ERR_FORMAT, "dtype: the key is given twice"},
        {"{" W ",\"b\":{\"dtype\":\"F32\",\"x\":1,\"shape\":[2],\"data_offsets\":[24,32]}}",
         VGG_ERR_FORMAT, "b: x: unknown key"},
        {"{" W "," B ",\"__metadata__\":[]}", VGG_ERR_FORMAT, "__metadata__: expected an object"},
        {"{" W "," B ",\"__metadata__\":{\"k\":1}}", VGG_ERR_FORMAT, "k: expected a text, found 1"},
        {"{" W "," B ",\"__metadata__\":{\"k\":\"\",\"k\":\"\"}}", VGG_ERR_FORMAT, "k: the key is"},
        {"{" W "," B "}x", VGG_ERR_FORMAT, "header: this is not JSON"},
        {"{\"w\":[[[[]]]]}", VGG_ERR_LIMIT, "nested more deeply than the limit of 4"},
        {"{\"w\\u001b\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}," B "}",
         VGG_ERR_FORMAT, "not printable UTF-8"},
        {"{}", VGG_ERR_FORMAT, "32 bytes after the last tensor"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        refuse_bytes(make(cases[i].header, good_bytes, sizeof good_bytes), cases[i].status,
                     cases[i].reason);
    }
    refuse_bytes(make("{}", NULL, 0), VGG_ERR_FORMAT, "no tensors");
}
END_TEST

START_TEST(refuses_wrong_lengths)
{
    char expected[100];
    struct bytes out = good();
    snprintf(expected, sizeof expected, "truncated: %zu of %zu bytes", out.size - 10, out.size);
    out.size -= 10;
    refuse_bytes(out, VGG_ERR_FORMAT, expected);
    static const uint64_t lengths[] = {0, 1, 100000001, 1ull << 63, UINT64_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        out = good();
        set_le(&out, 0, lengths[i], 8);
        refuse_bytes(out, VGG_ERR_FORMAT, "expected 2 to 100000000");
    }
    out = good();
    set_le(&out, 0, 100000000, 8);
    refuse_bytes(out, VGG_ERR_FORMAT, "the safetensors header alone has 100000000");
    out = good();
    set_le(&out, 0, sizeof good_header - 2, 8); /* ends before the last brace */
    refuse_bytes(out, VGG_ERR_FORMAT, "this is not JSON");
    out = good();
    PUT(&out, "PK\3\4");
    refuse_bytes(out, VGG_ERR_FORMAT, "4 bytes after the last tensor");
    out = (struct bytes){0}; /* 400 MB, of which only the header is there */
    char header[] = "{" TENSOR("w", "F32", "[104857600]", "0", "419430400") "}";
    put_le(&out, sizeof header - 1, 8);
    PUT(&out, "{" TENSOR("w", "F32", "[104857600]", "0", "419430400") "}");
    refuse_bytes(out, VGG_ERR_FORMAT, "truncated: 78 bytes of 400 MB");
}
END_TEST

START_TEST(survives_every_cut)
{
    try_cuts(good());
}
END_TEST

START_TEST(survives_every_changed_byte)
{
    try_changed_bits(good());
}
END_TEST

START_TEST(keeps_the_limits)
{
    struct bytes whole = good();
    struct vgg_limits limits;
    vgg_checkpoint *checkpoint;
    vgg_limits_init(&limits);
    limits.tensors = 1;
    ck_assert_int_eq(open_bytes(whole.data, whole.size, &limits, &checkpoint, NULL), VGG_ERR_LIMIT);
    vgg_limits_init(&limits);
    limits.header_bytes = 16;
    ck_assert_int_eq(open_bytes(whole.data, whole.size, &limits, &checkpoint, NULL), VGG_ERR_LIMIT);
    free(whole.data);
    struct bytes out = {0}; /* a million values */
    size_t length = 2 << 20;
    put_le(&out, length, 8);
    PUT(&out, "{\"w\":[0");
    while (out.size < length + 6) {
        PUT(&out, ",0");
    }
    PUT(&out, "]}");
    set_le(&out, 0, out.size - 8, 8);
    refuse_bytes(out, VGG_ERR_LIMIT, "more JSON values than the limit of 160000");
}
END_TEST

UNIT_MAIN("safetensors", reads_a_file, tells_the_metadata, reads_other_headers, reads_every_type,
          refuses_other_types, refuses_wrong_headers, refuses_wrong_lengths, survives_every_cut,
          survives_every_changed_byte, keeps_the_limits)
