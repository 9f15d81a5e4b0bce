/* SPDX-License-Identifier: MIT */
/* The memory budget of each convolution of a low-memory plan. The slab must hold the largest input and output that live
 * together, so a convolution with a smaller input and output can use the rest without making the slab larger. */
#include "plan/f32/memory_budget.h"

#include "base/arith.h"
#include "plan/nodes.h"

/* The minimum budget is the larger of what a block of tiles and its weights need, and an eighth of the slab, which makes
 * the largest convolutions (vgg16's second one) twice as fast. */
enum { MIN_BYTES = 1 << 20, MIN_SHARE = 8 };

/* An upper bound that is within size_t. */
static const double MAX_BYTES = sizeof(size_t) > 4 ? 1e15 : 2e9;

/* The bytes of an activation with a padding of one pixel. */
static double activation_bytes(const struct vgg_plan *plan, struct vgg_shape shape)
{
    const double lanes = plan->options.kernels->lanes, padding = 2;
    return sizeof(float) * (double)plan->options.batch * (shape.h + padding) * (shape.w + padding) *
           vgg_ceil_div(shape.c, plan->options.kernels->lanes) * lanes;
}

/* The output of the step that begins with the convolution at the chain's position: with BatchNorm, ReLU and a pool.
 *   unpooled  receives the output without the pool */
static struct vgg_shape find_output(const struct vgg_chain *chain, struct vgg_shape *unpooled)
{
    const struct vgg_node *node = &chain->nodes[chain->at];
    struct vgg_shape shape = chain->shape;
    size_t ahead = 1;
    if (vgg_node_infer_shape(node, shape, &shape, "", NULL) != VGG_OK) {
        return *unpooled = chain->shape;
    }
    *unpooled = shape;
    while (vgg_chain_has(chain, ahead, VGG_OP_BATCH_NORM) ||
           vgg_chain_has(chain, ahead, VGG_OP_RELU)) {
        ahead++;
    }
    if (vgg_chain_has_small_pool(chain, ahead)) {
        vgg_node_infer_shape(node + ahead, shape, &shape, "", NULL);
    }
    return shape;
}

/* The bytes of input and output of the convolution at the chain's position. The net's own input is not counted, because it
 * is in the caller's memory. */
static double find_pair(const struct vgg_plan *plan, const struct vgg_chain *chain)
{
    struct vgg_shape unpooled;
    const struct vgg_shape out = find_output(chain, &unpooled);
    return (chain->at == 0 ? 0 : activation_bytes(plan, chain->shape)) +
           activation_bytes(plan, out);
}

/* The bytes of the largest input and output together, a lower bound of the slab. */
static double find_floor(const struct vgg_plan *plan, const struct vgg_chain *whole)
{
    struct vgg_chain chain = *whole;
    double max = 0;
    chain.shape = plan->options.input;
    for (chain.at = 0; chain.at < chain.count; chain.at++) {
        const struct vgg_node *node = &chain.nodes[chain.at];
        if (node->op == VGG_OP_CONV2D) {
            const double pair = find_pair(plan, &chain);
            max = pair > max ? pair : max;
        }
        if (vgg_node_infer_shape(node, chain.shape, &chain.shape, "", NULL) != VGG_OK) {
            /* vgg_plan_make_steps reports the error. */
            break;
        }
    }
    return max;
}

static size_t to_bytes(double bytes)
{
    return (size_t)(bytes < MAX_BYTES ? bytes : MAX_BYTES);
}

struct vgg_memory_budget vgg_plan_find_budget(const struct vgg_plan *plan,
                                              const struct vgg_chain *chain)
{
    struct vgg_shape unpooled;
    if (!plan->options.low_memory) {
        return (struct vgg_memory_budget){.bytes = SIZE_MAX};
    }
    const double floor_bytes = find_floor(plan, chain), share = floor_bytes / MIN_SHARE;
    const double left = floor_bytes - find_pair(plan, chain);
    const double min = share > MIN_BYTES ? share : MIN_BYTES;
    const struct vgg_shape out = find_output(chain, &unpooled);
    return (struct vgg_memory_budget){
        .bytes = to_bytes(left > min ? left : min),
        .unpooled_bytes = to_bytes(activation_bytes(plan, unpooled) - activation_bytes(plan, out)),
    };
}
