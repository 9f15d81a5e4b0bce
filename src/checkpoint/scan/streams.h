/* SPDX-License-Identifier: MIT */
/* The pickles in a part of the file, one after the other. */
#ifndef VGG_CHECKPOINT_SCAN_STREAMS_H
#define VGG_CHECKPOINT_SCAN_STREAMS_H

#include "checkpoint/scan/job.h"

/* Follows the pickles from an offset on: those of torch.save's stream, of torch's tar with the raw bytes between them,
 * joblib's with the bytes of arrays inside. Returns whether there was one.
 *   expected  the bytes are surely a pickle; else only what proves to be one is reported */
bool vgg_scan_pickles(struct vgg_scan_job *job, const struct vgg_scan_item *item, size_t offset,
                      bool expected);

#endif
