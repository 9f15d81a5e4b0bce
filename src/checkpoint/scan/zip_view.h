/* SPDX-License-Identifier: MIT */
/* A part of the file as a zip archive: what any reader may see in it. */
#ifndef VGG_CHECKPOINT_SCAN_ZIP_VIEW_H
#define VGG_CHECKPOINT_SCAN_ZIP_VIEW_H

#include "checkpoint/scan/job.h"

/* Adds the members of an archive to the scan; one that is not as every reader expects it is reported and read by all its
 * directories and local headers. Returns whether the bytes are an archive.
 *   is_tar  a zip archive at the end is a member of the tar: its place is not reported */
bool vgg_scan_zip(struct vgg_scan_job *job, const struct vgg_scan_item *item, bool is_tar);

#endif
