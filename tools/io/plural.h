/* SPDX-License-Identifier: MIT */
/* Singular and plural in messages: "1 image", "2 images". */
#ifndef TOOLS_IO_PLURAL_H
#define TOOLS_IO_PLURAL_H

#include <stdint.h>

/* What follows the noun: "%zu image%s", count, plural_s(count). */
static inline const char *plural_s(uint64_t count)
{
    return count == 1 ? "" : "s";
}

#endif
