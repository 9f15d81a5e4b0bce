/* SPDX-License-Identifier: MIT */
/* Changes an image, and corrects the checksums of a PNG's chunks, which the decoder checks first. */
#include "mutator.h"

enum { SIGNATURE = 8, CHUNK = 12 };

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
    size = LLVMFuzzerMutate(data, size, most);
    if (seed % 2 == 0 || size < SIGNATURE || memcmp(data, "\x89PNG", 4) != 0) {
        return size;
    }
    for (size_t at = SIGNATURE; size - at >= CHUNK;) {
        uint8_t *chunk = data + at;
        size_t length =
            (size_t)chunk[0] << 24 | (size_t)chunk[1] << 16 | (size_t)chunk[2] << 8 | chunk[3];
        if (length > size - at - CHUNK) {
            break;
        }
        uint32_t crc = crc32_of(chunk + 4, length + 4);
        set_le(chunk + 8 + length, __builtin_bswap32(crc), 4);
        at += CHUNK + length;
    }
    return size;
}
