/* SPDX-License-Identifier: MIT */
/* The layout of a Winograd convolution: tiles, scratch and groups of output channels. */
#include "plan/f32/winograd_layout.h"

#include "base/arith.h"

/* Weights that a one-shot plan prepacks at a time, if they can be divided. Touching more new memory would take longer than
 * the prepacking itself, and this much is still in the shared cache when the products read it. */
enum { ONE_SHOT_BYTES = 5 << 20 };

/* Scratch may take this fraction of the activation limit. */
enum { SCRATCH_SHARE = 4 };

/* Rounds up to an odd number of cache lines. */
static size_t odd_lines(size_t elements)
{
    const size_t line = VGG_ALIGN_BYTES / sizeof(float);
    return ((elements + line - 1) / line | 1) * line;
}

static size_t count_frequencies(int m)
{
    return (size_t)((m + 2) * (m + 2));
}

/* Sets the tiles, and how many of them are transformed together: in a block of one image, or in a round of the whole
 * batch; all have about the same size. Returns the number of blocks or rounds, 0 if there are too many tiles. */
static int64_t cut_tiles(const struct vgg_winograd_form *form, struct vgg_shape in, int batch,
                         struct vgg_winograd *w)
{
    const bool by_tiles = form->algorithm == VGG_WINOGRAD_TILES;
    w->m = form->m;
    w->tiles_h = vgg_ceil_div(in.h, form->m);
    w->tiles_w = vgg_ceil_div(in.w, form->m);
    const int64_t tiles = (int64_t)w->tiles_h * w->tiles_w;
    if (tiles > INT32_MAX / batch) {
        return 0;
    }
    const int64_t all = by_tiles ? tiles : tiles * batch;
    const int64_t rounds = (all + form->block - 1) / form->block;
    w->block = (int)(by_tiles && form->block < tiles ? form->block : (all + rounds - 1) / rounds);
    return rounds;
}

static size_t group_bytes(const struct vgg_kernels *kernels, const struct vgg_conv2d *conv, int m)
{
    const size_t in_blocks = (size_t)vgg_ceil_div(conv->ic, kernels->lanes);
    const int elements = kernels->lanes * kernels->conv_blocks * kernels->lanes;
    return vgg_size_mul_capped(in_blocks, count_frequencies(m) * (size_t)elements * sizeof(float));
}

static int count_all_groups(const struct vgg_plan *plan, const struct vgg_conv2d *conv)
{
    const struct vgg_kernels *kernels = plan->options.kernels;
    return vgg_ceil_div(vgg_ceil_div(conv->oc, kernels->lanes), kernels->conv_blocks);
}

/* Groups of output channels that are computed together. A one-shot plan prepacks the weights of some groups, computes
 * these groups, and continues with the next ones; but it prepacks all groups if several rounds of tiles need them. */
static int count_groups(const struct vgg_plan *plan, const struct vgg_conv2d *conv,
                        const struct vgg_winograd_form *form, int64_t rounds)
{
    const struct vgg_kernels *kernels = plan->options.kernels;
    const int groups = count_all_groups(plan, conv);
    const size_t half = form->budget_bytes / 2;
    const size_t fitting =
        (half < ONE_SHOT_BYTES ? half : ONE_SHOT_BYTES) / group_bytes(kernels, conv, form->m);
    const bool some = plan->options.one_shot && form->prepacked == NULL &&
                      form->algorithm == VGG_WINOGRAD_FREQUENCY && rounds == 1 &&
                      fitting < (size_t)groups;
    return !some ? groups : fitting > 0 ? (int)fitting : 1;
}

/* The limit of scratch in bytes; 0 if the prepacked weights leave nothing. */
static size_t limit_scratch(const struct vgg_plan *plan, const struct vgg_conv2d *conv,
                            const struct vgg_winograd_form *form, int groups)
{
    const uint64_t share = plan->options.activation_bytes / SCRATCH_SHARE;
    const size_t limit = share < PTRDIFF_MAX / 4 ? (size_t)share : PTRDIFF_MAX / 4;
    if (!plan->options.low_memory) {
        return limit;
    }
    const size_t weights = form->prepacked == NULL
                               ? (size_t)groups * group_bytes(plan->options.kernels, conv, form->m)
                               : 0;
    const size_t left = weights < form->budget_bytes ? form->budget_bytes - weights : 0;
    return left < limit ? left : limit;
}

/* Sets the strides of V and M and the scratch of a slot; false if it exceeds the limit. */
static bool lay_out_scratch(const struct vgg_kernels *kernels, const struct vgg_conv2d *conv,
                            size_t limit, struct vgg_conv_choice *c)
{
    struct vgg_winograd *w = &c->winograd;
    const bool by_tiles = c->algorithm == VGG_WINOGRAD_TILES;
    const size_t lanes = (size_t)kernels->lanes, f_count = count_frequencies(w->m);
    const size_t in_blocks = (size_t)vgg_ceil_div(conv->ic, kernels->lanes);
    const size_t rounded = vgg_round_tiles(kernels, (size_t)w->block);
    const size_t m_blocks = (size_t)kernels->conv_blocks * (by_tiles ? 1 : (size_t)w->groups);
    /* An upper bound of both strides in channels: if it does not overflow, nothing below does. */
    const size_t channels = (in_blocks + 1) * (size_t)kernels->v_lanes + m_blocks * lanes;
    size_t bytes;
    if (!vgg_size_mul(rounded, channels, &bytes) ||
        !vgg_size_mul(bytes, f_count * sizeof(float), &bytes) || bytes > limit) {
        return false;
    }
    w->plane = rounded * lanes;
    w->v_f_stride = odd_lines(vgg_v_elements(kernels, in_blocks, rounded));
    w->m_f_stride = odd_lines(m_blocks * w->plane);
    c->scratch.slot_elements = f_count * (w->v_f_stride + w->m_f_stride);
    return true;
}

bool vgg_winograd_lay_out(const struct vgg_plan *plan, const struct vgg_conv_request *request,
                          const struct vgg_winograd_form *form, struct vgg_conv_choice *out)
{
    const struct vgg_conv2d *conv = request->conv;
    struct vgg_winograd *w = &out->winograd;
    *out = (struct vgg_conv_choice){.algorithm = form->algorithm, .prepacked = form->prepacked};
    const int64_t rounds = cut_tiles(form, request->in, plan->options.batch, w);
    if (rounds == 0) {
        return false;
    }
    w->groups = count_groups(plan, conv, form, rounds);
    const size_t bytes = group_bytes(plan->options.kernels, conv, form->m);
    if (vgg_size_mul_capped((size_t)count_all_groups(plan, conv), bytes) == SIZE_MAX / 8) {
        return false;
    }
    const size_t limit = limit_scratch(plan, conv, form, w->groups);
    if (limit == 0 || !lay_out_scratch(plan->options.kernels, conv, limit, out)) {
        return false;
    }
    /* Each thread computes a block at a time, as far as the limit allows. */
    const int tiles = w->tiles_h * w->tiles_w, threads = plan->options.threads;
    const int64_t blocks = form->algorithm == VGG_WINOGRAD_TILES
                               ? (int64_t)vgg_ceil_div(tiles, w->block) * plan->options.batch
                               : 1;
    const size_t fitting = limit / (out->scratch.slot_elements * sizeof(float));
    const int slots = blocks < threads ? (int)blocks : threads;
    out->scratch.slots = fitting >= (size_t)slots ? slots : fitting > 1 ? (int)fitting : 1;
    return true;
}
