/* SPDX-License-Identifier: MIT */
/* Convolutions' weights in the order that the plans of some instruction sets would give them. */
#ifndef VGG_PACK_PREPACKER_H
#define VGG_PACK_PREPACKER_H

#include "base/pool.h"
#include "checkpoint/write/packed_writer.h"
#include "model/view.h"

enum { VGG_PREPACKER_ISAS = 8 };

struct vgg_plan;
struct vgg_prepacker {
    struct vgg_plan
        *plans[VGG_PREPACKER_ISAS]; /* [count] only laid out, one for each instruction set */
    size_t count;
    struct vgg_pool *pool;
};

/* Plans the model for instruction sets, which this machine need not have.
 *   isas  1u << VGG_ISA_AVX2 and so on; 0: nothing will be written
 * Errors: ARGUMENT, those of planning; nothing is to be closed then. */
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
