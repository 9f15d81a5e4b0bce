/* SPDX-License-Identifier: MIT */
/* Tensors of random numbers for the test nets. */
#ifndef VGG_TESTS_RANDOM_TENSOR_H
#define VGG_TESTS_RANDOM_TENSOR_H

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vgg/checkpoint.h"

struct random_numbers {
    /* The generator's state. */
    uint32_t *state;
    float low, high;
};

/* 24 random bits, the same sequence in each run. */
static inline uint32_t random_bits(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static inline float random_float(const struct random_numbers *numbers)
{
    return numbers->low +
           (numbers->high - numbers->low) * (float)random_bits(numbers->state) * 0x1p-24f;
}

/* Numbers from -2 to 2, to be freed. */
static inline float *random_input(size_t count)
{
    uint32_t state = 99;
    float *input = malloc(count * sizeof *input);
    ck_assert_ptr_nonnull(input);
    for (size_t i = 0; i < count; i++) {
        input[i] = random_float(&(struct random_numbers){&state, -2, 2});
    }
    return input;
}

/* Makes a contiguous float32 tensor; the first side of 0 ends its shape. Its data lie `offset` bytes behind the start of
 * memory that the caller frees. */
static inline void random_tensor(struct vgg_tensor *tensor, const int shape[4],
                                 const struct random_numbers *numbers, size_t offset)
{
    size_t count = 1;
    *tensor = (struct vgg_tensor){.name = "tensor", .dtype = VGG_DTYPE_F32};
    while (tensor->ndim < 4 && shape[tensor->ndim] > 0) {
        tensor->shape[tensor->ndim] = shape[tensor->ndim];
        count *= (size_t)shape[tensor->ndim++];
    }
    int64_t stride = 1;
    for (int i = tensor->ndim - 1; i >= 0; i--) {
        tensor->stride[i] = stride;
        stride *= tensor->shape[i];
    }
    char *data = malloc(offset + count * sizeof(float));
    ck_assert_ptr_nonnull(data);
    for (size_t i = 0; i < count; i++) {
        const float value = random_float(numbers);
        memcpy(data + offset + i * sizeof value, &value, sizeof value);
    }
    tensor->data = data + offset;
}

#endif
