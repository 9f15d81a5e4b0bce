/* SPDX-License-Identifier: MIT */
/* SHA-256 (FIPS 180-4) of bytes in memory. */
#ifndef VGG_CHECKPOINT_SHA256_H
#define VGG_CHECKPOINT_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { VGG_SHA256_BYTES = 32 };

void vgg_sha256(const void *data, size_t size, uint8_t digest[VGG_SHA256_BYTES]);

#endif
