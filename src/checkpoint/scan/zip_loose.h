/* SPDX-License-Identifier: MIT */
/* Every member that a lax reader may find in a zip archive: by any directory, and by local headers. */
#ifndef VGG_CHECKPOINT_SCAN_ZIP_LOOSE_H
#define VGG_CHECKPOINT_SCAN_ZIP_LOOSE_H

#include "checkpoint/scan/job.h"

struct vgg_loose_member {
    struct vgg_span name;
    uint16_t method, flags;
    uint32_t crc;    /* 0: unknown */
    uint64_t header; /* the offset of the local header */
    uint64_t data, packed_bytes, bytes;
    bool listed; /* in a directory */
};

/* Finds them, allocated in the arena and sorted by position; false without memory or past a limit, which is reported.
 *   listed  false: only those that stand between the given ones
 *   out     members, of which *count may be given */
struct vgg_loose_list {
    struct vgg_loose_member *members;
    size_t count, capacity;
};

/* The offset of the next end record that fits the bytes, at or before `before`; SIZE_MAX: there is none. */
size_t vgg_loose_find_end(const struct vgg_scan_item *item, size_t before);
/* Adds what the directory of an end record lists. */
void vgg_loose_read_directory(struct vgg_scan_job *job, const struct vgg_scan_item *item,
                              size_t end, struct vgg_loose_list *out);
/* Adds what local headers outside the listed members show. */
void vgg_loose_find_headers(struct vgg_scan_job *job, const struct vgg_scan_item *item,
                            struct vgg_loose_list *out);
/* Adds one. */
bool vgg_loose_add(struct vgg_scan_job *job, const struct vgg_scan_item *item,
                   struct vgg_loose_list *out, struct vgg_loose_member member);

#endif
