/* SPDX-License-Identifier: MIT */
/* Reads a pickle as inert data. Nothing in it is imported, called or executed. A "call" (REDUCE) is only noted, and
 * the callee must be on the allow-list of globals.inc, as opcodes must be on that of ops.inc. Objects of any class
 * (NEWOBJ) are plain data: whole modules and training checkpoints hold many classes of their authors. */
#ifndef VGG_CHECKPOINT_PICKLE_PICKLE_H
#define VGG_CHECKPOINT_PICKLE_PICKLE_H

#include "base/load.h"
#include "checkpoint/pickle/source.h"
#include "checkpoint/pickle/value.h"

struct vgg_pickle {
    struct vgg_value *root;
    struct vgg_value **persistents; /* [persistent_count]: every PERSISTENT, in order */
    size_t persistent_count;
    size_t size; /* bytes read, STOP included */
};

/* Runs one pickle to its STOP. The values live in load->arena, also after an error.
 * Shared values stay shared, and lists and dicts may contain themselves: a walk over the tree needs a bound.
 * Whatever the bytes, the limit pickle_opcodes bounds time and value_bytes bounds memory.
 * Errors: FORMAT, UNSUPPORTED (opcodes and names not on the lists), LIMIT, MEMORY. */
vgg_status vgg_pickle_read(const struct vgg_load *load, const struct vgg_pickle_source *source,
                           struct vgg_pickle *out);

#endif
