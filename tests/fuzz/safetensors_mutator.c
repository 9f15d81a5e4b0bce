/* SPDX-License-Identifier: MIT */
/* Changes the header of a safetensors file and tells its new length. */
#include <stdlib.h>

#include "mutator.h"

enum { LENGTH_BYTES = 8 };

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
    uint64_t length = size >= LENGTH_BYTES ? get_le(data, LENGTH_BYTES) : 0;
    if (seed % 2 == 0 || size < LENGTH_BYTES || length > size - LENGTH_BYTES) {
        return LLVMFuzzerMutate(data, size, most);
    }
    size_t rest = size - LENGTH_BYTES - (size_t)length;
    size_t room = most - LENGTH_BYTES - rest;
    uint8_t *header = malloc(room + 1);
    memcpy(header, data + LENGTH_BYTES, (size_t)length);
    size_t changed = LLVMFuzzerMutate(header, (size_t)length, room);
    memmove(data + LENGTH_BYTES + changed, data + LENGTH_BYTES + length, rest);
    memcpy(data + LENGTH_BYTES, header, changed);
    set_le(data, changed, LENGTH_BYTES);
    free(header);
    return LENGTH_BYTES + changed + rest;
}
