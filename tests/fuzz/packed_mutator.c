/* SPDX-License-Identifier: MIT */
/* Puts the sums of a packed file right after a change: those of the header, the description, the directory. */
#include <stdlib.h>

#include "mutator.h"

enum {
    HEADER_BYTES = 64,
    FILE_BYTES = 16,
    OFFSET = 24,
    DESCRIPTION_BYTES = 32,
    DIRECTORY_BYTES = 40
};
enum { DESCRIPTION_CRC = 48, DIRECTORY_CRC = 52, HEADER_CRC = 60 };

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
    size = LLVMFuzzerMutate(data, size, most);
    if (seed % 2 == 0 || size < HEADER_BYTES) {
        return size;
    }
    /* Where the sizes do not fit, the directory takes what there is. */
    const uint64_t offset = get_le(data + OFFSET, 8);
    uint64_t bytes = get_le(data + DESCRIPTION_BYTES, 8);
    if (offset <= size) {
        bytes = bytes < size - offset ? bytes : size - offset;
        const size_t directory = size - (size_t)offset - (size_t)bytes;
        set_le(data + FILE_BYTES, size, 8);
        set_le(data + DESCRIPTION_BYTES, bytes, 8);
        set_le(data + DIRECTORY_BYTES, directory, 8);
        set_le(data + DESCRIPTION_CRC, crc32_of(data + offset, (size_t)bytes), 4);
        set_le(data + DIRECTORY_CRC, crc32_of(data + offset + bytes, directory), 4);
    }
    set_le(data + HEADER_CRC, crc32_of(data, HEADER_CRC), 4);
    return size;
}
