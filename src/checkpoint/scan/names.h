/* SPDX-License-Identifier: MIT */
/* What one pickle names and does, each once, with how often. */
#ifndef VGG_CHECKPOINT_SCAN_NAMES_H
#define VGG_CHECKPOINT_SCAN_NAMES_H

#include "checkpoint/scan/job.h"
#include "checkpoint/scan/light.h"
#include "checkpoint/scan/policy.h"

/* Of more different names, only the number and the worst severity are reported. */
enum { VGG_SCAN_NAMES_MAX = 500 };

struct vgg_scan_record {
    struct vgg_span module, name; /* of a name */
    const char *what;             /* of anything else: one sentence; else NULL */
    enum vgg_scan_rule rule;
    struct vgg_scan_verdict verdict;
    uint64_t offset; /* of the first */
    uint64_t count;
    uint64_t calls;           /* of a name */
    uint64_t call_offset;     /* of the first call */
    struct vgg_span argument; /* its first text */
    uint32_t hash;
};

struct vgg_scan_names {
    struct vgg_scan_record *records; /* [count] */
    size_t count, capacity;
    uint64_t more; /* that did not fit */
    enum vgg_scan_severity worst_of_more;
    uint64_t more_offset;
    uint64_t acts; /* calls of what is not harmless, and other acts */
};

/* Notes a name; returns its number, from 1, or 0 when the list is full or there is no memory. */
uint16_t vgg_scan_names_add(struct vgg_scan_job *job, struct vgg_scan_names *names,
                            struct vgg_scan_record record);
/* Notes a call. */
void vgg_scan_names_call(struct vgg_scan_names *names, uint16_t name, uint64_t offset,
                         struct vgg_span argument);
/* Notes something else that is no name; what is a constant. */
void vgg_scan_names_act(struct vgg_scan_job *job, struct vgg_scan_names *names,
                        struct vgg_scan_record record);
/* Reports everything. */
void vgg_scan_names_report(struct vgg_scan_job *job, const struct vgg_scan_item *item,
                           const struct vgg_scan_names *names);

#endif
