/* SPDX-License-Identifier: MIT */
/* The state of a pickle that is followed. */
#ifndef VGG_CHECKPOINT_SCAN_WALK_TYPES_H
#define VGG_CHECKPOINT_SCAN_WALK_TYPES_H

#include "base/cursor.h"
#include "checkpoint/scan/names.h"

enum vgg_walk_end {
    VGG_WALK_STOPPED, /* at STOP */
    VGG_WALK_CUT,     /* the bytes end before */
    VGG_WALK_BROKEN,  /* at what is no opcode, or cannot be run */
    VGG_WALK_LIMIT,   /* at a limit */
};

/* An array of joblib whose bytes follow in the stream. */
struct vgg_walk_array {
    uint64_t elements, element_bytes;
    bool objects; /* a pickle of them follows */
    bool aligned; /* padding precedes the bytes */
    bool has_shape, has_type;
};

struct vgg_pickle_walk {
    struct vgg_scan_job *job;
    const struct vgg_scan_item *item;
    struct vgg_cursor in; /* at the next opcode; offsets are those of the item */
    /* Set by the caller. Surely a pickle: what Python could not run is noted, and the walk goes on. Otherwise it ends
     * there, and nothing is reported of bytes that are none. */
    bool expected;
    bool joblib;          /* skip the bytes of arrays as joblib does */
    uint64_t report_from; /* what stands before was reported by another walk */

    /* Results. */
    enum vgg_walk_end end;
    size_t end_offset;  /* where it ended, as an offset in the item */
    bool has_arrays;    /* of joblib */
    size_t first_array; /* the offset after the first one's BUILD */
    size_t misused_at;  /* where the stack first had not what an opcode needs; SIZE_MAX: nowhere */
    struct vgg_light top; /* what the pickle is, if it stopped; what its last name is for */
    enum vgg_scan_use top_use;
    unsigned top_bytes;

    /* Inside. */
    size_t opcode_offset;
    uint64_t steps;
    bool stop;
    unsigned nested; /* pickles of arrays around it */
    struct vgg_walk_array array;
    int64_t
        loaders; /* how often torch.storage._load_from_bytes was taken and not called directly */
    bool array_built; /* by the last opcode */
    bool in_doubt;    /* what follows is a pickle only to a reader that does not know joblib */
    struct vgg_light_list stack, memo;
    struct vgg_scan_names names;
};

#endif
