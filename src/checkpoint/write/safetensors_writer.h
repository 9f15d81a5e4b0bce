/* SPDX-License-Identifier: MIT */
/* A safetensors file. */
#ifndef VGG_CHECKPOINT_WRITE_SAFETENSORS_WRITER_H
#define VGG_CHECKPOINT_WRITE_SAFETENSORS_WRITER_H

#include "base/outfile.h"
#include "checkpoint/checkpoint.h"

/* Writes all tensors. Errors: MEMORY; vgg_outfile_commit reports those of writing. */
vgg_status vgg_write_safetensors(const struct vgg_checkpoint *checkpoint, struct vgg_outfile *out,
                                 struct vgg_error *err);

#endif
