/* SPDX-License-Identifier: MIT */
/* Fully connected layers that are stored as filters, as in timm's VGG. */
#include "model/graph/filter_head.h"

/* Whether a linear layer's weight is a filter of the pool's size in the file. One of 1x1 gives the same before and after
 * an average. */
static bool is_filter(const vgg_checkpoint *checkpoint, const struct vgg_linear *linear,
                      const struct vgg_adaptive_pool *pool)
{
    const struct vgg_tensor *weight = vgg_checkpoint_find_tensor(checkpoint, linear->weight->name);
    return weight != NULL && weight->ndim == 4 && pool->oh > 1 && weight->shape[2] == pool->oh &&
           weight->shape[3] == pool->ow;
}

void vgg_graph_find_filters(const vgg_checkpoint *checkpoint, struct vgg_graph *graph)
{
    struct vgg_adaptive_pool *pool = NULL;
    for (size_t i = 0; i < graph->count; i++) {
        struct vgg_node *node = &graph->nodes[i];
        if (node->op == VGG_OP_ADAPTIVE_AVG_POOL) {
            pool = &node->adaptive_pool;
        } else if (node->op == VGG_OP_LINEAR) {
            if (pool != NULL) {
                pool->only_enlarges |= is_filter(checkpoint, &node->linear, pool);
            }
            return;
        }
    }
}

bool vgg_graph_exceeds_filters(const struct vgg_graph *graph, struct vgg_shape input)
{
    struct vgg_shape shape = input;
    for (size_t i = 0; i < graph->count; i++) {
        const struct vgg_node *node = &graph->nodes[i];
        const struct vgg_shape before = shape;
        if (vgg_node_infer_shape(node, before, &shape, "", NULL) != VGG_OK) {
            return node->op == VGG_OP_ADAPTIVE_AVG_POOL && node->adaptive_pool.only_enlarges;
        }
    }
    return false;
}
