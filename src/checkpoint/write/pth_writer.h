/* SPDX-License-Identifier: MIT */
/* A .pth file as torch.save writes it. */
#ifndef VGG_CHECKPOINT_WRITE_PTH_WRITER_H
#define VGG_CHECKPOINT_WRITE_PTH_WRITER_H

#include "base/outfile.h"
#include "checkpoint/checkpoint.h"

/* Writes all tensors. Errors: UNSUPPORTED (an element type), MEMORY; vgg_outfile_commit reports those of writing. */
vgg_status vgg_write_pth(const struct vgg_checkpoint *checkpoint, struct vgg_outfile *out,
                         struct vgg_error *err);

#endif
