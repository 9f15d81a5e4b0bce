/* SPDX-License-Identifier: MIT */
/* Compares what a packed file holds twice: prepacked weights with the plain ones, and sums with the weights of an int8
 * net. CPUs read one or the other, so that a file in which they differ is two nets. */
#include <inttypes.h>
#include <string.h>

#include "base/arith.h"
#include "base/file.h"
#include "kernels/dispatch.h"
#include "model/view.h"
#include "plan/f32/prepacked.h"

/* One order of a convolution's weights, and memory for a group of output channels. */
struct comparison {
    const struct vgg_load *load;
    const struct vgg_conv2d *conv;
    const struct vgg_prepacked *prepacked;
    size_t area; /* of a filter */
    float *rows; /* [group][channels][area], the plain weights */
    float *made; /* the same, prepacked */
};

/* Channels of a filter, padded. */
static size_t count_channels(const struct comparison *c)
{
    const size_t channels = (size_t)c->prepacked->info.channels;
    return c->prepacked->info.order == VGG_ORDER_WINOGRAD
               ? channels
               : ((size_t)c->conv->ic + channels - 1) / channels * channels;
}

/* Floats of a group that lie side by side in the file: one of Winograd's frequencies, or all. */
static size_t count_panel(const struct comparison *c)
{
    const size_t group = (size_t)c->prepacked->info.group;
    return count_channels(c) * group *
           (c->prepacked->info.order == VGG_ORDER_WINOGRAD ? 1 : c->area);
}

/* Panels of a group. */
static size_t count_frequencies(const struct comparison *c)
{
    const size_t side = (size_t)c->prepacked->info.m + 2;
    return c->prepacked->info.order == VGG_ORDER_WINOGRAD ? side * side : 1;
}

/* Reads the plain weights of a group; zeros beyond the real channels. */
static void read_rows(const struct comparison *c, size_t group)
{
    const size_t width = (size_t)c->prepacked->info.group, stride = count_channels(c) * c->area;
    const size_t count = (size_t)c->conv->ic * c->area;
    memset(c->rows, 0, width * stride * sizeof *c->rows);
    for (size_t lane = 0; lane < width; lane++) {
        const size_t oc = group * width + lane;
        if (oc < (size_t)c->conv->oc) {
            vgg_tensor_read_range(c->conv->weight, (int64_t)(oc * count), (int64_t)count,
                                  c->rows + lane * stride);
        }
    }
}

/* [ic / B][kh][kw][B][G] */
static void make_direct(const struct comparison *c)
{
    const size_t width = (size_t)c->prepacked->info.group;
    const size_t block = (size_t)c->prepacked->info.channels, channels = count_channels(c);
    for (size_t ic = 0; ic < channels; ic++) {
        float *to = c->made + (ic / block * c->area * block + ic % block) * width;
        for (size_t k = 0; k < c->area; k++, to += block * width) {
            for (size_t lane = 0; lane < width; lane++) {
                to[lane] = c->rows[(lane * channels + ic) * c->area + k];
            }
        }
    }
}

/* [f][channels][G] */
static void make_winograd(const struct comparison *c)
{
    const size_t width = (size_t)c->prepacked->info.group, stride = count_channels(c) * c->area;
    const struct vgg_kernels *packer = vgg_kernels_find_packer((int)width);
    for (size_t lane = 0; lane < width; lane += (size_t)packer->lanes) {
        packer->winograd_filter(&(struct vgg_winograd_filter_args){
            .m = c->prepacked->info.m,
            .g = c->rows + lane * stride,
            .g_stride = (ptrdiff_t)stride,
            .count = (int)count_channels(c),
            .u = c->made + lane,
            .u_f_stride = (ptrdiff_t)count_panel(c),
            .u_c_stride = (ptrdiff_t)width,
        });
    }
}

/* All tables of kernels give the same bits. */
static vgg_status compare_group(const struct comparison *c, size_t group, size_t groups)
{
    const size_t panel = count_panel(c);
    const float *data = c->prepacked->data;
    read_rows(c, group);
    if (c->prepacked->info.order == VGG_ORDER_WINOGRAD) {
        make_winograd(c);
    } else {
        make_direct(c);
    }
    for (size_t f = 0; f < count_frequencies(c); f++) {
        const float *found = data + (f * groups + group) * panel, *made = c->made + f * panel;
        for (size_t i = 0; i < panel; i++) {
            if (memcmp(&found[i], &made[i], sizeof *made) != 0 && !(found[i] == made[i])) {
                return vgg_fail(c->load->err, VGG_ERR_MISMATCH,
                                "%s: %s: the weights prepacked as %s for groups of %d are not the "
                                "plain ones: expected %.9g, found %.9g at element %zu",
                                c->load->path, c->prepacked->name,
                                vgg_order_string(c->prepacked->info.order),
                                c->prepacked->info.group, (double)made[i], (double)found[i],
                                (f * groups + group) * panel + i);
            }
        }
    }
    return VGG_OK;
}

static vgg_status compare_order(struct comparison *c)
{
    const struct vgg_allocator *allocator = vgg_load_allocator(c->load);
    const size_t width = (size_t)c->prepacked->info.group;
    const size_t groups = ((size_t)c->conv->oc + width - 1) / width;
    const size_t rows = width * count_channels(c) * c->area;
    const size_t made = count_panel(c) * count_frequencies(c);
    vgg_status status = VGG_OK;
    /* No product overflows: the file has as many elements. */
    float *memory = vgg_mem_alloc(allocator, rows + made, sizeof *memory);
    if (memory == NULL) {
        return vgg_load_fail_memory(c->load, (rows + made) * sizeof *memory, c->prepacked->name);
    }
    c->rows = memory;
    c->made = memory + rows;
    for (size_t group = 0; group < groups && status == VGG_OK; group++) {
        status = compare_group(c, group, groups);
    }
    vgg_mem_free(allocator, memory);
    return status;
}

/* Whether there is something to compare with, and the weights are in an order that some kernels could read. */
static bool is_comparable(const struct vgg_conv2d *conv, const struct vgg_prepacked *prepacked)
{
    return vgg_has_plain_weights(conv) && prepacked->data != NULL &&
           prepacked->info.group % vgg_kernels_find_packer(prepacked->info.group)->lanes == 0;
}

static vgg_status verify_conv(const struct vgg_load *load, const struct vgg_conv2d *conv,
                              struct vgg_model_verified *out)
{
    vgg_status status = VGG_OK;
    for (size_t i = 0; i < conv->prepacked_count && status == VGG_OK; i++) {
        struct comparison comparison = {.load = load,
                                        .conv = conv,
                                        .prepacked = &conv->prepacked[i],
                                        .area = (size_t)conv->kernel * (size_t)conv->kernel};
        if (is_comparable(conv, comparison.prepacked)) {
            status = compare_order(&comparison);
            out->compared++;
        } else {
            out->unverified++;
        }
    }
    return status;
}

/* Compares the sums of each output channel's integers. */
static vgg_status verify_sums(const struct vgg_load *load, const struct vgg_node *node,
                              struct vgg_model_verified *out)
{
    const struct vgg_tensor *weight = vgg_node_get_weight(node), *sums = node->int8.weight_sum;
    const int64_t rows = weight->shape[0], count = vgg_tensor_get_count(weight) / rows;
    float *row = vgg_mem_alloc(vgg_load_allocator(load), (size_t)count, sizeof *row);
    vgg_status status = VGG_OK;
    if (row == NULL) {
        return vgg_load_fail_memory(load, (size_t)count * sizeof *row, weight->name);
    }
    for (int64_t oc = 0; oc < rows && status == VGG_OK; oc++) {
        /* Exact in float32: sums of an int8 net have less than 24 bits. */
        float found;
        int64_t sum = 0;
        vgg_tensor_read_range(weight, oc * count, count, row);
        vgg_tensor_read_range(sums, oc, 1, &found);
        for (int64_t i = 0; i < count; i++) {
            sum += (int64_t)row[i];
        }
        if ((double)sum != (double)found) {
            status = vgg_fail(load->err, VGG_ERR_MISMATCH,
                              "%s: %s: expected %" PRId64
                              ", the sum of the weights, found %.0f at element %" PRId64,
                              load->path, sums->name, sum, (double)found, oc);
        }
    }
    vgg_mem_free(vgg_load_allocator(load), row);
    out->compared++;
    return status;
}

vgg_status vgg_model_verify(const vgg_model *model, struct vgg_model_verified *out,
                            struct vgg_error *err)
{
    const struct vgg_model_view *view = vgg_model_get_view(model);
    struct vgg_arena arena = {.context = view->context};
    const struct vgg_load load = {.path = view->path, .arena = &arena, .err = err};
    struct vgg_model_verified done = {0};
    vgg_status status = VGG_OK;
    for (size_t i = 0; i < view->node_count && status == VGG_OK; i++) {
        const struct vgg_node *node = &view->nodes[i];
        if (node->op == VGG_OP_CONV2D) {
            status = verify_conv(&load, &node->conv, &done);
        }
        if (status == VGG_OK && node->int8.weight_sum != NULL) {
            status = verify_sums(&load, node, &done);
        }
    }
    if (status == VGG_OK && out != NULL) {
        *out = done;
    }
    return status;
}
