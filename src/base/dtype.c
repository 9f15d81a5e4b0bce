/* SPDX-License-Identifier: MIT */
/* Element types: sizes and names. */
#include "vgg/checkpoint.h"

static const struct {
    const char *name;
    size_t bytes;
} types[] = {
    [VGG_DTYPE_F32] = {"float32", 4},
    [VGG_DTYPE_F64] = {"float64", 8},
    [VGG_DTYPE_F16] = {"float16", 2},
    [VGG_DTYPE_BF16] = {"bfloat16", 2},
    [VGG_DTYPE_I64] = {"int64", 8},
    [VGG_DTYPE_I32] = {"int32", 4},
    [VGG_DTYPE_I16] = {"int16", 2},
    [VGG_DTYPE_I8] = {"int8", 1},
    [VGG_DTYPE_U8] = {"uint8", 1},
    [VGG_DTYPE_BOOL] = {"bool", 1},
    [VGG_DTYPE_F8_E4M3] = {"float8_e4m3fn", 1},
    [VGG_DTYPE_F8_E5M2] = {"float8_e5m2", 1},
};

size_t vgg_dtype_get_bytes(enum vgg_dtype dtype)
{
    return types[dtype].bytes;
}

const char *vgg_dtype_string(enum vgg_dtype dtype)
{
    return types[dtype].name;
}
