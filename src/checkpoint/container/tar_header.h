/* SPDX-License-Identifier: MIT */
/* The layout of a header of a tar archive (POSIX.1-2001, ustar), in bytes. */
#ifndef VGG_CHECKPOINT_CONTAINER_TAR_HEADER_H
#define VGG_CHECKPOINT_CONTAINER_TAR_HEADER_H

enum {
    BLOCK_BYTES = 512,
    NAME_BYTES = 100,
    SIZE_OFFSET = 124,
    SIZE_BYTES = 12,
    SUM_OFFSET = 148,
    SUM_BYTES = 8,
    TYPE_OFFSET = 156,
    MAGIC_OFFSET = 257,
    PREFIX_OFFSET = 345,
    PREFIX_BYTES = 155,
};

#endif
