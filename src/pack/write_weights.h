/* SPDX-License-Identifier: MIT */
/* Writes weights and biases into a packed file, with BatchNorm folded in. */
#ifndef VGG_PACK_WRITE_WEIGHTS_H
#define VGG_PACK_WRITE_WEIGHTS_H

#include "checkpoint/write/packed_writer.h"
#include "model/graph/build.h"

struct vgg_weight_writer {
    const struct vgg_load *load; /* of the checkpoint; vectors take memory from its arena */
    struct vgg_packed_writer *file;
    enum vgg_dtype dtype; /* of weights: float32, bfloat16 or float16 */
};

/* Each writes a tensor under the name and shape `as`. Errors: UNSUPPORTED (a weight beyond the type), MEMORY.
 *   scale  of each filter or row, or NULL */
vgg_status vgg_write_filters(struct vgg_weight_writer *to, const struct vgg_parameter *as,
                             const struct vgg_tensor *tensor, const double *scale);
vgg_status vgg_write_columns(struct vgg_weight_writer *to, const struct vgg_parameter *as,
                             const struct vgg_tensor *tensor, const double *scale);
vgg_status vgg_write_bias(struct vgg_weight_writer *to, const struct vgg_parameter *as,
                          const struct vgg_tensor *tensor);
/*   bias  NULL: zeros */
vgg_status vgg_write_folded_bias(struct vgg_weight_writer *to, const struct vgg_parameter *as,
                                 const struct vgg_tensor *bias, const double *scale,
                                 const double *shift);

#endif
