/* SPDX-License-Identifier: MIT */
/* Writes convolutions' weights as the plans of some instruction sets prepack them. */
#ifndef VGG_PACK_PREPACKER_H
#define VGG_PACK_PREPACKER_H

#include "base/pool.h"
#include "checkpoint/write/packed_writer.h"
#include "model/view.h"

enum { VGG_PREPACKER_ISAS = 8 };

struct vgg_plan;
struct vgg_prepacker {
    struct vgg_plan
        *plans[VGG_PREPACKER_ISAS]; /* [count] one for each instruction set; they do not run */
    size_t count;
    struct vgg_pool *pool;
};

/* Plans the model for instruction sets, which this machine need not have.
 *   isas  bits 1u << VGG_ISA_AVX2 and so on; 0: none
 * Errors: ARGUMENT, those of planning; the prepacker must not be closed then. */
vgg_status vgg_prepacker_open(struct vgg_prepacker *prepacker, const struct vgg_model_view *model,
                              uint32_t isas, struct vgg_error *err);
void vgg_prepacker_close(struct vgg_prepacker *prepacker);

/* Writes a convolution's weights in each order that one of the instruction sets reads.
 *   name  of the weight in the file
 * Errors: MEMORY. */
vgg_status vgg_prepacker_write(const struct vgg_prepacker *prepacker, const struct vgg_node *node,
                               const char *name, struct vgg_packed_writer *writer,
                               struct vgg_error *err);

#endif
