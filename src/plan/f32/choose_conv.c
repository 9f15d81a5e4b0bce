/* SPDX-License-Identifier: MIT */
/* The choice of a convolution's algorithm: the cheapest of the candidates that fit, by conv_cost.c. */
#include "plan/f32/choose_conv.h"

#include <math.h>

#include "base/arith.h"
#include "plan/f32/conv_cost.h"
#include "plan/f32/prepacked.h"
#include "plan/f32/winograd_layout.h"

/* F(4) and F(6) need this many input channels. Their transforms round the same however few products are summed,
 * a direct sum of few products hardly rounds at all. Root mean square error relative to direct convolution
 * (normal inputs after ReLU, Kaiming filters, chains of fused multiply-adds):
 *     input channels     1     2     4     8    16    32    64   256
 *     F(2)             2.2   1.8   1.4   1.1   0.9   0.8   0.7   0.7
 *     F(4)             6.8   6.0   4.0   3.1   2.6   2.1   2.0   2.1
 *     F(6)              33    24    16    13    12   9.3   8.7   9.0
 * From here on the ratio falls little more. F(2) takes 1.4 times as long as F(4) on 10 channels of 64 x 64. No layer
 * of a published VGG but the first has fewer channels. */
enum { COARSE_TRANSFORM_CHANNELS = 16 };

/* F(6) rounds four times as coarsely as F(4): it must take less than this part of the best other's time. */
static const double F6_MAX_TIME = 0.9;

/* Tiles of a round by frequency. A batch of eight took 417 ms with all tiles in one round, 359 with 400, 338 with
 * 200, 351 with 100: more drive V and M from the shared cache, fewer read the weights more often. */
enum { ROUND_TILES = 224 };

/* Tiles of a block are multiples of this where the kernels have no group of their own. */
enum { BLOCK_UNIT = 14 };

/* Whether the caller lets F(m) be used. */
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

/* A choice in the making. */
struct choosing {
    struct vgg_plan *plan;
    const struct vgg_conv_request *request;
    size_t budget_bytes; /* beside input and output; SIZE_MAX: without bounds */
    /* F(m) decides the bits of the result, so it is chosen as for one thread; only the form, which does
     * not, follows the number of threads. */
    struct vgg_conv_load load, alone;
    bool plain;  /* the file has weights that any order can be made of */
    bool forced; /* the caller wants one algorithm, whatever it takes */
    /* Whether there is anything to choose, and whether any of it fits. */
    bool possible, found;
    double best_ms; /* of *choice, for one thread */
    struct vgg_conv_choice *choice;
    struct vgg_text reason; /* what each candidate takes */
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

/* The form and block in which F(m) takes the least time with the plan's threads; false where none fits.
 *   ms  receives the least time of one thread, in whichever form */
static bool find_form(const struct choosing *c, int m, const struct vgg_prepacked *prepacked,
                      struct vgg_conv_choice *best, double *ms)
{
    static const int blocks[] = {1, 2, 3, 4, 6}; /* of tiles, in units */
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

/* Whether Winograd computes such a convolution at all. */
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

/* Chooses among what fits; false where nothing does.
 *   possible  receives whether there is anything at all */
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
        c.found = false; /* a larger budget is better than another algorithm */
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
