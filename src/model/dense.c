/* The net as the paper evaluates it densely: a classifier of convolutions. */
#include "model/build.h"

/* The weights of a linear layer [oc][ic * side * side] seen as those of a convolution. */
static struct vgg_tensor *view_as_windows(const struct vgg_tensor *weight, int ic, int side,
                                          struct vgg_arena *arena)
{
    struct vgg_tensor *view = vgg_arena_alloc(arena, 1, sizeof *view);
    if (view != NULL) {
        const int64_t step = weight->stride[1];
        *view = *weight;
        view->ndim = 4;
        view->shape[1] = ic;
        view->shape[2] = view->shape[3] = side;
        view->stride[1] = step * side * side;
        view->stride[2] = step * side;
        view->stride[3] = step;
    }
    return view;
}

static bool make_conv(const struct vgg_node *linear, int side, struct vgg_arena *arena,
                      struct vgg_node *out)
{
    const int ic = linear->linear.in_features / (side * side);
    out->op = VGG_OP_CONV2D;
    out->conv = (struct vgg_conv2d){
        .ic = ic,
        .oc = linear->linear.out_features,
        .kernel = side,
        .stride = 1,
        .dense = true,
        .weight = view_as_windows(linear->linear.weight, ic, side, arena),
        .bias = linear->linear.bias,
    };
    return out->conv.weight != NULL;
}

vgg_status vgg_graph_make_dense(const char *path, struct vgg_graph *graph, struct vgg_arena *arena,
                                struct vgg_error *err)
{
    /* New nodes: the parameters point into the old ones. The average pool and the flattening move to the
     * end. */
    struct vgg_node *nodes = vgg_arena_alloc(arena, graph->count, sizeof *nodes);
    struct vgg_node average = {0}, flatten = {0};
    size_t count = 0;
    int side = 1;
    bool ok = nodes != NULL;
    for (size_t i = 0; i < graph->count && ok; i++) {
        const struct vgg_node *node = &graph->nodes[i];
        if (node->op == VGG_OP_ADAPTIVE_AVG_POOL) {
            side = node->avg_pool.oh;
            average = *node;
        } else if (node->op == VGG_OP_FLATTEN) {
            flatten = *node;
        } else {
            nodes[count] = *node;
            if (node->op == VGG_OP_LINEAR) {
                ok = make_conv(node, side, arena, &nodes[count]);
                side = 1;
            }
            count++;
        }
    }
    if (!ok) {
        return vgg_fail_memory(err, path, graph->count * sizeof *nodes, "the net");
    }
    average.name = "average";
    average.avg_pool = (struct vgg_adaptive_avg_pool){.oh = 1, .ow = 1};
    nodes[count++] = average;
    nodes[count++] = flatten;
    graph->nodes = nodes;
    graph->count = count;
    return VGG_OK;
}
