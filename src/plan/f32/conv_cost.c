/* SPDX-License-Identifier: MIT */
/* What a convolution takes by a model of the machine. All constants but sizes were fitted together to layer times of
 * vgg16, with AVX-512 and AMX, batches of 1 and 8, one and two threads (tests/bench/RESULTS.md); other machines
 * differ, but hardly in the order of the candidates. */
#include "plan/f32/conv_cost.h"

#include <math.h>

/* GHz; and fused multiply-adds of whole vectors that start each cycle. */
static const double CLOCK = 2.9, FMA_PORTS = 2;
/* Multiply-adds per ns that the tile unit reaches in Winograd's products, each in six products of bfloat16. */
static const double TILE_UNIT_PRODUCTS = 170;

/* Bytes per ns and lane of F(4) tiles transformed in the second-level cache. Transforming costs more arithmetic per
 * byte the larger the tile: the rate of F(6) relative to that. And the rate of tiles that do not fit the cache. */
static const double TRANSFORM_PER_LANE = 2.1, F6_TRANSFORM_RATE = 0.6, SHARED_TRANSFORM_RATE = 0.4;

/* Bytes per ns: weights through the second-level cache; from the shared cache; from memory by one core, of which
 * two together reach the limit. */
static const double L2_RATE = 64, SHARED_RATE = 24, MEMORY_RATE = 14;
static const double MEMORY_CORES = 2;

/* Numbers per ns: weights read from the file and put into another order; and, per lane, those of transformed
 * filters, computed and written. */
static const double REORDER_RATE = 1.5, FILTER_PER_LANE = 0.2;

static const double L2_BYTES = 2 << 20;
/* Share of the second-level cache that a pass over a group may fill before tiles are pushed out. */
static const double L2_PASS_SHARE = 0.6;

/* Arithmetic and a stream of weights overlap, but not perfectly: the part of the shorter one that remains visible,
 * where weights are read once in order, and where they return with each block of tiles. */
static const double VISIBLE_IN_ORDER = 0.25, VISIBLE_BY_BLOCKS = 0.5;

/* The kernels' multiply-adds per ns; portable ones reach half of what fused ones do. */
static double fma_rate(const struct vgg_kernels *kernels)
{
    const double lanes = (double)kernels->lanes * FMA_PORTS * CLOCK;
    return kernels->fused ? lanes : lanes / 2;
}

static bool has_tile_unit(const struct vgg_kernels *kernels)
{
    return kernels->v_terms > 1;
}

static double overlapped(double a, double b, double visible)
{
    return a > b ? a + visible * b : b + visible * a;
}

static double memory_rate(double threads)
{
    return MEMORY_RATE * (threads < MEMORY_CORES ? threads : MEMORY_CORES);
}

double vgg_conv_cost_direct(const struct vgg_kernels *kernels, const struct vgg_conv_load *load)
{
    const double products = load->pixels * load->ic * load->oc * load->kernel * load->kernel;
    const double weights = load->ic * load->oc * load->kernel * load->kernel * sizeof(float);
    return 1e-6 * overlapped(products / (fma_rate(kernels) * load->threads),
                             weights / memory_rate(load->threads), VISIBLE_IN_ORDER);
}

/* What both forms of F(m) have in common. */
struct work {
    double frequencies, tiles; /* tiles of one image */
    double weights, v, m;      /* bytes of weights, transformed input and products */
    double transform;          /* rate, in bytes per ns */
    /* Found by form: threads that have work, ns of streams of weights and tiles, and their visible part. */
    double threads, streams, visible;
};

/* Between two groups of output channels, a group's weights and products pass through the cache: where they do not
 * fit beside the block's tiles, the tiles are fetched again for each group. Returns the share of them. */
static double refetched(const struct work *work, const struct vgg_conv_load *load, double block)
{
    const double pass = work->frequencies * (block * load->ic * load->v_bytes +
                                             (load->ic + block) * load->group * sizeof(float));
    const double beyond = 2 * (pass / (L2_PASS_SHARE * L2_BYTES) - 1);
    return beyond < 1 ? beyond : 1;
}

static void stream_tiles(struct work *work, const struct vgg_conv_load *load,
                         const struct vgg_conv_choice *choice)
{
    /* The last round of tasks may leave threads idle. */
    const double block = choice->winograd.block;
    const double blocks = ceil(work->tiles / block) * load->batch;
    const double slots = choice->scratch.slots;
    double threads = slots < load->threads ? slots : load->threads;
    threads = blocks / ceil(blocks / threads);
    /* All weights pass once a block; other layers have driven them from the cache before the first. */
    work->streams =
        work->weights / memory_rate(threads) + work->weights * (blocks - 1) / (L2_RATE * threads);
    const double again = refetched(work, load, block);
    if (again > 0) {
        work->streams += again * work->v * load->oc / load->group / (SHARED_RATE * threads);
    }
    work->threads = threads;
    work->visible = VISIBLE_BY_BLOCKS;
}

static void stream_frequencies(struct work *work, const struct vgg_conv_load *load, double rounds)
{
    work->threads = load->threads;
    work->streams = rounds * work->weights / memory_rate(load->threads);
    work->visible = VISIBLE_IN_ORDER;
    if (work->v + work->m > L2_BYTES) {
        work->transform *= SHARED_TRANSFORM_RATE;
        work->streams += (work->v + work->m) / (SHARED_RATE * load->threads);
    }
}

double vgg_conv_cost_winograd(const struct vgg_kernels *kernels, const struct vgg_conv_load *load,
                              const struct vgg_conv_choice *choice)
{
    const struct vgg_winograd *c = &choice->winograd;
    const double f = (c->m + 2.0) * (c->m + 2.0), tiles = (double)c->tiles_h * c->tiles_w;
    const bool by_tiles = choice->algorithm == VGG_WINOGRAD_TILES;
    const double calls =
        by_tiles ? ceil(tiles / c->block) * load->batch : ceil(tiles * load->batch / c->block);
    /* The tile unit multiplies whole multiples of tiles. */
    const double unit = has_tile_unit(kernels) ? kernels->tile_group / 2 : 1;
    const double rows = ceil(tiles * load->batch / calls / unit) * unit * calls;
    const double rate = has_tile_unit(kernels) ? TILE_UNIT_PRODUCTS : fma_rate(kernels);
    struct work work = {
        .frequencies = f,
        .tiles = tiles,
        .weights = f * load->ic * load->oc * sizeof(float),
        .v = f * tiles * load->batch * load->ic * load->v_bytes,
        .m = f * tiles * load->batch * load->oc * sizeof(float),
        .transform = kernels->lanes * TRANSFORM_PER_LANE * (c->m == 6 ? F6_TRANSFORM_RATE : 1),
    };
    if (by_tiles) {
        stream_tiles(&work, load, choice);
    } else {
        stream_frequencies(&work, load, calls);
    }
    const double products = f * rows * load->ic * load->oc;
    return 1e-6 * (overlapped(products / (rate * work.threads), work.streams, work.visible) +
                   (work.v + work.m) / (work.transform * work.threads));
}

/* Each filter is read, and its numbers are put where their lanes are, one by one; what is written stays near. */
double vgg_conv_cost_prepack(const struct vgg_kernels *kernels, const struct vgg_conv_load *load,
                             double side)
{
    const double filters = load->ic * load->oc / load->threads;
    return 1e-6 * filters *
           (load->kernel * load->kernel / REORDER_RATE +
            side * side / (kernels->lanes * FILTER_PER_LANE));
}
