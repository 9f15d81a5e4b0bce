/* SPDX-License-Identifier: MIT */
/* What a part of the file is, by its content. */
#ifndef VGG_CHECKPOINT_SCAN_CONTENTS_H
#define VGG_CHECKPOINT_SCAN_CONTENTS_H

#include "checkpoint/scan/job.h"

/* Looks into one part, as everything that a reader may take it for: adds its own parts to the scan and reports what it
 * finds. */
void vgg_scan_contents(struct vgg_scan_job *job, const struct vgg_scan_item *item);

#endif
