/* The choice of a convolution's algorithm: what each candidate costs by a model of the machine, and the
 * cheapest. The model knows arithmetic, transform traffic, and weight traffic against the caches and
 * memory; its constants were fitted to measurements of VGG's layers (tests/bench/). It must get the order
 * of the candidates right, not the microseconds. */
#include "plan/f32/choose_conv.h"

#include <math.h>

#include "base/arith.h"
#include "plan/f32/prepacked.h"

/* Of weights that a one-shot plan packs at a time, where it can choose: as new memory they would take longer
 * than packing does, and from here they are still in the shared cache when the products read them. */
enum { ONE_SHOT_BYTES = 5 << 20 };

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

/* What a core does a nanosecond. */
struct machine {
    double fma;         /* multiply-adds in the kernels */
    double products;    /* those of Winograd's products */
    double rows;        /* tiles come in multiples of so many there */
    double transform;   /* bytes of F(4) tiles transformed in the second-level cache */
    double near;        /* bytes of weights through the second-level cache */
    double shared;      /* bytes from the shared cache */
    double memory;      /* bytes of weights from memory; two cores together reach its limit */
    double order;       /* weights of the file brought into another order, preparing */
    double filter;      /* numbers of transformed filters computed and written, preparing */
    double cache_bytes; /* the second-level cache */
};

static struct machine machine_of(const struct vgg_kernels *kernels)
{
    /* A fused multiply-add of L lanes in each of two ports at 2.9 GHz; the portable kernels reach half. */
    const double lanes = (double)kernels->lanes * 2 * 2.9, fma = kernels->fused ? lanes : lanes / 2;
    const bool tile_unit = kernels->v_parts > 1;
    return (struct machine){
        .fma = fma,
        .products = tile_unit ? 170 : fma,
        .rows = tile_unit ? kernels->tile_group / 2 : 1,
        .transform = kernels->lanes * 2.1,
        .near = 64,
        .shared = 24,
        .memory = 14,
        .order = 1.5,
        .filter = kernels->lanes * 0.2,
        .cache_bytes = 2 << 20,
    };
}

/* A convolution layer of this plan. */
struct layer {
    double ic, oc;  /* padded to whole blocks and groups */
    double pixels;  /* of the output, of the whole batch */
    double group;   /* output channels computed together */
    double v_bytes; /* of a number of V */
    double threads;
    double batch;
};

/* Arithmetic and a stream of weights overlap, but not perfectly: the part of the shorter one that
 * remains visible. */
static double overlapped(double a, double b, double visible)
{
    return a > b ? a + visible * b : b + visible * a;
}

static double memory_rate(const struct machine *machine, double threads)
{
    return machine->memory * (threads < 2 ? threads : 2);
}

static double direct_ms(const struct machine *machine, const struct layer *layer, double kernel)
{
    const double products = layer->pixels * layer->ic * layer->oc * kernel * kernel;
    const double weights = layer->ic * layer->oc * kernel * kernel * sizeof(float);
    return 1e-6 * overlapped(products / (machine->fma * layer->threads),
                             weights / memory_rate(machine, layer->threads), 0.25);
}

static double winograd_ms(const struct machine *machine, const struct layer *layer,
                          const struct vgg_conv_choice *c)
{
    const double f = (c->m + 2.0) * (c->m + 2.0), tiles = (double)c->tiles_h * c->tiles_w;
    const bool by_tiles = c->algorithm == VGG_WINOGRAD_TILES;
    const double calls =
        by_tiles ? ceil(tiles / c->block) * layer->batch : ceil(tiles * layer->batch / c->block);
    const double rows = ceil(tiles * layer->batch / calls / machine->rows) * machine->rows * calls;
    const double products = f * rows * layer->ic * layer->oc;
    const double weights = f * layer->ic * layer->oc * sizeof(float);
    const double v = f * tiles * layer->batch * layer->ic * layer->v_bytes;
    const double m = f * tiles * layer->batch * layer->oc * sizeof(float);
    /* Transforming costs more arithmetic a byte the larger the tile. */
    double transform = machine->transform * (c->m == 6 ? 0.6 : 1);
    double threads = layer->threads, streams, visible;
    if (by_tiles) {
        /* The last round of tasks may leave threads idle. */
        const double blocks = ceil(tiles / c->block) * layer->batch;
        threads = c->slots < threads ? c->slots : threads;
        threads = blocks / ceil(blocks / threads);
        /* All weights pass once a block; other layers have driven them from the cache before the first. */
        streams = weights / memory_rate(machine, threads) +
                  weights * (blocks - 1) / (machine->near * threads);
        visible = 0.5;
        /* Between two groups of output channels, a group's weights and products pass through the cache:
         * where they do not fit beside the block's tiles, the tiles are fetched again for each group. */
        const double pass = f * (c->block * layer->ic * layer->v_bytes +
                                 (layer->ic + c->block) * layer->group * sizeof(float));
        const double beyond = 2 * (pass / (0.6 * machine->cache_bytes) - 1);
        if (beyond > 0) {
            streams += (beyond < 1 ? beyond : 1) * v * layer->oc / layer->group /
                       (machine->shared * threads);
        }
    } else {
        streams = calls * weights / memory_rate(machine, threads);
        visible = 0.25;
        if (v + m > machine->cache_bytes) {
            transform *= 0.4;
            streams += (v + m) / (machine->shared * threads);
        }
    }
    return 1e-6 * (overlapped(products / (machine->products * threads), streams, visible) +
                   (v + m) / (transform * threads));
}

/* Bringing the weights into kernel order, for a plan that runs once; n: the side of the filters then. Each
 * filter is read, and its numbers are put where their lanes are, one by one; what is written stays near. */
static double prepare_ms(const struct machine *machine, const struct layer *layer, double n,
                         double kernel)
{
    const double filters = layer->ic * layer->oc / layer->threads;
    return 1e-6 * filters * (kernel * kernel / machine->order + n * n / machine->filter);
}

/* Whole cache lines, an odd number of them. */
static size_t odd_lines(size_t elements)
{
    const size_t line = VGG_ALIGN_BYTES / sizeof(float);
    return ((elements + line - 1) / line | 1) * line;
}

/* Lays out F(m) in one of its two forms. False where no block's scratch fits: it may take a quarter of
 * what the limit leaves for activations and, in a plan for low memory, what its packed weights leave of the
 * room. One block decides, so that the choice of m does not depend on the threads.
 *   room  bytes */
static bool lay_out(const struct vgg_plan *plan, const struct vgg_conv2d *conv, struct vgg_shape in,
                    size_t room, enum vgg_algorithm algorithm, int m, int block,
                    const struct vgg_prepared *stored, struct vgg_conv_choice *c)
{
    const int L = plan->kernels->lanes, group = plan->kernels->conv_blocks;
    const size_t in_blocks = (size_t)vgg_ceil_div(conv->ic, L);
    const size_t f_count = (size_t)((m + 2) * (m + 2));
    const bool by_tiles = algorithm == VGG_WINOGRAD_TILES;
    const int groups = vgg_ceil_div(vgg_ceil_div(conv->oc, L), group);
    size_t most_bytes = plan->activation_limit / 4 < PTRDIFF_MAX / 4
                            ? (size_t)(plan->activation_limit / 4)
                            : PTRDIFF_MAX / 4;
    *c = (struct vgg_conv_choice){.algorithm = algorithm, .m = m, .stored = stored};
    c->tiles_h = vgg_ceil_div(in.h, m);
    c->tiles_w = vgg_ceil_div(in.w, m);
    const int64_t tiles = (int64_t)c->tiles_h * c->tiles_w;
    if (tiles > INT32_MAX / plan->batch) {
        return false;
    }
    /* Blocks of one picture, or rounds of the whole batch, all about as large. */
    const int64_t most = by_tiles ? tiles : tiles * plan->batch;
    const int64_t rounds = (most + block - 1) / block;
    const int64_t together = by_tiles && block < tiles ? block : (most + rounds - 1) / rounds;
    /* A one-shot plan packs the weights of some groups, computes these, and goes on with the next;
     * but all of them where several rounds of tiles need them. */
    const size_t group_bytes = f_count * in_blocks * (size_t)(L * group * L) * sizeof(float);
    const size_t packed = (room / 2 < ONE_SHOT_BYTES ? room / 2 : ONE_SHOT_BYTES) / group_bytes;
    const bool some =
        plan->one_shot && stored == NULL && !by_tiles && rounds == 1 && packed < (size_t)groups;
    c->groups = !some ? groups : packed > 0 ? (int)packed : 1;
    if (plan->low_memory) {
        const size_t weights = stored == NULL ? (size_t)c->groups * group_bytes : 0;
        if (weights >= room) {
            return false;
        }
        most_bytes = room - weights < most_bytes ? room - weights : most_bytes;
    }
    const size_t rounded = vgg_round_tiles(plan->kernels, (size_t)together);
    const size_t m_blocks = (size_t)group * (by_tiles ? 1 : (size_t)c->groups);
    /* Channels of both, generously, so that nothing below can overflow. */
    const size_t lanes = (in_blocks + 1) * (size_t)plan->kernels->v_lanes + m_blocks * (size_t)L;
    size_t bytes;
    if (!vgg_size_mul(rounded, lanes, &bytes) ||
        !vgg_size_mul(bytes, f_count * sizeof(float), &bytes) || bytes > most_bytes) {
        return false;
    }
    c->block = (int)together;
    c->plane = rounded * (size_t)L;
    c->v_f_stride = odd_lines(vgg_v_elements(plan->kernels, in_blocks, rounded));
    c->m_f_stride = odd_lines(m_blocks * c->plane);
    c->slot_elements = f_count * (c->v_f_stride + c->m_f_stride);
    /* As many blocks at a time as there are threads and blocks, but within the same bound. */
    const int64_t blocks = by_tiles ? (int64_t)vgg_ceil_div((int)tiles, c->block) * plan->batch : 1;
    const size_t fitting = most_bytes / (c->slot_elements * sizeof(float));
    c->slots = blocks < plan->threads ? (int)blocks : plan->threads;
    c->slots = fitting >= (size_t)c->slots ? c->slots : fitting > 1 ? (int)fitting : 1;
    return true;
}

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
    const struct vgg_conv2d *conv;
    struct vgg_shape in;
    bool planar;
    size_t room; /* bytes beside input and output, for a plan for low memory; SIZE_MAX otherwise */
    struct machine machine;
    /* F(m) decides the bits of the result, so it is chosen as for one thread; only the form, which does
     * not, follows the number of threads. */
    struct layer layer, alone;
    bool plain;           /* the file has weights that any order can be made of */
    bool possible, found; /* whether there is anything to choose, and whether any of it fits */
    double best_ms;       /* of *choice, for one thread */
    struct vgg_conv_choice *choice;
    struct vgg_text reason; /* what each candidate takes */
};

static struct layer describe_layer(const struct vgg_plan *plan, const struct vgg_conv2d *conv,
                                   struct vgg_shape in, bool planar)
{
    const int L = plan->kernels->lanes, group = plan->kernels->conv_blocks * L;
    return (struct layer){
        .ic = planar ? conv->ic : vgg_ceil_div(conv->ic, L) * L,
        .oc = vgg_ceil_div(conv->oc, group) * group,
        .group = group,
        .v_bytes = sizeof(float) * (double)plan->kernels->v_lanes / L,
        .pixels = (double)in.h * in.w * plan->batch / ((double)conv->stride * conv->stride),
        .threads = plan->threads,
        .batch = plan->batch,
    };
}

static void consider_direct(struct choosing *c)
{
    const int kernel = c->conv->kernel;
    *c->choice = (struct vgg_conv_choice){.algorithm = VGG_DIRECT};
    c->choice->stored = vgg_find_stored(c->plan->kernels, c->conv, c->planar, 0);
    const bool ready = c->choice->stored != NULL;
    if (!c->plain && !ready) {
        return;
    }
    c->possible = true;
    c->choice->predicted_ms = direct_ms(&c->machine, &c->layer, kernel);
    double ms = direct_ms(&c->machine, &c->alone, kernel);
    if (c->plan->one_shot && !ready) {
        ms += prepare_ms(&c->machine, &c->alone, 0, kernel);
    }
    vgg_text_add(&c->reason, "direct %.3g%s", ms, ready ? "*" : "");
    const double packed_bytes =
        ready ? 0 : c->layer.ic * c->layer.oc * kernel * kernel * sizeof(float);
    if (packed_bytes + (double)c->plan->unpooled_bytes <= (double)c->room) {
        c->found = true;
        c->best_ms = ms;
    } else {
        vgg_text_add(&c->reason, " but too large");
    }
}

/* The form and block in which F(m) takes the least time with the plan's threads; false where none fits.
 *   ms  receives the least time of one thread, in whichever form */
static bool find_form(const struct choosing *c, int m, const struct vgg_prepared *stored,
                      struct vgg_conv_choice *form, double *ms)
{
    static const int blocks[] = {1, 2, 3, 4, 6}; /* of tiles, in units */
    enum { BLOCKS = sizeof blocks / sizeof blocks[0] };
    /* By frequency. A batch of eight took 417 ms with all tiles in one round, 359 with 400, 338 with 200, 351
     * with 100: more drive V and M from the shared cache, fewer read the weights more often. */
    enum { ROUND_TILES = 224 };
    const struct vgg_plan *plan = c->plan;
    const int unit = plan->kernels->tile_group > 1 ? plan->kernels->tile_group : 14;
    bool any = false;
    *ms = HUGE_VAL;
    for (size_t i = 0; i <= BLOCKS; i++) {
        const bool by_frequency = i == BLOCKS;
        const enum vgg_algorithm algorithm =
            by_frequency ? VGG_WINOGRAD_FREQUENCY : VGG_WINOGRAD_TILES;
        const int block = by_frequency ? ROUND_TILES : blocks[i] * unit;
        struct vgg_conv_choice laid_out;
        if ((plan->form != VGG_DIRECT && plan->form != algorithm) ||
            !lay_out(plan, c->conv, c->in, c->room, algorithm, m, block, stored, &laid_out)) {
            continue;
        }
        const double alone_ms = winograd_ms(&c->machine, &c->alone, &laid_out);
        *ms = alone_ms < *ms ? alone_ms : *ms;
        laid_out.predicted_ms = winograd_ms(&c->machine, &c->layer, &laid_out);
        if (!any || laid_out.predicted_ms < form->predicted_ms) {
            *form = laid_out;
            any = true;
        }
    }
    return any;
}

/* forced: whether the caller wants this algorithm, whatever it takes. */
static void consider_winograd(struct choosing *c, int m, bool forced)
{
    const struct vgg_prepared *stored = vgg_find_stored(c->plan->kernels, c->conv, c->planar, m);
    struct vgg_conv_choice form;
    double ms;
    const bool coarse = m > 2 && c->conv->ic < COARSE_TRANSFORM_CHANNELS && !forced;
    if (coarse || !allowed(c->plan->conv, m) || (!c->plain && stored == NULL) ||
        !find_form(c, m, stored, &form, &ms)) {
        return;
    }
    if (c->plan->one_shot && stored == NULL) {
        ms += prepare_ms(&c->machine, &c->alone, m + 2, 3);
    }
    vgg_text_add(&c->reason, "%sF(%d) %.3g%s", c->reason.length > 0 ? ", " : "", m, ms,
                 stored != NULL ? "*" : "");
    c->possible = true;
    /* F(6) rounds four times as coarsely as F(4): it must be worth it. */
    if (forced || ms < c->best_ms * (m == 6 ? 0.9 : 1)) {
        c->best_ms = ms;
        c->found = true;
        *c->choice = form;
    }
}

/* Chooses among what fits; false where nothing does.
 *   room      bytes beside input and output, for a plan for low memory; SIZE_MAX otherwise
 *   possible  receives whether there is anything at all */
static bool choose_within(struct vgg_plan *plan, const struct vgg_conv2d *conv, struct vgg_shape in,
                          bool planar, size_t room, struct vgg_conv_choice *choice, bool *possible)
{
    struct choosing c = {
        .plan = plan,
        .conv = conv,
        .in = in,
        .planar = planar,
        .room = room,
        .machine = machine_of(plan->kernels),
        .layer = describe_layer(plan, conv, in, planar),
        .plain = vgg_has_plain_weights(conv),
        .best_ms = HUGE_VAL,
        .choice = choice,
    };
    c.alone = c.layer;
    c.alone.threads = 1;
    consider_direct(&c);
    const bool fits = plan->on_node == NULL && conv->kernel == 3 && conv->padding == 1 &&
                      conv->stride == 1 && !planar;
    const bool forced = plan->conv != VGG_CONV_AUTO && plan->conv != VGG_CONV_EXACT;
    for (int m = 2; fits && m <= 6; m += 2) {
        consider_winograd(&c, m, forced);
    }
    *possible = c.possible;
    if (plan->low_memory && forced && fits && plan->conv != VGG_CONV_DIRECT && choice->m == 0) {
        c.found = false; /* rather more room than another algorithm */
    }
    if (!c.found && room < SIZE_MAX) {
        return false;
    }
    vgg_text_add(&c.reason, " ms%s predicted for one thread%s",
                 plan->one_shot ? " with preparation" : "",
                 conv->prepared_count > 0 ? "; *ready in the file" : "");
    if (plan->low_memory) {
        vgg_text_add(&c.reason, ", in %.3g MB", (double)room / (1 << 20));
    }
    choice->reason = vgg_arena_copy_string(&plan->arena, c.reason.buffer, c.reason.length);
    return true;
}

bool vgg_choose_conv(struct vgg_plan *plan, const struct vgg_conv2d *conv, struct vgg_shape in,
                     bool planar, struct vgg_conv_choice *choice)
{
    size_t room = plan->low_memory ? plan->room_bytes : SIZE_MAX;
    bool possible;
    while (!choose_within(plan, conv, in, planar, room, choice, &possible)) {
        room = room < SIZE_MAX / 2 ? 2 * room : SIZE_MAX;
    }
    return possible;
}
