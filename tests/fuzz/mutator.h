/* SPDX-License-Identifier: MIT */
/* For the targets whose inputs have checksums and sizes that blind changes would only break: libFuzzer
 * asks LLVMFuzzerCustomMutator for the next input. Half of these stay blind. */
#ifndef VGG_TESTS_FUZZ_MUTATOR_H
#define VGG_TESTS_FUZZ_MUTATOR_H

#include <string.h>

#include "fuzz.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);

static inline uint64_t get_le(const uint8_t *data, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = bytes; i-- > 0;) {
        value = value << 8 | data[i];
    }
    return value;
}

static inline void set_le(uint8_t *data, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        data[i] = (uint8_t)(value >> (8 * i));
    }
}

/* Of zip and PNG. */
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

#endif
