/* SPDX-License-Identifier: MIT */
/* Turns a net into its dense evaluation, in which the classifier consists of convolutions. */
#include "model/graph/make_dense.h"

static struct vgg_conv2d make_conv(const struct vgg_linear *linear, int side)
{
    return (struct vgg_conv2d){
        .ic = linear->in_features / (side * side),
        .oc = linear->out_features,
        .kernel = side,
        .stride = 1,
        .dense = true,
        .weight = linear->weight,
        .bias = linear->bias,
    };
}

/* Where in a net a node is: before the average pool, before its features are flattened, before and after its first
 * linear layer. */
enum part { FEATURES, POOLED, FLATTENED, CLASSIFIER };

static bool is_square(const struct vgg_adaptive_pool *pool)
{
    return pool->oh == pool->ow && pool->oh > 0;
}

/* Whether the node does the same to each feature, in whichever order they are. */
static bool is_uniform(const struct vgg_node *node)
{
    const struct vgg_tensor *slopes = node->activation.slopes;
    return node->op == VGG_OP_RELU || node->op == VGG_OP_DROPOUT ||
           (node->op == VGG_OP_ACTIVATION && (slopes == NULL || vgg_tensor_get_count(slopes) == 1));
}

/* Whether the node does the same to each pixel. */
static bool is_pixelwise(const struct vgg_node *node)
{
    return is_uniform(node) || node->op == VGG_OP_BATCH_NORM || node->op == VGG_OP_ACTIVATION;
}

/* Whether a net whose classifier moves over the image can have the node in this part; moves on to the next part. */
static bool can_move(const struct vgg_node *node, enum part *part)
{
    const enum part before = *part;
    switch (node->op) {
    case VGG_OP_ADAPTIVE_AVG_POOL:
        *part = POOLED;
        return before == FEATURES && is_square(&node->adaptive_pool);
    case VGG_OP_ADAPTIVE_MAX_POOL:
    case VGG_OP_CONCAT_POOL:
    case VGG_OP_SOFTMAX:
        return false;
    case VGG_OP_FLATTEN:
        *part = before == POOLED ? FLATTENED : before;
        return true;
    case VGG_OP_LINEAR:
        *part = CLASSIFIER;
        return before >= FLATTENED;
    default:
        return before == FEATURES || (before == FLATTENED ? is_uniform(node) : is_pixelwise(node));
    }
}

/* Refuses nets whose classifier cannot move over an image. */
static vgg_status check_nodes(const char *path, const struct vgg_graph *graph,
                              struct vgg_error *err)
{
    enum part part = FEATURES;
    for (size_t i = 0; i < graph->count; i++) {
        const struct vgg_node *node = &graph->nodes[i];
        if (node->op == VGG_OP_FLATTEN && part == FEATURES) {
            return vgg_fail(err, VGG_ERR_UNSUPPORTED,
                            "%s: %s (%s): dense evaluation: expected an adaptive average pool "
                            "before the classifier, found none",
                            path, node->name, vgg_node_type(node));
        }
        if (!can_move(node, &part)) {
            return vgg_fail(err, VGG_ERR_UNSUPPORTED,
                            "%s: %s (%s): dense evaluation is not possible with this layer here",
                            path, node->name, vgg_node_type(node));
        }
    }
    return VGG_OK;
}

vgg_status vgg_graph_make_dense(const char *path, struct vgg_graph *graph, struct vgg_arena *arena,
                                struct vgg_error *err)
{
    /* The nodes are copied, because parameters point into the old ones. The average pool and the flattening move to
     * the end. */
    struct vgg_node *nodes = vgg_arena_alloc(arena, graph->count, sizeof *nodes);
    struct vgg_node average = {0}, flatten = {0};
    size_t count = 0;
    int side = 1;
    vgg_status status = check_nodes(path, graph, err);
    if (status != VGG_OK) {
        return status;
    }
    if (nodes == NULL) {
        return vgg_fail_memory(err, path, graph->count * sizeof *nodes, "the net");
    }
    for (size_t i = 0; i < graph->count; i++) {
        const struct vgg_node *node = &graph->nodes[i];
        if (node->op == VGG_OP_ADAPTIVE_AVG_POOL) {
            side = node->adaptive_pool.oh;
            average = *node;
        } else if (node->op == VGG_OP_FLATTEN) {
            flatten = *node;
        } else {
            nodes[count] = *node;
            if (node->op == VGG_OP_LINEAR) {
                nodes[count].op = VGG_OP_CONV2D;
                nodes[count].conv = make_conv(&node->linear, side);
                side = 1;
            }
            count++;
        }
    }
    average.name = "average";
    average.adaptive_pool = (struct vgg_adaptive_pool){.oh = 1, .ow = 1};
    nodes[count++] = average;
    nodes[count++] = flatten;
    graph->nodes = nodes;
    graph->count = count;
    return VGG_OK;
}
