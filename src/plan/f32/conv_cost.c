/* SPDX-License-Identifier: MIT */
/* A cost model of convolutions. All constants except sizes were fitted together to the times of vgg16's layers, with AVX-512
 * and AMX, batches of 1 and 8, one and two threads (tests/bench/RESULTS.md). Other machines have other times, but hardly
 * another order of the candidates. */
#include "plan/f32/conv_cost.h"

#include <math.h>

/* GHz, and vector multiply-adds that start each cycle. */
static const double CLOCK = 2.9, FMA_PORTS = 2;
/* Float32 multiply-adds per ns of Winograd's products on the tile unit; each is six products of bfloat16. */
static const double TILE_UNIT_PRODUCTS = 170;

/* Bytes per ns and lane that F(4) transforms in the second-level cache; the rate of F(6) relative to that, because larger
 * tiles need more arithmetic per byte; and the relative rate of tiles that do not fit into the cache. */
static const double TRANSFORM_PER_LANE = 2.1, F6_TRANSFORM_RATE = 0.6, SHARED_TRANSFORM_RATE = 0.4;

/* Bytes per ns from the second-level cache, from the shared cache, and from memory to one core; and the number of cores
 * that reach the memory's limit. */
static const double L2_RATE = 64, SHARED_RATE = 24, MEMORY_RATE = 14;
static const double MEMORY_CORES = 2;

/* Weights per ns that are read from the file and reordered; and, per lane, numbers of transformed filters. */
static const double REORDER_RATE = 1.5, FILTER_PER_LANE = 0.2;

static const double L2_BYTES = 2 << 20;
/* Share of the second-level cache that a pass over a group may fill before tiles are evicted. */
static const double L2_PASS_SHARE = 0.6;

/* Arithmetic and the reading of weights overlap, but not perfectly. The share of the shorter one that adds to the time:
 * where weights are read once, sequentially, and where they are read again for each block of tiles. */
static const double VISIBLE_IN_ORDER = 0.25, VISIBLE_BY_BLOCKS = 0.5;

/* The kernels' multiply-adds per ns; without fused ones it is half of that with them. */
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

/* The work of F(m). */
struct work {
    /* Tiles of one image. */
    double frequencies, tiles;
    /* Bytes of weights, transformed input and products. */
    double weights, v, m;
    /* Bytes that are transformed per ns. */
    double transform;
    /* By form: threads that have work, ns of reading weights and tiles, and the share of these that adds to the time. */
    double threads, streams, visible;
};

/* For each group of output channels the group's weights and products pass through the cache. If they do not fit beside
 * the block's tiles, some tiles must be read again. Returns the share of these. */
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
    /* In the last round of tasks some threads may be idle. */
    const double block = choice->winograd.block;
    const double blocks = ceil(work->tiles / block) * load->batch;
    const double slots = choice->scratch.slots;
    double threads = slots < load->threads ? slots : load->threads;
    threads = blocks / ceil(blocks / threads);
    /* The weights are read once for each block of tiles; for the first one from memory, because other layers have evicted
     * them from the cache. */
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
    /* The tile unit multiplies a multiple of tiles. */
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

/* Each filter is read, and its numbers are stored at their lanes one by one. Writing is not counted, because it stays in
 * the cache. */
double vgg_conv_cost_prepack(const struct vgg_kernels *kernels, const struct vgg_conv_load *load,
                             double side)
{
    const double filters = load->ic * load->oc / load->threads;
    return 1e-6 * filters *
           (load->kernel * load->kernel / REORDER_RATE +
            side * side / (kernels->lanes * FILTER_PER_LANE));
}
