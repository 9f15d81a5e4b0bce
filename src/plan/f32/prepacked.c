/* SPDX-License-Identifier: MIT */
/* Prepacked weights in a packed file: which of them a plan can read in place, and the error if there are none. */
#include "plan/f32/prepacked.h"

#include <stdio.h>
#include <string.h>

#include "base/arith.h"
#include "kernels/dispatch.h"

/* Whether kernels can read a convolution's weights in this order: groups and padding must fit. Winograd weights may have
 * more padding than these kernels need. */
static bool fits(const struct vgg_kernels *kernels, const struct vgg_conv2d *conv, bool nchw, int m,
                 const struct vgg_order_info *info)
{
    const int lanes = kernels->lanes, together = lanes * kernels->v_blocks;
    if (info->group != kernels->conv_blocks * lanes || info->m != m || (nchw && m != 0)) {
        return false;
    }
    return info->order == VGG_ORDER_DIRECT
               ? info->channels == (nchw ? conv->ic : lanes)
               : info->channels % lanes == 0 &&
                     info->channels >= vgg_ceil_div(conv->ic, together) * together;
}

const struct vgg_prepacked *vgg_find_prepacked(const struct vgg_kernels *kernels,
                                               const struct vgg_conv2d *conv, bool nchw, int m)
{
    for (size_t i = 0; i < conv->prepacked_count; i++) {
        const struct vgg_prepacked *prepacked = &conv->prepacked[i];
        if (prepacked->data != NULL && fits(kernels, conv, nchw, m, &prepacked->info)) {
            return prepacked;
        }
    }
    return NULL;
}

bool vgg_has_plain_weights(const struct vgg_conv2d *conv)
{
    return conv->weight->layout != VGG_LAYOUT_PREPACKED;
}

/* "direct", "F(4)" */
static const char *name_form(int m, char text[8])
{
    snprintf(text, 8, m == 0 ? "direct" : "F(%d)", m);
    return text;
}

/* Lists the ISAs that can read the weights: "amx as F(4), avx2 as direct and F(4)". */
static void list_readers(const struct vgg_conv2d *conv, bool nchw, char *text, size_t bytes)
{
    static const enum vgg_isa isas[] = {VGG_ISA_AMX, VGG_ISA_AVX512, VGG_ISA_AVX2, VGG_ISA_NEON,
                                        VGG_ISA_SCALAR};
    size_t used = 0;
    char name[8];
    text[0] = '\0';
    for (size_t c = 0; c < sizeof isas / sizeof isas[0]; c++) {
        const struct vgg_kernels *kernels = vgg_kernels_describe(isas[c]);
        bool any = false;
        for (int m = 0; m <= 6; m += 2) {
            for (size_t i = 0; i < conv->prepacked_count; i++) {
                if (fits(kernels, conv, nchw, m, &conv->prepacked[i].info) && used < bytes) {
                    used += (size_t)snprintf(text + used, bytes - used, "%s%s",
                                             any         ? " and "
                                             : used == 0 ? ""
                                                         : ", ",
                                             any ? "" : kernels->isa);
                    used += used < bytes ? (size_t)snprintf(text + used, bytes - used, "%s%s",
                                                            any ? "" : " as ", name_form(m, name))
                                         : 0;
                    any = true;
                    break;
                }
            }
        }
    }
    if (used == 0) {
        snprintf(text, bytes, "no CPU that this version knows");
    }
}

vgg_status vgg_fail_not_prepacked(const struct vgg_plan *plan, const struct vgg_node *node,
                                  bool nchw, struct vgg_error *err)
{
    char readers[200];
    bool in_memory = true;
    list_readers(&node->conv, nchw, readers, sizeof readers);
    for (size_t i = 0; i < node->conv.prepacked_count; i++) {
        in_memory = in_memory && node->conv.prepacked[i].data != NULL;
    }
    if (!in_memory) {
        return vgg_fail_hint(
            err, VGG_ERR_UNSUPPORTED, VGG_HINT_PACK,
            "%s: %s: prepacked for %s only, which can be read only where the file begins at "
            "a multiple of %d bytes of a little-endian memory",
            plan->path, node->name, readers, VGG_PREPACKED_ALIGN_BYTES);
    }
    return vgg_fail_hint(
        err, VGG_ERR_UNSUPPORTED, VGG_HINT_PACK,
        "%s: %s: expected plain weights or weights prepacked for %s%s, got weights "
        "prepacked only for %s",
        plan->path, node->name, plan->options.kernels->isa,
        plan->options.unfused                  ? " node by node"
        : plan->options.conv == VGG_CONV_EXACT ? " with direct and F(2) alone"
        : plan->options.conv != VGG_CONV_AUTO  ? " with the requested algorithm"
                                               : "",
        readers);
}
