/* gemm: every width of the register tile, depths and groups; and the same bits however the tiles are split
 * and whatever is fetched ahead. fma_peak and read_peak: they must do the work that they time. */
#include "check.h"

#include <string.h>

#include "kernels/ref.h"

struct gemm {
    int ic_blocks, tiles;
    enum check_fill v_fill, weight_fill;
};

/* The arguments with new outputs; tiles begin … end-1 are then one call. */
static float *run(struct check *check, struct vgg_gemm_args args, size_t y_count, int step)
{
    const int tiles = args.tiles, lanes = check->kernels->lanes;
    const float *v = args.v;
    float *y = check_output(check, y_count);
    for (int begin = 0; begin < tiles; begin += step) {
        args.v = v + (ptrdiff_t)begin * lanes;
        args.y = y + (ptrdiff_t)begin * lanes;
        args.tiles = begin + step < tiles ? step : tiles - begin;
        check->kernels->gemm(&args);
    }
    return y;
}

static void check_case(struct check *check, const struct gemm *c)
{
    const int lanes = check->kernels->lanes, width = check->kernels->conv_blocks * lanes;
    const int depth = c->ic_blocks * lanes;
    check_begin(check, "gemm %d->%d, %d tiles, %s v, %s weights", depth, width, c->tiles,
                check_fill_string(c->v_fill), check_fill_string(c->weight_fill));
    const size_t plane = (size_t)(c->tiles + 1) * (size_t)lanes;
    const size_t v_count = (size_t)(c->ic_blocks - 1) * plane + (size_t)(c->tiles * lanes);
    const size_t y_count = (size_t)check->kernels->conv_blocks * plane;
    const size_t weight_count = (size_t)depth * (size_t)width;
    float *v = check_input(check, v_count, 0), *weight = check_input(check, weight_count, 0);
    check_fill(check, v, v_count, c->v_fill);
    check_fill(check, weight, weight_count, c->weight_fill);
    struct vgg_gemm_args args = {.v = v,
                                 .v_block_stride = (ptrdiff_t)plane,
                                 .ic_blocks = c->ic_blocks,
                                 .weight = weight,
                                 .y_block_stride = (ptrdiff_t)plane,
                                 .tiles = c->tiles};
    float *y = run(check, args, y_count, c->tiles);
    check_same(check, "tiles one by one", y, run(check, args, y_count, 1), y_count);
    check_same(check, "tiles in two calls", y,
               run(check, args, y_count, check_ceil_div(c->tiles, 2)), y_count);
    /* Only fetched, never read: it may even end where reading faults. */
    args.ahead[0] = (struct vgg_fetch){weight + weight_count, weight_count * sizeof *weight, 1};
    args.ahead[1] = (struct vgg_fetch){v + v_count, 4096, 0};
    check_same(check, "memory that is not there fetched ahead", y,
               run(check, args, y_count, c->tiles), y_count);

    float *rows = check_scratch(check, weight_count, sizeof *rows); /* [oc][ic] */
    float *x = check_scratch(check, (size_t)depth, sizeof *x);
    double *want = check_scratch(check, (size_t)width, sizeof *want);
    double *magnitude = check_scratch(check, (size_t)width, sizeof *magnitude);
    for (size_t i = 0; i < weight_count; i++) {
        rows[i % (size_t)width * (size_t)depth + i / (size_t)width] = weight[i];
    }
    for (int t = 0; t < c->tiles; t++) {
        for (int ic = 0; ic < depth; ic++) {
            x[ic] = v[(size_t)(ic / lanes) * plane + (size_t)(t * lanes + ic % lanes)];
        }
        vgg_ref_linear(x, rows, NULL, width, depth, want, magnitude);
        for (int oc = 0; oc < width; oc++) {
            check_value(
                check, "tile", (size_t)t,
                check_take(y + (size_t)(oc / lanes) * plane + (size_t)(t * lanes + oc % lanes)),
                want[oc], magnitude[oc], depth + !check->fused, 0);
        }
    }
    check_untouched(check, y, y_count);
    check_end(check);
}

static void check_fma_peak(struct check *check)
{
    enum { ITERATIONS = 30 };
    check_begin(check, "fma_peak");
    struct vgg_peak_args args = {.iterations = ITERATIONS, .seed = 0.25f};
    check->kernels->fma_peak(&args);
    const int lanes = check->kernels->lanes;
    const int chains = (int)(args.flops / (2.0 * ITERATIONS * lanes));
    double want = 0;
    for (int i = 0; i < chains; i++) {
        double x = i;
        for (int round = 0; round < ITERATIONS; round++) {
            x = x * 0.5 + 0.25;
        }
        want += x * lanes;
    }
    if (chains < 1 || args.flops != 2.0 * ITERATIONS * lanes * chains) {
        check_fail(check, "%g operations are not a whole number of chains", args.flops);
    }
    /* The terms halve: all roundings of a chain add up to two of its largest. */
    check_value(check, "result", 0, args.result, want, want + chains * lanes,
                2.0 * ITERATIONS + chains + 4, 0);
    check_end(check);
}

static void check_read_peak(struct check *check, size_t count, size_t gap)
{
    check_begin(check, "read_peak of %zu floats and %zu bytes", count, gap);
    const size_t lanes = (size_t)check->kernels->lanes;
    char *data = check_input(check, count, gap);
    double want = 0, magnitude = 0;
    for (size_t i = 0; i < count; i++) {
        float number;
        check_fill(check, &number, 1, FILL_ORDINARY);
        memcpy(data + i * sizeof number, &number, sizeof number);
        if (i < count / lanes * lanes) {
            want += (double)number;
            magnitude += number < 0 ? -(double)number : (double)number;
        }
    }
    struct vgg_read_args args = {.data = data, .bytes = count * sizeof(float) + gap};
    check->kernels->read_peak(&args);
    check_value(check, "result", 0, args.result, want, magnitude, (double)count, 0);
    check_end(check);
}

void check_gemm(struct check *check)
{
    enum { WIDEST_TILE = 14 }; /* of any ISA */
    for (int tiles = 1; tiles <= 2 * WIDEST_TILE + 1; tiles++) {
        check_case(check, &(struct gemm){1 + tiles % 3, tiles, 0, 0});
    }
    for (int fill = 0; fill < FILL_MIXED; fill++) {
        const enum check_fill other = fill == FILL_OVERFLOW ? FILL_POSITIVE : FILL_ORDINARY;
        check_case(check, &(struct gemm){2, 17, (enum check_fill)fill, other});
        check_case(check, &(struct gemm){2, 17, other, (enum check_fill)fill});
    }
    check_case(check, &(struct gemm){512 / check->kernels->lanes, 25, 0, 0});
    for (int i = 0; i < 20; i++) {
        check_case(check,
                   &(struct gemm){check_range(check, 1, 9), check_range(check, 1, 90), 0, 0});
    }
    check_fma_peak(check);
    for (size_t gap = 0; gap < sizeof(float); gap++) {
        check_read_peak(check, 0, gap);
        check_read_peak(check, (size_t)check_range(check, 1, 20), gap);
        check_read_peak(check, (size_t)check_range(check, 20, 5000), gap);
    }
}
