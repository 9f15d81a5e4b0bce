/* SPDX-License-Identifier: MIT */
/* checkpoint/tensor/tensor: counting, contiguity, and float32 values of every type, layout and order. */
#include "unit.h"

#include <math.h>
#include <string.h>

#include "checkpoint/tensor/tensor.h"

START_TEST(counts)
{
    struct vgg_tensor t = {.ndim = 0};
    ck_assert_int_eq(vgg_tensor_get_count(&t), 1);
    t = (struct vgg_tensor){.ndim = 3, .shape = {2, 3, 4}};
    ck_assert_int_eq(vgg_tensor_get_count(&t), 24);
    t = (struct vgg_tensor){.ndim = 3, .shape = {INT64_MAX, INT64_MAX, 0}};
    ck_assert_int_eq(vgg_tensor_get_count(&t), 0);
}
END_TEST

START_TEST(knows_contiguous)
{
    static const struct {
        int64_t shape[3], stride[3];
        bool contiguous;
    } cases[] = {
        {{2, 3, 4}, {12, 4, 1}, true},  {{2, 3, 4}, {12, 1, 3}, false},
        {{1, 3, 4}, {99, 4, 1}, true},  {{2, 1, 4}, {4, 0, 1}, true},
        {{2, 3, 1}, {3, 1, 77}, true},  {{2, 3, 4}, {0, 4, 1}, false},
        {{2, 3, 4}, {24, 8, 2}, false}, {{0, 3, 4}, {5, 5, 5}, true},
        {{1, 1, 1}, {0, 0, 0}, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct vgg_tensor t = {.ndim = 3};
        memcpy(t.shape, cases[i].shape, sizeof cases[i].shape);
        memcpy(t.stride, cases[i].stride, sizeof cases[i].stride);
        ck_assert_msg(vgg_tensor_is_contiguous(&t) == cases[i].contiguous, "case %zu", i);
    }
}
END_TEST

/* Reads count elements of a type from bytes, which are given an odd address, in both orders. */
static void check_values(enum vgg_dtype dtype, const void *bytes, int64_t count,
                         const float *expected)
{
    uint8_t buffer[129];
    float found[16];
    size_t size = vgg_dtype_get_bytes(dtype);
    for (int swapped = 0; swapped < 2; swapped++) {
        for (size_t i = 0; i < (size_t)count * size; i++) {
            size_t in_element = swapped ? size - 1 - i % size : i % size;
            buffer[1 + i] = ((const uint8_t *)bytes)[i - i % size + in_element];
        }
        struct vgg_tensor t = {.dtype = dtype,
                               .ndim = 1,
                               .shape = {count},
                               .stride = {1},
                               .data = buffer + 1,
                               .swapped = swapped != 0};
        vgg_tensor_read_f32(&t, found);
        for (int64_t i = 0; i < count; i++) {
            ck_assert_msg(found[i] == expected[i], "%s %d: %a, expected %a",
                          vgg_dtype_string(dtype), (int)i, (double)found[i], (double)expected[i]);
        }
    }
}

START_TEST(reads_every_type)
{
    const float f32[] = {1.5f, -0.25f, 3e38f};
    check_values(VGG_DTYPE_F32, f32, 3, f32);
    /* 1 + 2^-24 is a tie, to even; 1e39 is too large. */
    const double f64[] = {1.5, 1 + 0x1p-24, 1 + 3 * 0x1p-24, 1e39, 1e-60};
    check_values(VGG_DTYPE_F64, f64, 5, (const float[]){1.5f, 1.0f, 1 + 0x1p-22f, HUGE_VALF, 0.0f});
    const uint16_t f16[] = {0x3c00, 0xc000, 0x7bff, 0x0001, 0xfc00};
    check_values(VGG_DTYPE_F16, f16, 5, (const float[]){1, -2, 65504, 0x1p-24f, -HUGE_VALF});
    const uint16_t bf16[] = {0x3f80, 0xc000, 0x7f80};
    check_values(VGG_DTYPE_BF16, bf16, 3, (const float[]){1, -2, HUGE_VALF});
    const int64_t i64[] = {-1, INT64_MIN, (1 << 24) + 1};
    check_values(VGG_DTYPE_I64, i64, 3, (const float[]){-1, -0x1p63f, 0x1p24f});
    const int32_t i32[] = {-1, INT32_MIN, INT32_MAX};
    check_values(VGG_DTYPE_I32, i32, 3, (const float[]){-1, -0x1p31f, 0x1p31f});
    const int16_t i16[] = {-1, INT16_MIN, INT16_MAX};
    check_values(VGG_DTYPE_I16, i16, 3, (const float[]){-1, -32768, 32767});
    const int8_t i8[] = {-1, INT8_MIN, INT8_MAX};
    check_values(VGG_DTYPE_I8, i8, 3, (const float[]){-1, -128, 127});
    const uint8_t u8[] = {0, 1, 255};
    check_values(VGG_DTYPE_U8, u8, 3, (const float[]){0, 1, 255});
    check_values(VGG_DTYPE_BOOL, u8, 3, (const float[]){0, 1, 1});
}
END_TEST

START_TEST(follows_strides)
{
    float data[24], found[24];
    for (int i = 0; i < 24; i++) {
        data[i] = (float)i;
    }
    /* [2][3][4], transposed to [4][3][2] */
    struct vgg_tensor t = {.ndim = 3, .shape = {4, 3, 2}, .stride = {1, 4, 12}, .data = data};
    vgg_tensor_read_f32(&t, found);
    int at = 0;
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 3; j++) {
            for (int k = 0; k < 2; k++) {
                ck_assert(found[at++] == data[i + 4 * j + 12 * k]);
            }
        }
    }
    /* every range of it */
    float range[24];
    for (int64_t first = 0; first <= 24; first++) {
        for (int64_t count = 0; first + count <= 24; count++) {
            vgg_tensor_read_range(&t, first, count, range);
            ck_assert(count == 0 ||
                      memcmp(range, found + first, (size_t)count * sizeof *range) == 0);
        }
    }
    /* [2][5], every row the same */
    t = (struct vgg_tensor){.ndim = 2, .shape = {2, 5}, .stride = {0, 2}, .data = data};
    vgg_tensor_read_f32(&t, found);
    ck_assert(found[4] == 8);
    ck_assert_mem_eq(found, found + 5, 5 * sizeof(float));
    /* one value, [3][1] of stride 0 */
    t = (struct vgg_tensor){.ndim = 2, .shape = {3, 1}, .stride = {0, 0}, .data = data + 7};
    vgg_tensor_read_f32(&t, found);
    ck_assert(found[2] == 7);
    /* no dimensions, no elements */
    t = (struct vgg_tensor){.ndim = 0, .data = data + 9};
    vgg_tensor_read_f32(&t, found);
    ck_assert(found[0] == 9);
    t = (struct vgg_tensor){.ndim = 2, .shape = {3, 0}, .data = data};
    vgg_tensor_read_f32(&t, found);
    ck_assert(found[0] == 9);
}
END_TEST

UNIT_MAIN("tensor", counts, knows_contiguous, reads_every_type, follows_strides)
