/* SPDX-License-Identifier: MIT */
/* The byte order of this machine. */
#ifndef VGG_BASE_BYTEORDER_H
#define VGG_BASE_BYTEORDER_H

#include <stdbool.h>
#include <stdint.h>

/* Whether this machine is little-endian. */
static inline bool vgg_host_is_little(void)
{
    const uint16_t one = 1;
    return *(const uint8_t *)&one == 1;
}

#endif
