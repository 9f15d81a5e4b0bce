/* SPDX-License-Identifier: MIT */
/* Changes a tar archive and puts its headers' checksums right. */
#include <stdio.h>

#include "mutator.h"

enum { BLOCK = 512, CHECKSUM = 148, CHECKSUM_BYTES = 8, MAGIC = 257 };

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
    size = LLVMFuzzerMutate(data, size, most);
    for (size_t at = 0; seed % 2 != 0 && size - at >= BLOCK; at += BLOCK) {
        uint8_t *header = data + at;
        if (memcmp(header + MAGIC, "ustar", 5) == 0) {
            unsigned sum = 0;
            memset(header + CHECKSUM, ' ', CHECKSUM_BYTES);
            for (size_t i = 0; i < BLOCK; i++) {
                sum += header[i];
            }
            snprintf((char *)header + CHECKSUM, CHECKSUM_BYTES, "%06o", sum);
        }
    }
    return size;
}
