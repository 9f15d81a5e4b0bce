/* SPDX-License-Identifier: MIT */
/* A part of the file as a tar archive. */
#ifndef VGG_CHECKPOINT_SCAN_TAR_VIEW_H
#define VGG_CHECKPOINT_SCAN_TAR_VIEW_H

#include "checkpoint/scan/job.h"

/* Adds the members of an archive to the scan; links and names that leave the folder are reported, since torch.load
 * extracts such archives. Returns whether the bytes are an archive. */
bool vgg_scan_tar(struct vgg_scan_job *job, const struct vgg_scan_item *item);

#endif
