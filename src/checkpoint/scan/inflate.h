/* SPDX-License-Identifier: MIT */
/* Unpacks deflated bytes whatever their checksums say, as the readers do that a scan has to be as lax as. */
#ifndef VGG_CHECKPOINT_SCAN_INFLATE_H
#define VGG_CHECKPOINT_SCAN_INFLATE_H

#include "checkpoint/scan/job.h"

enum vgg_inflate_wrapper { VGG_INFLATE_RAW, VGG_INFLATE_ZLIB_OR_GZIP };

/* Unpacks the beginning of packed bytes into the arena: at most max bytes.
 *   out  data is NULL if nothing can be unpacked or no memory is left to the scan; cut if there are more bytes */
void vgg_scan_inflate(struct vgg_scan_job *job, const struct vgg_scan_item *packed,
                      enum vgg_inflate_wrapper wrapper, uint64_t max, struct vgg_scan_item *out);

uint32_t vgg_scan_crc(const uint8_t *data, size_t size);

#endif
