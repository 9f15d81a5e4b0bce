/* SPDX-License-Identifier: MIT */
/* Random chains of all kinds of layers; see general_net.h. */
#include "general_net.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "random_tensor.h"

enum { MAX_CHANNELS = 40, MAX_SIDE = 24, MAX_FEATURES = 1000 };

int general_net_draw(struct general_net *net, int low, int high)
{
    return low + (int)(random_bits(&net->random) % (uint32_t)(high - low + 1));
}

struct general_net *general_net_begin(uint32_t seed, struct vgg_shape input)
{
    struct general_net *net = calloc(1, sizeof *net);
    ck_assert_ptr_nonnull(net);
    net->random = seed * 2654435761u + 1;
    net->input = net->shape = input;
    return net;
}

void general_net_destroy(struct general_net *net)
{
    for (size_t i = 0; i < net->tensor_count; i++) {
        free((void *)net->tensors[i].data);
    }
    free(net);
}

const struct vgg_tensor *general_net_add_tensor(struct general_net *net, const int shape[4],
                                                float low, float high)
{
    ck_assert_uint_lt(net->tensor_count, GENERAL_TENSORS);
    struct vgg_tensor *tensor = &net->tensors[net->tensor_count++];
    random_tensor(tensor, shape, &(struct random_numbers){&net->random, low, high}, 0);
    return tensor;
}

struct vgg_node *general_net_add(struct general_net *net, struct vgg_node node)
{
    static const char *const names[GENERAL_NODES] = {
        "n0",  "n1",  "n2",  "n3",  "n4",  "n5",  "n6",  "n7",  "n8",  "n9",  "n10",
        "n11", "n12", "n13", "n14", "n15", "n16", "n17", "n18", "n19", "n20", "n21",
        "n22", "n23", "n24", "n25", "n26", "n27", "n28", "n29", "n30", "n31"};
    struct vgg_error err = {0};
    ck_assert_uint_lt(net->count, GENERAL_NODES);
    struct vgg_node *to = &net->nodes[net->count];
    *to = node;
    to->name = names[net->count++];
    const vgg_status status = vgg_node_infer_shape(to, net->shape, &net->shape, "net", &err);
    ck_assert_msg(status == VGG_OK, "%s", err.message);
    net->flat = net->flat || node.op == VGG_OP_FLATTEN;
    return to;
}

void general_net_add_conv(struct general_net *net, int oc, int kernel, int stride, int padding)
{
    const int ic = net->shape.c;
    const float scale = 1.7f / sqrtf((float)(ic * kernel * kernel));
    struct vgg_node node = {.op = VGG_OP_CONV2D};
    node.conv = (struct vgg_conv2d){ic, oc, kernel, stride, padding, false, NULL, NULL, NULL, 0};
    node.conv.weight = general_net_add_tensor(net, (int[4]){oc, ic, kernel, kernel}, -scale, scale);
    node.conv.bias =
        general_net_draw(net, 0, 1) ? general_net_add_tensor(net, (int[4]){oc}, -0.5f, 0.5f) : NULL;
    general_net_add(net, node);
}

void general_net_add_general_conv(struct general_net *net, int oc, int groups,
                                  const struct vgg_window *window)
{
    const int ic = net->shape.c, h = window->kernel.h, w = window->kernel.w;
    const float scale = 1.7f / sqrtf((float)(ic / groups * h * w));
    struct vgg_node node = {.op = VGG_OP_GENERAL_CONV};
    node.general_conv =
        (struct vgg_general_conv){.ic = ic, .oc = oc, .groups = groups, .window = *window};
    node.general_conv.weight =
        general_net_add_tensor(net, (int[4]){oc, ic / groups, h, w}, -scale, scale);
    node.general_conv.bias =
        general_net_draw(net, 0, 1) ? general_net_add_tensor(net, (int[4]){oc}, -0.5f, 0.5f) : NULL;
    general_net_add(net, node);
}

void general_net_add_norm(struct general_net *net)
{
    const int shape[4] = {net->shape.c};
    struct vgg_node node = {.op = VGG_OP_BATCH_NORM};
    node.norm = (struct vgg_batch_norm){.channels = net->shape.c, .flat = net->flat, .eps = 1e-5};
    if (general_net_draw(net, 0, 2) > 0) {
        node.norm.weight = general_net_add_tensor(net, shape, -1.5f, 1.5f);
        node.norm.bias = general_net_add_tensor(net, shape, -1, 1);
    }
    node.norm.running_mean = general_net_add_tensor(net, shape, -1, 1);
    node.norm.running_var = general_net_add_tensor(net, shape, 0.3f, 2);
    general_net_add(net, node);
}

void general_net_add_linear(struct general_net *net, int out)
{
    const int in = net->shape.c;
    const float scale = 1.7f / sqrtf((float)in);
    struct vgg_node node = {.op = VGG_OP_LINEAR};
    node.linear = (struct vgg_linear){.in_features = in, .out_features = out};
    node.linear.weight = general_net_add_tensor(net, (int[4]){out, in}, -scale, scale);
    node.linear.bias = general_net_draw(net, 0, 1)
                           ? general_net_add_tensor(net, (int[4]){out}, -0.5f, 0.5f)
                           : NULL;
    general_net_add(net, node);
}

void general_net_add_function(struct general_net *net, enum vgg_activation_kind kind)
{
    struct vgg_node node = {.op = VGG_OP_ACTIVATION};
    node.activation =
        (struct vgg_activation_op){.kind = kind, .slope = kind == VGG_ACTIVATION_ELU ? 1.3 : 0.07};
    if (kind == VGG_ACTIVATION_PRELU) {
        const int slopes = general_net_draw(net, 0, 1) ? net->shape.c : 1;
        node.activation.slopes = general_net_add_tensor(net, (int[4]){slopes}, -0.5f, 1);
    }
    general_net_add(net, node);
}

/* A window that fits the net's shape. */
static struct vgg_window draw_window(struct general_net *net, bool pool)
{
    struct vgg_window w = vgg_window_square(1, 1, 0);
    const int max = pool ? 3 : 5;
    const struct vgg_shape in = net->shape;
    w.ceil_mode = pool && general_net_draw(net, 0, 1);
    w.stride = (struct vgg_pixels){general_net_draw(net, 1, 3), general_net_draw(net, 1, 3)};
    /* In ceil_mode a window may reach beyond the image by less than a step. */
    const int h = in.h + (w.ceil_mode ? w.stride.h - 1 : 0);
    const int width = in.w + (w.ceil_mode ? w.stride.w - 1 : 0);
    w.kernel = (struct vgg_pixels){general_net_draw(net, 1, h < max ? h : max),
                                   general_net_draw(net, 1, width < max ? width : max)};
    const int most_h = w.kernel.h / 2, most_w = w.kernel.w / 2;
    if (pool) {
        w.padding.top = w.padding.bottom = general_net_draw(net, 0, most_h);
        w.padding.left = w.padding.right = general_net_draw(net, 0, most_w);

    } else {
        w.padding = (struct vgg_margins){general_net_draw(net, 0, 3), general_net_draw(net, 0, 3),
                                         general_net_draw(net, 0, 3), general_net_draw(net, 0, 3)};
    }
    for (int dilation = 2; dilation <= 3; dilation++) {
        if ((w.kernel.h - 1) * dilation < in.h && general_net_draw(net, 0, 2) == 0) {
            w.dilation.h = dilation;
        }
        if ((w.kernel.w - 1) * dilation < in.w && general_net_draw(net, 0, 2) == 0) {
            w.dilation.w = dilation;
        }
    }
    return w;
}

static void add_random_conv(struct general_net *net)
{
    const int ic = net->shape.c;
    const struct vgg_window window = draw_window(net, false);
    int groups = general_net_draw(net, 0, 2) > 0 ? general_net_draw(net, 1, ic) : 1;
    if (general_net_draw(net, 0, 3) == 0) {
        groups = ic;
    }
    while (ic % groups != 0) {
        groups--;
    }
    const int most = MAX_CHANNELS / groups;
    general_net_add_general_conv(net, groups * general_net_draw(net, 1, most > 1 ? most : 1),
                                 groups, &window);
}

static void add_random_pool(struct general_net *net)
{
    struct vgg_node node = {.op = VGG_OP_GENERAL_POOL};
    node.general_pool.window = draw_window(net, true);
    node.general_pool.average = general_net_draw(net, 0, 1);
    node.general_pool.count_include_pad = general_net_draw(net, 0, 1);
    if (node.general_pool.average) {
        node.general_pool.window.dilation = (struct vgg_pixels){1, 1};
    }
    general_net_add(net, node);
}

static void add_random_adaptive(struct general_net *net)
{
    static const enum vgg_op ops[] = {VGG_OP_ADAPTIVE_AVG_POOL, VGG_OP_ADAPTIVE_MAX_POOL,
                                      VGG_OP_CONCAT_POOL};
    struct vgg_node node = {.op = ops[general_net_draw(net, 0, 2)]};
    if (node.op == VGG_OP_CONCAT_POOL && 2 * net->shape.c > MAX_CHANNELS) {
        node.op = VGG_OP_ADAPTIVE_MAX_POOL;
    }
    node.adaptive_pool = (struct vgg_adaptive_pool){.oh = general_net_draw(net, 0, 6),
                                                    .ow = general_net_draw(net, 0, 6)};
    general_net_add(net, node);
}

static void add_random_zero_pad(struct general_net *net)
{
    const struct vgg_shape in = net->shape;
    const int low_h = in.h > 4 ? -2 : 0, low_w = in.w > 4 ? -2 : 0;
    if (in.h > MAX_SIDE || in.w > MAX_SIDE) {
        return;
    }
    struct vgg_node node = {.op = VGG_OP_ZERO_PAD};
    node.zero_pad =
        (struct vgg_margins){general_net_draw(net, low_h, 3), general_net_draw(net, low_w, 3),
                             general_net_draw(net, low_h, 3), general_net_draw(net, low_w, 3)};
    general_net_add(net, node);
}

static void add_random_plain_conv(struct general_net *net)
{
    const int side = net->shape.h < net->shape.w ? net->shape.h : net->shape.w;
    const int kernel = general_net_draw(net, 1, side < 5 ? side : 5);
    const bool winograd = side >= 3 && general_net_draw(net, 0, 1);
    general_net_add_conv(net, general_net_draw(net, 1, MAX_CHANNELS), winograd ? 3 : kernel,
                         winograd ? 1 : general_net_draw(net, 1, 3),
                         winograd ? 1 : general_net_draw(net, 0, 3));
}

static void add_random_max_pool(struct general_net *net)
{
    const int side = net->shape.h < net->shape.w ? net->shape.h : net->shape.w;
    struct vgg_node node = {.op = VGG_OP_MAX_POOL};
    node.max_pool = (struct vgg_max_pool){general_net_draw(net, 1, side < 3 ? side : 3),
                                          general_net_draw(net, 1, 2)};
    general_net_add(net, node);
}

/* A layer that images and features can have. */
static void add_random_anywhere(struct general_net *net)
{
    switch (general_net_draw(net, 0, 7)) {
    case 0:
        general_net_add(net, (struct vgg_node){.op = VGG_OP_DROPOUT});
        break;
    case 1:
        general_net_add(net, (struct vgg_node){.op = VGG_OP_RELU});
        break;
    case 2:
    case 3:
        general_net_add_norm(net);
        break;
    case 4:
        general_net_add(net, (struct vgg_node){.op = VGG_OP_SOFTMAX,
                                               .softmax.log = general_net_draw(net, 0, 1)});
        break;
    default:
        general_net_add_function(
            net, (enum vgg_activation_kind)general_net_draw(net, 0, VGG_ACTIVATION_RELU6));
        break;
    }
}

static void add_random_on_image(struct general_net *net)
{
    switch (general_net_draw(net, 0, 9)) {
    case 0:
    case 1:
    case 2:
        add_random_conv(net);
        break;
    case 3:
        add_random_plain_conv(net);
        break;
    case 4:
        add_random_pool(net);
        break;
    case 5:
        add_random_adaptive(net);
        break;
    case 6:
        add_random_zero_pad(net);
        break;
    case 7:
        add_random_max_pool(net);
        break;
    default:
        add_random_anywhere(net);
        break;
    }
}

struct general_net *general_net_create(uint32_t seed)
{
    struct general_net *net = general_net_begin(seed, (struct vgg_shape){1, 1, 1});
    net->input = net->shape =
        (struct vgg_shape){general_net_draw(net, 1, 6), general_net_draw(net, 1, MAX_SIDE),
                           general_net_draw(net, 1, MAX_SIDE)};
    for (int left = general_net_draw(net, 0, 10); left > 0; left--) {
        add_random_on_image(net);
    }
    if (general_count(net->shape) > MAX_FEATURES) {
        general_net_add(net, (struct vgg_node){.op = VGG_OP_ADAPTIVE_AVG_POOL,
                                               .adaptive_pool = {.oh = 3, .ow = 2}});
    }
    general_net_add(net, (struct vgg_node){.op = VGG_OP_FLATTEN});
    for (int left = general_net_draw(net, 0, 5); left > 0; left--) {
        const int kind = general_net_draw(net, 0, 4);
        if (kind < 2) {
            general_net_add_linear(net, general_net_draw(net, 1, 70));
        } else if (kind == 2) {
            general_net_add(net, (struct vgg_node){.op = VGG_OP_FLATTEN});
        } else {
            add_random_anywhere(net);
        }
    }
    return net;
}

float *general_net_make_input(const struct general_net *net, size_t count)
{
    return random_input(count * general_count(net->input));
}
