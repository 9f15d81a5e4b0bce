/* SPDX-License-Identifier: MIT */
/* One scan: the parts of the file that are still to be looked into, and the reports. */
#ifndef VGG_CHECKPOINT_SCAN_JOB_H
#define VGG_CHECKPOINT_SCAN_JOB_H

#include "base/load.h"
#include "checkpoint/container/zip_directory.h"
#include "vgg/scan.h"

/* What a part is by its name, or by who reads it. */
enum vgg_scan_role {
    VGG_SCAN_ANY,    /* whatever its content shows; a pickle that is found there is hidden */
    VGG_SCAN_PICKLE, /* read as a pickle by whoever loads the file */
    VGG_SCAN_RECORDS /* a member of torch's tar: pickles with raw bytes between them */
};

/* A part of the file: the file itself, a member of an archive, the bytes in a pickle. */
struct vgg_scan_item {
    const uint8_t *data; /* the file's, or the arena's */
    size_t size;
    uint64_t file_offset; /* of data; VGG_NO_OFFSET when it is not in the file as is */
    const char *member;   /* as in struct vgg_scan_finding */
    enum vgg_scan_role role;
    unsigned depth;      /* archives and pickles around it */
    uint64_t whole_size; /* of what was cut; UINT64_MAX: unknown */
    bool cut;            /* only the beginning could be unpacked */
    bool compressed;     /* was in a stream of zlib's */
    /* The archive that it is a member of, to compare storages with; NULL: none. */
    const struct vgg_zip_directory *directory;
    struct vgg_span folder; /* the beginning of its name, with the slash */
};

struct vgg_scan_job {
    const struct vgg_load *load;
    const struct vgg_scan_options *options;
    struct vgg_scan_result *result;
    struct vgg_scan_item *items; /* [count]; the last one is next */
    size_t count, capacity;
    size_t taken;        /* items that were pushed so far */
    uint64_t kept_bytes; /* of the arena, for parts that had to be unpacked */
    uint64_t file_bytes;
    uint64_t steps;       /* opcodes of all pickles */
    uint64_t spent_bytes; /* that were searched, compared or unpacked */
    vgg_status status;    /* MEMORY stops the scan */
};

/* Where and what a finding is. */
struct vgg_scan_place {
    enum vgg_scan_rule rule;
    enum vgg_scan_severity severity;
    uint64_t offset; /* in the item */
    const char *subject;
    uint64_t count;
};

void vgg_scan_report(struct vgg_scan_job *job, const struct vgg_scan_item *item,
                     const struct vgg_scan_place *place, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Reports a part that cannot be looked into. */
void vgg_scan_unread(struct vgg_scan_job *job, const struct vgg_scan_item *item, uint64_t offset,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Reports an archive that readers may see differently. */
void vgg_scan_trick(struct vgg_scan_job *job, const struct vgg_scan_item *item, uint64_t offset,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Adds a part of `parent`. Its name is copied; depth and number are bounded. */
void vgg_scan_push(struct vgg_scan_job *job, const struct vgg_scan_item *parent,
                   struct vgg_scan_item item, struct vgg_span name);

/* Whether the bytes begin as a pickle of protocol 2 or later does. */
static inline bool vgg_scan_begins_pickle(const uint8_t *data, size_t size)
{
    return size >= 2 && data[0] == 0x80 && data[1] <= 5;
}

/* Counts bytes that are about to be searched or compared; false, and reported, when there have been too many: the same
 * bytes can be the members of many archives. */
bool vgg_scan_spend(struct vgg_scan_job *job, const struct vgg_scan_item *item, uint64_t bytes);

/* A buffer of the arena for unpacked bytes; NULL, and reported, when there have been too many. */
uint8_t *vgg_scan_keep(struct vgg_scan_job *job, const struct vgg_scan_item *item, uint64_t bytes);

#endif
