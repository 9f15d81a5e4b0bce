/* SPDX-License-Identifier: MIT */
/* The choice of a convolution's algorithm: of the candidates that fit into memory, the one that is cheapest by the model in
 * conv_cost.c. */
#include "plan/f32/choose_conv.h"

#include <math.h>

#include "base/arith.h"
#include "plan/f32/conv_cost.h"
#include "plan/f32/prepacked.h"
#include "plan/f32/winograd_layout.h"

/* The minimum number of input channels for F(4) and F(6). The rounding error of their transforms does not depend on the
 * number of products that are summed, while a direct sum of few products hardly rounds at all. Root mean square error
 * relative to direct convolution (normal inputs after ReLU, Kaiming filters, chains of fused multiply-adds):
 *     input channels     1     2     4     8    16    32    64   256
 *     F(2)             2.2   1.8   1.4   1.1   0.9   0.8   0.7   0.7
 *     F(4)             6.8   6.0   4.0   3.1   2.6   2.1   2.0   2.1
 *     F(6)              33    24    16    13    12   9.3   8.7   9.0
 * From 16 channels on the ratio hardly falls. On 10 channels of 64 x 64 pixels F(2) takes 1.4 times as long as F(4), but of
 * the layers of published VGGs only the first has fewer than 16 channels. */
enum { COARSE_TRANSFORM_CHANNELS = 16 };

/* The error of F(6) is four times that of F(4), so it must take less than this share of the time of all others. */
static const double F6_MAX_TIME = 0.9;

/* Tiles of a round by frequency. A batch of eight took 417 ms with all tiles in one round, 359 with 400 tiles, 338 with
 * 200 and 351 with 100: with more tiles V and M do not fit into the shared cache, with fewer the weights are read more
 * often. */
enum { ROUND_TILES = 224 };

/* Tiles of a block are a multiple of this, unless the kernels have a tile group of their own. */
enum { BLOCK_UNIT = 14 };

/* Whether the caller's choice allows F(m). */
static bool allowed(enum vgg_conv_algorithm conv, int m)
{
    switch (conv) {
    case VGG_CONV_AUTO:
        return true;
    case VGG_CONV_EXACT:
    case VGG_CONV_F2:
        return m == 2;
    case VGG_CONV_F4:
        return m == 4;
    case VGG_CONV_F6:
        return m == 6;
    case VGG_CONV_DIRECT:
        return false;
    }
    return false;
}

/* The state of a choice. */
struct choosing {
    struct vgg_plan *plan;
    const struct vgg_conv_request *request;
    /* Limit of the workspace; SIZE_MAX: none. */
    size_t budget_bytes;
    /* m decides the bits of the result, so it is chosen for one thread (`alone`) on any machine. Only the form, which
     * does not change the bits, depends on the number of threads. */
    struct vgg_conv_load load, alone;
    /* The file has the weights in PyTorch's order, from which any order can be prepacked. */
    bool plain;
    /* The caller requests one algorithm, whatever its cost. */
    bool forced;
    /* Whether any candidate exists, and whether one of them fits. */
    bool possible, found;
    /* Of *choice, with one thread. */
    double best_ms;
    struct vgg_conv_choice *choice;
    /* The predicted times of all candidates. */
    struct vgg_text reason;
};

static struct vgg_conv_load describe_load(const struct vgg_plan *plan,
                                          const struct vgg_conv_request *request)
{
    const struct vgg_conv2d *conv = request->conv;
    const struct vgg_kernels *kernels = plan->options.kernels;
    const int lanes = kernels->lanes, group = kernels->conv_blocks * lanes;
    const int batch = plan->options.batch;
    return (struct vgg_conv_load){
        .ic = request->nchw ? conv->ic : vgg_ceil_div(conv->ic, lanes) * lanes,
        .oc = vgg_ceil_div(conv->oc, group) * group,
        .pixels =
            (double)request->in.h * request->in.w * batch / ((double)conv->stride * conv->stride),
        .kernel = conv->kernel,
        .group = group,
        .v_bytes = sizeof(float) * (double)kernels->v_lanes / lanes,
        .threads = plan->options.threads,
        .batch = batch,
    };
}

static void consider_direct(struct choosing *c)
{
    const struct vgg_kernels *kernels = c->plan->options.kernels;
    const struct vgg_conv_request *request = c->request;
    const double kernel = c->load.kernel;
    *c->choice = (struct vgg_conv_choice){.algorithm = VGG_DIRECT};
    c->choice->prepacked = vgg_find_prepacked(kernels, request->conv, request->nchw, 0);
    const bool prepacked = c->choice->prepacked != NULL;
    if (!c->plain && !prepacked) {
        return;
    }
    c->possible = true;
    c->choice->predicted_ms = vgg_conv_cost_direct(kernels, &c->load);
    double ms = vgg_conv_cost_direct(kernels, &c->alone);
    if (c->plan->options.one_shot && !prepacked) {
        ms += vgg_conv_cost_prepack(kernels, &c->alone, 0);
    }
    vgg_text_add(&c->reason, "direct %.3g%s", ms, prepacked ? "*" : "");
    const double weight_bytes =
        prepacked ? 0 : c->load.ic * c->load.oc * kernel * kernel * sizeof(float);
    if (weight_bytes + (double)request->budget.unpooled_bytes <= (double)c->budget_bytes) {
        c->found = true;
        c->best_ms = ms;
    } else {
        vgg_text_add(&c->reason, " but too large");
    }
}

/* Finds the form and the block size with which F(m) is fastest with the plan's threads; false if none fits.
 *   ms  receives the minimum time of one thread, in either form */
static bool find_form(const struct choosing *c, int m, const struct vgg_prepacked *prepacked,
                      struct vgg_conv_choice *best, double *ms)
{
    /* Block sizes, in units. */
    static const int blocks[] = {1, 2, 3, 4, 6};
    enum { BLOCKS = sizeof blocks / sizeof blocks[0] };
    const struct vgg_plan_options *options = &c->plan->options;
    const struct vgg_kernels *kernels = options->kernels;
    const int unit = kernels->tile_group > 1 ? kernels->tile_group : BLOCK_UNIT;
    bool any = false;
    *ms = HUGE_VAL;
    for (size_t i = 0; i <= BLOCKS; i++) {
        const bool by_frequency = i == BLOCKS;
        const struct vgg_winograd_form form = {
            .algorithm = by_frequency ? VGG_WINOGRAD_FREQUENCY : VGG_WINOGRAD_TILES,
            .m = m,
            .block = by_frequency ? ROUND_TILES : blocks[i] * unit,
            .budget_bytes = c->budget_bytes,
            .prepacked = prepacked,
        };
        struct vgg_conv_choice laid_out;
        if ((options->form != VGG_DIRECT && options->form != form.algorithm) ||
            !vgg_winograd_lay_out(c->plan, c->request, &form, &laid_out)) {
            continue;
        }
        const double alone_ms = vgg_conv_cost_winograd(kernels, &c->alone, &laid_out);
        *ms = alone_ms < *ms ? alone_ms : *ms;
        laid_out.predicted_ms = vgg_conv_cost_winograd(kernels, &c->load, &laid_out);
        if (!any || laid_out.predicted_ms < best->predicted_ms) {
            *best = laid_out;
            any = true;
        }
    }
    return any;
}

static void consider_winograd(struct choosing *c, int m)
{
    const struct vgg_plan_options *options = &c->plan->options;
    const struct vgg_conv2d *conv = c->request->conv;
    const struct vgg_prepacked *prepacked =
        vgg_find_prepacked(options->kernels, conv, c->request->nchw, m);
    struct vgg_conv_choice form;
    double ms;
    const bool coarse = m > 2 && conv->ic < COARSE_TRANSFORM_CHANNELS && !c->forced;
    if (coarse || !allowed(options->conv, m) || (!c->plain && prepacked == NULL) ||
        !find_form(c, m, prepacked, &form, &ms)) {
        return;
    }
    if (options->one_shot && prepacked == NULL) {
        ms += vgg_conv_cost_prepack(options->kernels, &c->alone, m + 2);
    }
    vgg_text_add(&c->reason, "%sF(%d) %.3g%s", c->reason.length > 0 ? ", " : "", m, ms,
                 prepacked != NULL ? "*" : "");
    c->possible = true;
    if (c->forced || ms < c->best_ms * (m == 6 ? F6_MAX_TIME : 1)) {
        c->best_ms = ms;
        c->found = true;
        *c->choice = form;
    }
}

/* Whether Winograd can compute the convolution. */
static bool suits_winograd(const struct choosing *c)
{
    const struct vgg_conv2d *conv = c->request->conv;
    return !c->plan->options.unfused && !c->request->nchw && conv->kernel == 3 &&
           conv->padding == 1 && conv->stride == 1;
}

static void add_reason(struct choosing *c)
{
    vgg_text_add(&c->reason, " ms%s predicted for one thread%s",
                 c->plan->options.one_shot ? " with prepacking" : "",
                 c->request->conv->prepacked_count > 0 ? "; *prepacked in the file" : "");
    if (c->plan->options.low_memory) {
        vgg_text_add(&c->reason, ", in %.3g MB", (double)c->budget_bytes / (1 << 20));
    }
    c->choice->reason = vgg_arena_copy_string(&c->plan->arena, c->reason.buffer, c->reason.length);
}

/* Chooses among the candidates that fit; false if none does.
 *   possible  receives whether there is any candidate */
static bool choose_within(struct vgg_plan *plan, const struct vgg_conv_request *request,
                          size_t budget_bytes, struct vgg_conv_choice *choice, bool *possible)
{
    const enum vgg_conv_algorithm wanted = plan->options.conv;
    struct choosing c = {
        .plan = plan,
        .request = request,
        .budget_bytes = budget_bytes,
        .load = describe_load(plan, request),
        .plain = vgg_has_plain_weights(request->conv),
        .forced = wanted != VGG_CONV_AUTO && wanted != VGG_CONV_EXACT,
        .best_ms = HUGE_VAL,
        .choice = choice,
    };
    c.alone = c.load;
    c.alone.threads = 1;
    consider_direct(&c);
    const bool suits = suits_winograd(&c);
    for (int m = 2; suits && m <= 6; m += 2) {
        consider_winograd(&c, m);
    }
    *possible = c.possible;
    const bool missed = c.forced && suits && wanted != VGG_CONV_DIRECT && choice->winograd.m == 0;
    if (plan->options.low_memory && missed) {
        /* A larger budget is better than another algorithm. */
        c.found = false;
    }
    if (!c.found && budget_bytes < SIZE_MAX) {
        return false;
    }
    add_reason(&c);
    return true;
}

bool vgg_choose_conv(struct vgg_plan *plan, const struct vgg_conv_request *request,
                     struct vgg_conv_choice *choice)
{
    size_t bytes = request->budget.bytes;
    bool possible;
    while (!choose_within(plan, request, bytes, choice, &possible)) {
        bytes = bytes < SIZE_MAX / 2 ? 2 * bytes : SIZE_MAX;
    }
    return possible;
}
