/* SPDX-License-Identifier: MIT */
/* Checks every entry of every table of int8 kernels that this CPU can run, and of the model of AMX, which runs on any CPU,
 * against the reference, bit by bit; with --bench, times the same calls instead.
 *
 *     check_int8 [--isa NAME] [--compare NAME] [--seed N] [--bench]
 *
 * --compare checks the table of AMX and then the model, which must give the same bits:
 *     amx           on CPUs with AMX
 *     amx-trapped   on CPUs with AVX-512 VNNI alone, where the model executes the tile instructions (tile_trap.h)
 *
 * Every run draws the same numbers, so that a failure can be repeated; --seed N draws others. Exit 0: all passed; 1: some
 * failed; 2: usage; 77, which test runners take for "skipped": this machine lacks the tables asked for. */
#include "check_int8.h"

#include <float.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels/int8_dispatch.h"
#include "amx_model.h"
#include "base/cpu.h"
#include "tile_trap.h"

#define TRAPPED "amx-trapped"

const char *check_numbers_string(struct check_numbers numbers)
{
    static const char *const bytes[] = {"any", "full", "sparse", "small", "no"};
    static const char *const weights[] = {"any", "max", "min", "signs", "small"};
    static const char *const scales[] = {"fit", "half", "wide"};
    static char text[80];
    snprintf(text, sizeof text, "%s bytes, %s weights, %s scales", bytes[numbers.bytes],
             weights[numbers.weights], scales[numbers.scales]);
    return text;
}

uint8_t *check_int8_input(struct check *check, size_t bytes, enum check_bytes kind)
{
    uint8_t *x = check_input(check, 0, bytes);
    for (size_t i = 0; i < bytes; i++) {
        const uint64_t random = check_random(check);
        switch (kind) {
        case BYTES_FULL:
            x[i] = 255;
            break;
        case BYTES_SPARSE:
            x[i] = random % 5 == 0 ? (uint8_t)(random >> 56) : 0;
            break;
        case BYTES_SMALL:
            x[i] = random % 4;
            break;
        case BYTES_NONE:
            x[i] = 0;
            break;
        default:
            x[i] = (uint8_t)random;
        }
    }
    return x;
}

int8_t *check_int8_weights(struct check *check, size_t count, size_t gap, enum check_weights kind)
{
    int8_t *weight = check_input(check, 0, count + gap);
    for (size_t i = 0; i < count; i++) {
        const int any = check_range(check, -127, 127);
        switch (kind) {
        case WEIGHTS_MAX:
            weight[i] = 127;
            break;
        case WEIGHTS_MIN:
            weight[i] = -127;
            break;
        case WEIGHTS_SIGNS:
            weight[i] = any < 0 ? -127 : 127;
            break;
        case WEIGHTS_SMALL:
            weight[i] = (int8_t)(any / 96);
            break;
        default:
            weight[i] = (int8_t)any;
        }
    }
    return weight;
}

static float scale(struct check *check, size_t terms, enum check_scales kind)
{
    static const float wide[] = {FLT_MAX, -FLT_MAX, FLT_MIN, -1e-42f, 0, -0.0f, 1, -1, 1e-9f, 1e9f};
    switch (kind) {
    case SCALES_HALF:
        return check_random(check) % 2 == 0 ? 0.5f : 1.5f;
    case SCALES_WIDE:
        return wide[check_random(check) % (sizeof wide / sizeof *wide)];
    default:
        /* A sum of independent terms grows like the root of their number. */
        return (float)(check_range(check, 50, 400) / (127 * 128 * sqrt((double)terms)));
    }
}

struct vgg_int8_scaling check_int8_scaling(struct check *check, int groups, size_t terms,
                                           const int8_t *weight, ptrdiff_t stride,
                                           enum check_scales kind)
{
    const size_t channels = (size_t)groups * VGG_INT8_GROUP;
    int32_t *bias = check_input(check, channels, 0), *weight_sum = check_input(check, channels, 0);
    float *scales = check_input(check, channels, 0);
    for (size_t oc = 0; oc < channels; oc++) {
        const int8_t *row = weight + (ptrdiff_t)(oc / 16) * stride + oc % 16 * 4;
        weight_sum[oc] = 0;
        for (size_t k = 0; k < terms; k++) {
            weight_sum[oc] += row[k / 4 * 64 + k % 4];
        }
        switch (check_random(check) % 8) {
        case 0:
            bias[oc] = 1 << 30;
            break;
        case 1:
            bias[oc] = -(1 << 30);
            break;
        case 2:
        case 3:
            bias[oc] = check_range(check, -1000000, 1000000);
            break;
        default:
            bias[oc] = check_range(check, -5, 5);
        }
        scales[oc] = scale(check, terms, kind);
    }
    return (struct vgg_int8_scaling){bias, scales, weight_sum};
}

float check_int8_scaled(const struct vgg_int8_scaling *scaling, int channel, int64_t sum)
{
    /* Exact in double precision, then rounded: once and once again. */
    const float a = (float)(double)(sum + scaling->bias[channel]);
    return (float)((double)a * (double)scaling->scale[channel]);
}

uint8_t check_int8_byte(double exact)
{
    return isnan(exact) || exact < 0 ? 0 : exact > 255 ? 255 : (uint8_t)nearbyint(exact);
}

static void check_table(struct check *check)
{
    const clock_t start = clock();
    check_watch(check);
    check_int8_conv(check);
    check_int8_linear(check);
    check_int8_pixel(check);
    printf("int8 %s: %d passed, %d failed in %.1f s\n", check->isa, check->passed, check->failed,
           (double)(clock() - start) / CLOCKS_PER_SEC);
}

struct options {
    const char *isa;     /* NULL: all */
    const char *compare; /* NULL: no comparison */
    uint64_t seed;
    bool bench;
};

static bool parse(int argc, char **argv, struct options *options)
{
    static const struct option names[] = {{"isa", required_argument, NULL, 'i'},
                                          {"compare", required_argument, NULL, 'c'},
                                          {"seed", required_argument, NULL, 's'},
                                          {"bench", no_argument, NULL, 'b'},
                                          {NULL, 0, NULL, 0}};
    char *end;
    bool ok = true;
    for (int option; ok && (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (option) {
        case 'i':
            options->isa = optarg;
            break;
        case 'c':
            options->compare = optarg;
            ok = strcmp(optarg, "amx") == 0 || strcmp(optarg, TRAPPED) == 0;
            break;
        case 's':
            options->seed = strtoull(optarg, &end, 0);
            ok = *end == '\0';
            break;
        case 'b':
            options->bench = true;
            break;
        default:
            ok = false;
        }
    }
    return ok && optind == argc;
}

/* The tables that this CPU can run, the model last; NULL past it. */
static const struct vgg_int8_kernels *get_table(int number)
{
    if (number > 0 && vgg_int8_kernels_get(number - 1) == NULL) {
        return NULL;
    }
    const struct vgg_int8_kernels *kernels = vgg_int8_kernels_get(number);
    return kernels != NULL ? kernels : &vgg_int8_kernels_amx_model;
}

/* The table to be compared with the model; NULL where this machine cannot run it. */
static const struct vgg_int8_kernels *find_compared(const char *name)
{
    const struct vgg_int8_kernels *kernels;
    for (int i = 0; (kernels = get_table(i)) != NULL && strcmp(kernels->isa, name) != 0; i++) {}
#if defined(__x86_64__)
    if (strcmp(name, TRAPPED) == 0 && vgg_isa_has(VGG_ISA_AVX512_VNNI) && tile_trap_install()) {
        kernels = &vgg_int8_kernels_amx;
    }
#endif
    return kernels;
}

static struct check make_check(const struct vgg_int8_kernels *kernels, uint64_t seed)
{
    return (struct check){.isa = kernels->isa, .int8 = kernels, .seed = seed};
}

static struct check_totals check_tables(const struct options *options)
{
    struct check_totals totals = {0};
    const struct vgg_int8_kernels *kernels;
    for (int i = 0; (kernels = get_table(i)) != NULL; i++) {
        const bool named = options->isa != NULL && strcmp(options->isa, kernels->isa) == 0;
        if ((options->isa != NULL && !named) ||
            (options->bench && kernels == &vgg_int8_kernels_amx_model && !named)) {
            /* A model's times are of no use. */
            continue;
        }
        struct check check = make_check(kernels, options->seed);
        if (options->bench) {
            bench_int8(kernels);
        } else {
            check_table(&check);
        }
        check_add(&totals, &check);
    }
    return totals;
}

static struct check_totals compare_tables(const struct options *options)
{
    const struct vgg_int8_kernels *kernels = find_compared(options->compare);
    struct check_totals totals = {0};
    struct check_outputs outputs = {NULL, 0, 0};
    if (kernels == NULL) {
        return totals;
    }
    struct check check = make_check(kernels, options->seed);
    check.isa = options->compare;
    check.outputs = &outputs;
    check_table(&check);
    struct check other = make_check(&vgg_int8_kernels_amx_model, options->seed);
    other.expected = &outputs;
    check_table(&other);
    check_end_comparison(&totals, &check, &other);
    if (strcmp(options->compare, TRAPPED) == 0) {
        printf("%ld tile instructions trapped\n", tile_trap_count());
        totals.tables = tile_trap_count() > 0 ? totals.tables : 0;
    }
    return totals;
}

int main(int argc, char **argv)
{
    struct options options = {.seed = 1};
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!parse(argc, argv, &options)) {
        fprintf(stderr, "usage: %s [--isa NAME] [--compare NAME] [--seed N] [--bench]\n", argv[0]);
        return 2;
    }
    struct vgg_error err;
    if (vgg_isa_check(&err) != VGG_OK) { /* which leaves nothing but the model */
        fprintf(stderr, "%s\n", err.message);
        return 2;
    }
    if (!options.bench) {
        printf("seed %" PRIu64 "\n", options.seed);
    }
    const struct check_totals totals =
        options.compare != NULL ? compare_tables(&options) : check_tables(&options);
    if (totals.tables == 0) {
        fprintf(stderr, "skipped: this machine has no %s\n",
                options.compare != NULL ? options.compare : options.isa);
        return 77;
    }
    if (!options.bench) {
        printf("%d passed, %d failed\n", totals.passed, totals.failed);
    }
    return totals.failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
