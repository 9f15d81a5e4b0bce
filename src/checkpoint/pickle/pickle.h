/* Read a pickle as inert data. Nothing in it is imported, called or executed. A "call" (REDUCE) is only
 * noted, and what it calls must be on the allow-list of globals.inc, as opcodes must be on that of
 * ops.inc. Objects of any class (NEWOBJ) are data without meaning: whole modules and training
 * checkpoints are full of their authors' own classes. */
#ifndef VGG_CHECKPOINT_PICKLE_PICKLE_H
#define VGG_CHECKPOINT_PICKLE_PICKLE_H

#include "base/mem.h"
#include "base/status.h"
#include "checkpoint/pickle/value.h"

/* The bytes of a pickle. Values borrow their texts from them. */
struct vgg_pickle_source {
    const char *path;     /* the file, for messages */
    const uint8_t *data;  /* [size] */
    size_t size;          /* the pickle may end before */
    uint64_t file_offset; /* of data[0]; VGG_NO_OFFSET when the bytes are not in the file as is */
    bool ids_are_keys;    /* persistent ids are texts, or (class, …), as before torch 0.1.10 */
};

struct vgg_pickle {
    struct vgg_value *root;
    struct vgg_value **persistents; /* [persistent_count]: every PERSISTENT, in order */
    size_t persistent_count;
    size_t size; /* bytes read, STOP included */
};

/* Runs one pickle to its STOP. The values live in arena, also after an error.
 * Shared values stay shared, and lists and dicts may contain themselves: do not walk the tree without
 * a bound. Time is bounded by limits->pickle_opcodes, memory by limits->value_bytes, whatever the bytes.
 * Errors: FORMAT, UNSUPPORTED (opcodes and names not on the lists), LIMIT, MEMORY. */
vgg_status vgg_pickle_read(const struct vgg_pickle_source *source, const struct vgg_limits *limits,
                           struct vgg_arena *arena, struct vgg_pickle *out, struct vgg_error *err);

/* The allow-list's row for a name. NULL for names that are refused wherever they stand: those of modules
 * that every malicious pickle needs. Other names that are not on the list have the role OTHER. */
const struct vgg_global *vgg_global_find(struct vgg_span module, struct vgg_span name);

#endif
