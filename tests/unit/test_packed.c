/* SPDX-License-Identifier: MIT */
/* checkpoint/container/packed and model/pack: the bundled net there and back, every cut and every changed byte. */
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/half.h"
#include "checkpoint/container/packed_format.h"
#include "checkpoint/tensor/tensor.h"
#include "checkpoint/write/packed_writer.h"
#include "model/spec/layers.h"
#include "model/spec/read_preprocess.h"
#include "model/spec/write_preprocess.h"
#include "model/spec/write_spec.h"
#include "vgg/session.h"

static struct vgg_error err;
static char folder[UNIT_FOLDER_BYTES], path[UNIT_PATH_BYTES];

static void make_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(unit_temporary(folder, "vgg-packed")));
    snprintf(path, sizeof path, "%s/net.vgg", folder);
}

static void remove_folder(void)
{
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
}

/* A small file: a convolution and a linear layer, their biases; with a text for a description. */
static struct vgg_file write_small(void)
{
    static const float values[64] = {1, 2, 3};
    static const struct {
        const char *name;
        int64_t shape[4];
        int ndim;
    } tensors[] = {{"features.0.weight", {2, 3, 3, 3}, 4},
                   {"features.0.bias", {2}, 1},
                   {"classifier.0.weight", {2, 2}, 2},
                   {"classifier.0.bias", {2}, 1}};
    struct vgg_outfile out;
    struct vgg_packed_writer writer;
    struct vgg_bytes description = {.ok = true};
    struct vgg_file file;
    make_folder();
    vgg_bytes_add_text(&description, "{\"schema\":1}");
    ck_assert_int_eq(vgg_outfile_open(path, VGG_OUTFILE_PATCH, NULL, &out, NULL), VGG_OK);
    vgg_packed_begin(&writer, &out, NULL);
    for (size_t i = 0; i < sizeof tensors / sizeof tensors[0]; i++) {
        size_t count = 1;
        for (int d = 0; d < tensors[i].ndim; d++) {
            count *= (size_t)tensors[i].shape[d];
        }
        const struct vgg_packed_tensor tensor = {.name = tensors[i].name,
                                                 .dtype = VGG_DTYPE_F32,
                                                 .layout = VGG_LAYOUT_ROWS,
                                                 .shape = tensors[i].shape,
                                                 .ndim = tensors[i].ndim};
        vgg_packed_begin_tensor(&writer, &tensor);
        vgg_packed_add(&writer, values, count / 2);
        vgg_packed_add(&writer, values + count / 2, count - count / 2);
        vgg_packed_end_tensor(&writer);
        if (i == 0) { /* and the same ready for two kernels */
            const struct vgg_order_info orders[] = {{VGG_ORDER_DIRECT, 0, 4, 3},
                                                    {VGG_ORDER_WINOGRAD, 2, 4, 4}};
            static const float ready[2 * 16 * 4 * 4];
            vgg_packed_begin_prepacked(&writer, &tensor, &orders[0]);
            vgg_packed_add(&writer, ready, 4 * 3 * 9);
            vgg_packed_end_tensor(&writer);
            vgg_packed_begin_prepacked(&writer, &tensor, &orders[1]);
            vgg_packed_add(&writer, ready, 16 * 4 * 4);
            vgg_packed_end_tensor(&writer);
        }
    }
    ck_assert(vgg_packed_finish(&writer, &description));
    ck_assert_int_eq(vgg_outfile_commit(&out, NULL), VGG_OK);
    vgg_mem_free(NULL, description.data);
    ck_assert_int_eq(vgg_file_read(path, 1 << 20, NULL, &file, NULL), VGG_OK);
    remove_folder();
    return file;
}

/* What opening the bytes and verifying them says. */
static vgg_status try_bytes(const void *bytes, size_t count)
{
    vgg_checkpoint *checkpoint;
    err.message[0] = '\0';
    vgg_status status =
        vgg_checkpoint_open_memory(bytes, count, "net.vgg", NULL, NULL, &checkpoint, &err);
    if (status == VGG_OK) {
        status = vgg_checkpoint_verify(checkpoint, NULL, &err);
        vgg_checkpoint_close(checkpoint);
    }
    ck_assert((status == VGG_OK) == (err.message[0] == '\0'));
    return status;
}

START_TEST(places_tensors_at_pages)
{
    struct vgg_file file = write_small();
    struct vgg_verified verified;
    vgg_checkpoint *checkpoint;
    ck_assert_int_eq(
        vgg_checkpoint_open_memory(file.data, file.size, "net.vgg", NULL, NULL, &checkpoint, &err),
        VGG_OK);
    ck_assert_int_eq(vgg_checkpoint_get_container(checkpoint), VGG_CONTAINER_PACKED);
    ck_assert_str_eq(vgg_container_string(VGG_CONTAINER_PACKED), "packed");
    ck_assert_uint_eq(vgg_checkpoint_get_tensor_count(checkpoint), 4);
    for (size_t i = 0; i < 4; i++) {
        const struct vgg_tensor *tensor = vgg_checkpoint_get_tensor(checkpoint, i);
        const size_t page = i == 0 ? 1 : i + 3; /* two forms of the first one follow it */
        ck_assert_uint_eq(tensor->file_offset, page * VGG_PACKED_PAGE_BYTES);
        ck_assert_ptr_eq(tensor->data, file.data + tensor->file_offset);
        ck_assert(vgg_tensor_is_contiguous(tensor));
    }
    ck_assert_int_eq(vgg_checkpoint_verify(checkpoint, &verified, &err), VGG_OK);
    ck_assert_uint_eq(verified.crc_checked, 3 + 4 + 2);
    vgg_checkpoint_close(checkpoint);
    vgg_file_close(&file);
}
END_TEST

START_TEST(refuses_every_cut)
{
    struct vgg_file file = write_small();
    for (size_t size = 0; size < file.size; size++) {
        ck_assert_msg(try_bytes(file.data, size) != VGG_OK, "cut at %zu", size);
    }
    vgg_file_close(&file);
}
END_TEST

START_TEST(refuses_every_changed_byte)
{
    struct vgg_file file = write_small();
    uint8_t *bytes = malloc(file.size);
    memcpy(bytes, file.data, file.size);
    for (size_t at = 0; at < file.size; at++) {
        if (at % 4096 > 1600 && at % 16 != 0 && file.data[at] == 0) {
            continue; /* what fills pages is one like the other */
        }
        const uint8_t bit = (uint8_t)(1 << at % 8);
        bytes[at] ^= bit;
        ck_assert_msg(try_bytes(bytes, file.size) != VGG_OK, "byte %zu, bit %zu", at, at % 8);
        bytes[at] ^= bit;
    }
    ck_assert_int_eq(try_bytes(bytes, file.size), VGG_OK);
    free(bytes);
    vgg_file_close(&file);
}
END_TEST

/* A file of one tensor in another layout, with another type, is read, checked and converted as what it is. */
START_TEST(reads_other_layouts)
{
    enum { ROWS = 70, K = 3, PADDED = 128 };
    static const int64_t shape[] = {ROWS, K};
    uint16_t packed[PADDED * K] = {0};
    struct vgg_outfile out;
    struct vgg_packed_writer writer;
    struct vgg_bytes description = {.ok = true};
    vgg_checkpoint *checkpoint, *saved;
    char other[UNIT_PATH_BYTES];
    for (int row = 0; row < ROWS; row++) {
        for (int k = 0; k < K; k++) { /* bfloat16 of 1, 2, 3, … */
            const float value = (float)(row * K + k + 1);
            uint32_t bits;
            memcpy(&bits, &value, sizeof bits);
            packed[(row / 64 * K + k) * 64 + row % 64] = (uint16_t)(bits >> 16);
        }
    }
    make_folder();
    snprintf(other, sizeof other, "%s/net.safetensors", folder);
    vgg_bytes_add_text(&description, "{}");
    ck_assert_int_eq(vgg_outfile_open(path, VGG_OUTFILE_PATCH, NULL, &out, NULL), VGG_OK);
    vgg_packed_begin(&writer, &out, NULL);
    vgg_packed_begin_tensor(&writer, &(struct vgg_packed_tensor){.name = "features.0.weight",
                                                                 .dtype = VGG_DTYPE_BF16,
                                                                 .layout = VGG_LAYOUT_COLUMN_MAJOR,
                                                                 .shape = shape,
                                                                 .ndim = 2});
    vgg_packed_add(&writer, packed, PADDED * K);
    vgg_packed_end_tensor(&writer);
    ck_assert(vgg_packed_finish(&writer, &description));
    vgg_mem_free(NULL, description.data);
    ck_assert_int_eq(vgg_outfile_commit(&out, NULL), VGG_OK);

    ck_assert_msg(vgg_checkpoint_open(path, NULL, &checkpoint, &err) == VGG_OK, "%s", err.message);
    const struct vgg_tensor *tensor = vgg_checkpoint_get_tensor(checkpoint, 0);
    ck_assert_int_eq(tensor->dtype, VGG_DTYPE_BF16);
    ck_assert_int_eq(tensor->layout, VGG_LAYOUT_COLUMN_MAJOR);
    ck_assert_str_eq(vgg_layout_string(tensor->layout), "column-major");
    ck_assert(tensor->stride[0] == 0 && tensor->stride[1] == 0);
    ck_assert(!vgg_tensor_is_contiguous(tensor));
    ck_assert_uint_eq(vgg_tensor_get_extent(tensor), sizeof packed);
    float values[ROWS * K];
    vgg_tensor_read_f32(tensor, values);
    for (int i = 0; i < ROWS * K; i++) {
        ck_assert(values[i] == (float)(i + 1));
    }
    vgg_tensor_read_range(tensor, 63 * K, 2 * K, values);
    for (int i = 0; i < 2 * K; i++) {
        ck_assert(values[i] == (float)(63 * K + i + 1));
    }
    ck_assert_int_eq(vgg_checkpoint_verify(checkpoint, NULL, &err), VGG_OK);
    ck_assert_int_eq(vgg_checkpoint_save(checkpoint, other, &err), VGG_OK);
    ck_assert_int_eq(vgg_checkpoint_open(other, NULL, &saved, &err), VGG_OK);
    tensor = vgg_checkpoint_find_tensor(saved, "features.0.weight");
    ck_assert_int_eq(tensor->dtype, VGG_DTYPE_BF16);
    ck_assert(vgg_tensor_is_contiguous(tensor));
    vgg_tensor_read_f32(tensor, values);
    for (int i = 0; i < ROWS * K; i++) {
        ck_assert(values[i] == (float)(i + 1));
    }
    vgg_checkpoint_close(checkpoint);
    vgg_checkpoint_close(saved);
    unlink(other);
    snprintf(other, sizeof other, "%s/net.json", folder); /* the description goes with it */
    ck_assert_int_eq(unlink(other), 0);
    remove_folder();
}
END_TEST

/* Logits of a made-up image. */
static void run(const vgg_model *model, bool one_shot, enum vgg_isa isa, float logits[10])
{
    const struct vgg_session_options options = {.threads = 1, .one_shot = one_shot, .isa = isa};
    vgg_session *session;
    float *input = malloc(3 * 28 * 28 * sizeof *input);
    for (int i = 0; i < 3 * 28 * 28; i++) {
        input[i] = (float)(i * 7919 % 1000) / 500 - 1;
    }
    ck_assert_int_eq(vgg_session_create(model, &options, &session, &err), VGG_OK);
    ck_assert_int_eq(vgg_session_run(session, input, 1, logits, &err), VGG_OK);
    vgg_session_destroy(session);
    free(input);
}

/* The same but for the order of the fully connected layers' sums. */
static void expect_close(const float *found, const float *expected)
{
    float largest = 0;
    for (int i = 0; i < 10; i++) {
        largest = fmaxf(largest, fabsf(expected[i]));
    }
    for (int i = 0; i < 10; i++) {
        ck_assert(fabsf(found[i] - expected[i]) <= 1e-6F * largest);
    }
}

START_TEST(gives_the_same_logits)
{
    char bundled[512];
    vgg_checkpoint *checkpoint, *packed;
    vgg_model *model, *again;
    struct vgg_model_info info;
    make_folder();
    snprintf(bundled, sizeof bundled, "%s/fashion_vgg8_bn.pth", getenv("VGG_TEST_MODELS"));
    ck_assert_int_eq(vgg_checkpoint_open(bundled, NULL, &checkpoint, &err), VGG_OK);
    ck_assert_int_eq(vgg_model_create(checkpoint, NULL, &model, &err), VGG_OK);
    ck_assert_int_eq(vgg_model_pack(model, path, NULL, &err), VGG_OK);
    ck_assert_int_eq(vgg_checkpoint_open(path, NULL, &packed, &err), VGG_OK);
    ck_assert_int_eq(vgg_model_create(packed, NULL, &again, &err), VGG_OK);
    ck_assert_int_eq(vgg_checkpoint_verify(packed, NULL, &err), VGG_OK);
    vgg_model_get_info(again, &info);
    ck_assert_str_eq(info.name, "fashion_vgg8_bn");
    ck_assert_str_eq(info.spec_source, "the packed file");
    ck_assert_str_eq(info.assumed, "");
    ck_assert(!info.batch_norm);
    const struct vgg_preprocess *a = vgg_model_get_preprocess(model);
    const struct vgg_preprocess *b = vgg_model_get_preprocess(again);
    ck_assert_mem_eq(a, b, sizeof *a);
    for (int i = 0; i < info.class_count; i++) {
        ck_assert_str_eq(vgg_model_get_label(again, i), vgg_model_get_label(model, i));
    }
    for (enum vgg_isa isa = VGG_ISA_SCALAR; isa <= VGG_ISA_NEON; isa++) {
        for (int one_shot = 0; one_shot < 2 && vgg_isa_is_available(isa); one_shot++) {
            float expected[10], found[10];
            run(model, one_shot != 0, isa, expected);
            run(again, one_shot != 0, isa, found);
            expect_close(found, expected);
        }
    }
    /* What is packed already is packed to the same bytes. */
    struct vgg_file once, twice;
    ck_assert_int_eq(vgg_file_read(path, 1 << 24, NULL, &once, &err), VGG_OK);
    ck_assert_int_eq(vgg_model_pack(again, path, NULL, &err), VGG_OK);
    ck_assert_int_eq(vgg_file_read(path, 1 << 24, NULL, &twice, &err), VGG_OK);
    ck_assert_uint_eq(once.size, twice.size);
    ck_assert_mem_eq(once.data, twice.data, once.size);
    vgg_file_close(&once);
    vgg_file_close(&twice);
    vgg_model_destroy(model);
    vgg_model_destroy(again);
    vgg_checkpoint_close(checkpoint);
    vgg_checkpoint_close(packed);
    remove_folder();
}
END_TEST

/* Every kind of layer and every field, written and read. */
START_TEST(writes_descriptions)
{
    static const char text[] =
        "{\"schema\":1,\"name\":\"a \\\"net\\\"\",\"input\":20,\"layers\":["
        "{\"conv\":4,\"kernel\":5,\"stride\":2,\"padding\":1,\"bias\":false,\"batch_norm\":false},"
        "{\"lrn\":5,\"alpha\":0.0001,\"beta\":0.75,\"k\":2},\"D\","
        "{\"max_pool\":3,\"stride\":2}],\"avgpool\":3,\"classifier\":["
        "{\"linear\":7,\"bias\":false,\"index\":1},{\"linear\":2,\"bias\":true,\"index\":3}],"
        "\"preprocess\":{\"resize\":22,\"crop\":20,\"mean\":[0.1,0.2,0.3],\"std\":[0.4,0.5,1]},"
        "\"labels\":[\"x\",\"y\"]}";
    struct vgg_limits limits;
    struct vgg_arena arena = {0};
    struct vgg_spec spec, again;
    struct vgg_bytes json = {.ok = true}, second = {.ok = true};
    vgg_limits_init(&limits);
    ck_assert_int_eq(vgg_spec_parse(&(struct vgg_load){"a", &limits, &arena, &err}, text,
                                    sizeof text - 1, &spec),
                     VGG_OK);
    vgg_spec_write(&spec, VGG_SPEC_COMPACT, &json);
    ck_assert_msg(vgg_spec_parse(&(struct vgg_load){"b", &limits, &arena, &err}, json.data,
                                 json.size, &again) == VGG_OK,
                  "%s", err.message);
    vgg_spec_write(&again, VGG_SPEC_COMPACT, &second);
    ck_assert_uint_eq(json.size, second.size);
    ck_assert_mem_eq(json.data, second.data, json.size);
    ck_assert_str_eq(again.name, spec.name);
    ck_assert_uint_eq(again.layer_count, spec.layer_count);
    for (size_t i = 0; i < spec.layer_count; i++) {
        ck_assert(vgg_layer_equals(&spec.layers[i], &again.layers[i]));
        ck_assert_str_eq(again.layers[i].name, spec.layers[i].name);
    }
    ck_assert_mem_eq(&again.preprocess, &spec.preprocess, sizeof spec.preprocess);
    ck_assert_uint_eq(again.labels.count, 2);
    vgg_mem_free(NULL, json.data);
    vgg_mem_free(NULL, second.data);
    vgg_arena_destroy(&arena);
}
END_TEST

/* What is assumed is read as it was written, in the same order. What is known is not written, and the form for people
 * has no assumptions. */
START_TEST(writes_assumptions)
{
    static const char text[] = "{\"schema\":1,\"input\":4,\"avgpool\":2,\"layers\":[4,\"M\"],"
                               "\"classifier\":[5],\"average_pool_assumed\":true}";
    static const struct vgg_evidence records[] = {
        {.property = "stride", .value = "1", .source = VGG_EVIDENCE_CONVENTION},
        {.property = "eps", .value = "0.1", .source = VGG_EVIDENCE_USER},
        {.property = "order",
         .value = "of \"a\\b\"\n…\xe2",
         .source = VGG_EVIDENCE_CONVENTION,
         .why = "no reason",
         .alternatives = "another"},
    };
    struct vgg_limits limits;
    struct vgg_arena arena = {0};
    struct vgg_spec spec, again;
    struct vgg_bytes json = {.ok = true}, second = {.ok = true}, lines = {.ok = true};
    vgg_limits_init(&limits);
    const struct vgg_load load = {"a", &limits, &arena, &err};
    ck_assert_int_eq(vgg_spec_parse(&load, text, sizeof text - 1, &spec), VGG_OK);
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        vgg_evidence_add(&spec.evidence, &arena, &records[i]);
    }
    vgg_evidence_find(&spec.evidence, "input size")->source = VGG_EVIDENCE_CONVENTION;
    vgg_spec_write(&spec, VGG_SPEC_COMPACT, &json);
    ck_assert_msg(vgg_spec_parse(&load, json.data, json.size, &again) == VGG_OK, "%s", err.message);
    ck_assert(again.average_pool_assumed);
    ck_assert_uint_eq(again.evidence.count, 3);
    const struct vgg_evidence *items = again.evidence.items;
    for (size_t i = 0; i < again.evidence.count; i++) {
        ck_assert_int_eq(items[i].source, VGG_EVIDENCE_CONVENTION);
    }
    ck_assert_str_eq(items[0].property, "input size");
    ck_assert_str_eq(items[0].value, "4x4");
    ck_assert_str_eq(items[1].property, "stride");
    ck_assert_ptr_null(items[1].why);
    ck_assert_ptr_null(items[1].alternatives);
    ck_assert_str_eq(items[2].value, "of \"a\\b\"?…\xe2");
    ck_assert_str_eq(items[2].why, "no reason");
    ck_assert_str_eq(items[2].alternatives, "another");
    vgg_spec_write(&again, VGG_SPEC_COMPACT, &second);
    ck_assert_uint_eq(json.size, second.size);
    ck_assert_mem_eq(json.data, second.data, json.size);
    vgg_spec_write(&again, VGG_SPEC_LINES, &lines);
    vgg_bytes_add(&lines, "", 1);
    ck_assert_ptr_null(strstr((const char *)lines.data, "assumed"));
    vgg_mem_free(NULL, json.data);
    vgg_mem_free(NULL, second.data);
    vgg_mem_free(NULL, lines.data);
    vgg_arena_destroy(&arena);
}
END_TEST

/* Every preprocessing is read as it was written; gray planes in B, G, R order are read with mean and std in that
 * order. */
START_TEST(writes_preprocessing)
{
    static const struct vgg_preprocess cases[] = {
        {.name = "custom", .resize = 9, .crop = 8, .mean = {1, 2, 3}, .std = {4, 5, 6}},
        {.name = "custom", .resize = 8, .resize_width = 8, .std = {1, 1, 1}},
        {.name = "custom", .resize = 20, .resize_width = 10, .crop = 8, .std = {1, 1, 1}},
        {.name = "custom", .std = {1, 1, 1}, .interpolation = VGG_INTERPOLATION_NEAREST},
        {.name = "custom", .mean = {1, 2, 3}, .std = {1, 1, 1}, .bgr = 1, .unscaled = 1},
        {.name = "custom", .mean = {1, 2, 3}, .std = {1, 1, 1}, .gray = 1},
        {.name = "custom", .mean = {3, 2, 1}, .std = {1, 1, 2}, .gray = 1, .bgr = 1},
        {.name = "custom", .mean = {1, 1, 1}, .std = {1, 1, 1}, .channels = 1},
        {.name = "cifar", .resize = 32, .crop = 32},
    };
    struct vgg_limits limits;
    struct vgg_arena arena = {0};
    vgg_limits_init(&limits);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct vgg_bytes json = {.ok = true};
        struct vgg_json *root = NULL;
        struct vgg_preprocess again, expected = cases[i];
        const struct vgg_load load = {"a", &limits, &arena, &err};
        const struct vgg_json_bounds bounds = {.depth = 8, .values = 100};
        const int side = i == 8 ? 32 : 8;
        vgg_spec_write_preprocess(&cases[i], &json);
        vgg_bytes_add(&json, "]", 1);
        struct vgg_bytes list = {.ok = true};
        vgg_bytes_add(&list, "[", 1);
        vgg_bytes_add(&list, json.data, json.size);
        ck_assert_int_eq(vgg_json_parse(&load, list.data, list.size, &bounds, &root), VGG_OK);
        ck_assert_msg(vgg_spec_read_preprocess(&load, vgg_json_first(root), side, side, &again) ==
                          VGG_OK,
                      "%zu: %s", i, err.message);
        if (i == 6) {
            expected = cases[5];
            expected.std[0] = 2;
        }
        if (i == 7) {
            expected.gray = 1;
            expected.channels = 0;
        }
        if (i == 8) {
            ck_assert_int_eq(vgg_preprocess_find("cifar", &expected, &err), VGG_OK);
        }
        ck_assert_msg(memcmp(&again, &expected, sizeof again) == 0, "%zu", i);
        vgg_json_free(root);
        vgg_mem_free(NULL, json.data);
        vgg_mem_free(NULL, list.data);
    }
    vgg_arena_destroy(&arena);
}
END_TEST

/* Weights of 16 bits: each of the checkpoint's, or their product with BatchNorm's scale, rounded once. */
START_TEST(rounds_weights_once)
{
    static const enum vgg_dtype dtypes[] = {VGG_DTYPE_F32, VGG_DTYPE_BF16, VGG_DTYPE_F16};
    char bundled[512];
    vgg_checkpoint *checkpoint, *packed;
    vgg_model *model, *again;
    struct vgg_model_info info;
    make_folder();
    snprintf(bundled, sizeof bundled, "%s/fashion_vgg8_bn.pth", getenv("VGG_TEST_MODELS"));
    ck_assert_int_eq(vgg_checkpoint_open(bundled, NULL, &checkpoint, &err), VGG_OK);
    ck_assert_int_eq(vgg_model_create(checkpoint, NULL, &model, &err), VGG_OK);
    const struct vgg_tensor *from = vgg_checkpoint_find_tensor(checkpoint, "classifier.3.weight");
    const size_t count = (size_t)vgg_tensor_get_count(from);
    float *expected = malloc(count * sizeof *expected), *found = malloc(count * sizeof *found);
    vgg_tensor_read_f32(from, expected);
    for (size_t d = 0; d < sizeof dtypes / sizeof dtypes[0]; d++) {
        const struct vgg_pack_options options = {.plain = true, .weights = dtypes[d]};
        float logits[10], other[10];
        ck_assert_int_eq(vgg_model_pack(model, path, &options, &err), VGG_OK);
        ck_assert_int_eq(vgg_checkpoint_open(path, NULL, &packed, &err), VGG_OK);
        ck_assert_int_eq(vgg_checkpoint_verify(packed, NULL, &err), VGG_OK);
        ck_assert_int_eq(vgg_model_create(packed, NULL, &again, &err), VGG_OK);
        vgg_model_get_info(again, &info);
        ck_assert_str_eq(info.weights, vgg_dtype_string(dtypes[d]));
        const struct vgg_tensor *to = vgg_checkpoint_find_tensor(packed, "classifier.3.weight");
        ck_assert_int_eq(to->layout, VGG_LAYOUT_COLUMN_MAJOR);
        ck_assert_int_eq(to->dtype, dtypes[d]);
        ck_assert_int_eq(vgg_checkpoint_find_tensor(packed, "classifier.3.bias")->dtype,
                         VGG_DTYPE_F32);
        ck_assert_int_eq(vgg_checkpoint_find_tensor(packed, "features.2.weight")->dtype, dtypes[d]);
        vgg_tensor_read_f32(to, found);
        for (size_t i = 0; i < count; i++) {
            const double value = (double)expected[i];
            const float want = dtypes[d] == VGG_DTYPE_F32 ? expected[i]
                               : dtypes[d] == VGG_DTYPE_BF16
                                   ? vgg_bfloat16_to_float(vgg_bfloat16_from_double(value))
                                   : vgg_half_to_float(vgg_half_from_double(value));
            ck_assert(memcmp(&found[i], &want, sizeof want) == 0);
        }
        /* Every instruction set computes with the same numbers. */
        run(again, false, VGG_ISA_SCALAR, other);
        for (enum vgg_isa isa = VGG_ISA_SCALAR; isa <= VGG_ISA_NEON; isa++) {
            for (int one_shot = 0; one_shot < 2 && vgg_isa_is_available(isa); one_shot++) {
                run(again, one_shot != 0, isa, logits);
                expect_close(logits, other);
            }
        }
        vgg_model_destroy(again);
        vgg_checkpoint_close(packed);
    }
    const struct vgg_pack_options both = {.isas = 2, .weights = VGG_DTYPE_F16},
                                  other = {.plain = true, .weights = VGG_DTYPE_I8};
    ck_assert_int_eq(vgg_model_pack(model, path, &both, &err), VGG_ERR_ARGUMENT);
    ck_assert_int_eq(vgg_model_pack(model, path, &other, &err), VGG_ERR_ARGUMENT);
    free(expected);
    free(found);
    vgg_model_destroy(model);
    vgg_checkpoint_close(checkpoint);
    remove_folder();
}
END_TEST

/* A weight that float16 has no number for is refused, and the file that was there stays. */
START_TEST(refuses_what_float16_cannot_hold)
{
    char bundled[512];
    vgg_checkpoint *checkpoint;
    vgg_model *model;
    make_folder();
    snprintf(bundled, sizeof bundled, "%s/fashion_vgg8_bn.pth", getenv("VGG_TEST_MODELS"));
    ck_assert_int_eq(vgg_checkpoint_open(bundled, NULL, &checkpoint, &err), VGG_OK);
    ck_assert_int_eq(vgg_model_create(checkpoint, NULL, &model, &err), VGG_OK);
    /* The file is mapped for reading: a copy of the tensor takes its place. */
    struct vgg_tensor *weight =
        (struct vgg_tensor *)vgg_checkpoint_find_tensor(checkpoint, "classifier.6.weight");
    float *numbers = malloc((size_t)vgg_tensor_get_count(weight) * sizeof *numbers);
    vgg_tensor_read_f32(weight, numbers);
    numbers[7] = -65520; /* the nearest to it is infinite */
    weight->data = numbers;
    weight->swapped = false;
    const struct vgg_pack_options half = {.plain = true, .weights = VGG_DTYPE_F16},
                                  bfloat = {.plain = true, .weights = VGG_DTYPE_BF16};
    ck_assert_int_eq(vgg_model_pack(model, path, &bfloat, &err), VGG_OK);
    struct vgg_file before, after;
    ck_assert_int_eq(vgg_file_read(path, 1 << 24, NULL, &before, &err), VGG_OK);
    ck_assert_int_eq(vgg_model_pack(model, path, &half, &err), VGG_ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(err.message,
                                 "classifier.6.weight: a weight of -65520 is beyond "
                                 "the largest float16, which is 65504: pack it as bf16"));
    ck_assert_int_eq(vgg_file_read(path, 1 << 24, NULL, &after, &err), VGG_OK);
    ck_assert_uint_eq(before.size, after.size);
    ck_assert_mem_eq(before.data, after.data, before.size);
    numbers[7] = -65519; /* and of this 65504 */
    ck_assert_int_eq(vgg_model_pack(model, path, &half, &err), VGG_OK);
    vgg_file_close(&before);
    vgg_file_close(&after);
    free(numbers);
    vgg_model_destroy(model);
    vgg_checkpoint_close(checkpoint);
    remove_folder();
}
END_TEST

UNIT_MAIN("packed", places_tensors_at_pages, refuses_every_cut, refuses_every_changed_byte,
          reads_other_layouts, gives_the_same_logits, writes_descriptions, writes_assumptions,
          writes_preprocessing, rounds_weights_once, refuses_what_float16_cannot_hold)
