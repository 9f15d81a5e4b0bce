/* SPDX-License-Identifier: MIT */
/* Fuzz target: a checkpoint as it lies in a file; the container is recognised by its content. */
#include "fuzz.h"

vgg_status fuzz_one(const uint8_t *data, size_t size)
{
    return fuzz_checkpoint(data, size);
}
