/* How much memory each convolution may take in a plan for low memory. The slab cannot be smaller than the largest
 * input and output that live together; what a smaller pair leaves of that costs nothing. */
#include "plan/f32/memory_budget.h"

#include "base/arith.h"

/* No less than this for anything, a block of tiles and its weights, and this part of the slab, which is little
 * against it and makes the largest convolutions (vgg16's second one) twice as fast. */
enum { LEAST_BYTES = 1 << 20, LEAST_PART = 8 };

static double activation_bytes(const struct vgg_plan *plan, struct vgg_shape shape)
{
    const double L = plan->kernels->lanes, frame = 2;
    return sizeof(float) * (double)plan->batch * (shape.h + frame) * (shape.w + frame) *
           vgg_ceil_div(shape.c, plan->kernels->lanes) * L;
}

/* The output of nodes[i], and what follows it in the same step: BatchNorm, ReLU, a pool. */
static struct vgg_shape find_output(const struct vgg_node *nodes, size_t count, size_t i,
                                    struct vgg_shape in, struct vgg_shape *unpooled)
{
    struct vgg_shape shape = in;
    if (vgg_node_infer_shape(&nodes[i], in, &shape, "", NULL) != VGG_OK) {
        return *unpooled = in;
    }
    *unpooled = shape;
    for (i++; i < count && (nodes[i].op == VGG_OP_BATCH_NORM || nodes[i].op == VGG_OP_RELU); i++) {}
    if (i < count && nodes[i].op == VGG_OP_MAX_POOL && nodes[i].max_pool.kernel == 2 &&
        nodes[i].max_pool.stride == 2) {
        vgg_node_infer_shape(&nodes[i], shape, &shape, "", NULL);
    }
    return shape;
}

/* Input and output of nodes[i]. The net's own input is the caller's. */
static double find_pair(const struct vgg_plan *plan, const struct vgg_node *nodes, size_t count,
                        size_t i, struct vgg_shape in, struct vgg_shape *unpooled)
{
    const struct vgg_shape out = find_output(nodes, count, i, in, unpooled);
    return (i == 0 ? 0 : activation_bytes(plan, in)) + activation_bytes(plan, out);
}

double vgg_plan_find_floor(const struct vgg_plan *plan, const struct vgg_node *nodes, size_t count)
{
    struct vgg_shape shape = plan->input, unpooled;
    double most = 0;
    for (size_t i = 0; i < count; i++) {
        if (nodes[i].op == VGG_OP_CONV2D) {
            const double pair = find_pair(plan, nodes, count, i, shape, &unpooled);
            most = pair > most ? pair : most;
        }
        if (vgg_node_infer_shape(&nodes[i], shape, &shape, "", NULL) != VGG_OK) {
            break; /* which the plan will tell */
        }
    }
    return most;
}

void vgg_plan_find_room(struct vgg_plan *plan, const struct vgg_node *nodes, size_t count, size_t i,
                        struct vgg_shape in, double floor_bytes)
{
    struct vgg_shape unpooled;
    const struct vgg_shape out = find_output(nodes, count, i, in, &unpooled);
    const double room = floor_bytes - find_pair(plan, nodes, count, i, in, &unpooled);
    const double more = activation_bytes(plan, unpooled) - activation_bytes(plan, out);
    const double part = floor_bytes / LEAST_PART;
    const double least = part > LEAST_BYTES ? part : LEAST_BYTES;
    const double bytes = room > least ? room : least;
    plan->room_bytes = bytes < 1e15 ? (size_t)bytes : (size_t)1e15;
    plan->unpooled_bytes = more < 1e15 ? (size_t)more : (size_t)1e15;
}
