/* SPDX-License-Identifier: MIT */
/* What all fuzz targets share.
 *
 * A target is one source that defines fuzz_one. From it come four programs: fuzz_NAME and
 * fuzz_NAME_fault for libFuzzer (meson option `fuzzing`), replay_NAME and replay_NAME_fault, which run
 * files once and work with any compiler. In the _fault programs an allocation fails, which one the
 * input's last two bytes say. */
#ifndef VGG_TESTS_FUZZ_H
#define VGG_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vgg/checkpoint.h"

/* Feeds the bytes to what the target is about; aborts when a promise is broken. Returns what the
 * library said of them. */
vgg_status fuzz_one(const uint8_t *data, size_t size);

/* libFuzzer's face, which engine.c has and replay.c calls. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* libFuzzer's own: changes data in place, at most most bytes of it; returns the new size. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

/* Aborts with a message unless the condition holds. */
void fuzz_check(bool condition, const char *promise);

/* Opens the bytes as a checkpoint; reads every tensor; makes a model of them. */
vgg_status fuzz_checkpoint(const uint8_t *data, size_t size);
/* Does the latter two with what is open. */
vgg_status fuzz_use_checkpoint(const vgg_checkpoint *checkpoint);

/* Lets the nth allocation from now on fail, and only that one; 0: none. */
void fault_arm(uint64_t nth);
/* Ends that; returns the number of allocations since. */
uint64_t fault_disarm(void);

#endif
