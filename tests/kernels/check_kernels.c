/* SPDX-License-Identifier: MIT */
/* Checks every entry of every kernel table that this CPU can run, and of the model of AMX, which runs on any CPU, against
 * the reference in double precision; with --bench, times the same calls instead.
 *
 *     check_kernels [--isa NAME] [--compare NAME] [--seed N] [--bench]
 *
 * --compare checks the table of AMX and then the model, which must give the same bits:
 *     amx           on CPUs with AMX
 *     amx-trapped   on CPUs with AVX-512 alone, where the model executes the tile instructions (tile_trap.h)
 *
 * Every run draws the same numbers, so that a failure can be repeated; --seed N draws others. Exit 0: all passed; 1: some
 * failed; 2: usage; 77, which test runners take for "skipped": this machine lacks the CPU asked for. */
#include "check.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels/dispatch.h"
#include "amx_model.h"
#include "tile_trap.h"

#define TRAPPED "amx-trapped"

/* A table, and the checks of the vectors that its kernels use. */
struct table {
    const struct vgg_kernels *kernels;
    void (*check_vec)(struct check *check);
    void (*check_split)(struct check *check); /* NULL: its numbers have one term */
};
enum { MAX_TABLES = VGG_ISA_NEON + 1 };

static struct table make_table(const struct vgg_kernels *kernels, enum vgg_isa isa)
{
    struct table table = {.kernels = kernels};
    switch (isa) {
#if defined(__x86_64__)
    case VGG_ISA_AVX2:
        table.check_vec = check_vec_avx2;
        break;
    case VGG_ISA_AVX512:
        table.check_vec = check_vec_avx512;
        break;
    case VGG_ISA_AMX:
        table.check_vec = check_vec_avx512; /* whose vectors are the same */
        table.check_split = check_split_amx;
        break;
#elif defined(__aarch64__)
    case VGG_ISA_NEON:
        table.check_vec = check_vec_neon;
        break;
#endif
    case VGG_ISA_SCALAR:
        table.check_vec = check_vec_scalar;
        break;
    default:
        break;
    }
    return table;
}

static const struct table model = {&vgg_kernels_amx_model, check_vec_avx512_model,
                                   check_split_amx_model};

/* Those that this CPU can run, the model last. Returns how many. */
static int list_tables(struct table out[MAX_TABLES])
{
    int count = 0;
    for (enum vgg_isa isa = VGG_ISA_SCALAR; isa <= VGG_ISA_NEON; isa++) {
        const struct vgg_kernels *kernels = vgg_kernels_find(isa, NULL);
        if (kernels != NULL) {
            out[count++] = make_table(kernels, isa);
        }
    }
    out[count++] = model;
    return count;
}

static struct check make_check(const struct table *table, uint64_t seed)
{
    return (struct check){.isa = table->kernels->isa,
                          .kernels = table->kernels,
                          .fused = table->kernels->fused != 0,
                          .seed = seed};
}

static void check_table(struct check *check, const struct table *table)
{
    const clock_t start = clock();
    check_watch(check);
    table->check_vec(check);
    if (table->check_split != NULL) {
        table->check_split(check);
    }
    check_conv(check);
    check_winograd(check);
    check_gemm(check);
    check_composed(check);
    check_linear(check);
    check_columns(check);
    check_pools(check);
    check_lrn(check);
    check_general_conv(check);
    check_general_pools(check);
    check_functions(check);
    printf("%s: %d passed, %d failed in %.1f s; largest error %.3f of its bound, in %s\n",
           check->isa, check->passed, check->failed, (double)(clock() - start) / CLOCKS_PER_SEC,
           check->worst, check->worst_name);
}

struct options {
    const char *isa;     /* NULL: all */
    const char *compare; /* NULL: no comparison */
    uint64_t seed;
    bool bench;
};

/* Whether a table of this name can exist. */
static bool is_table(const char *name)
{
    enum vgg_isa isa;
    return (vgg_isa_parse(name, &isa) && isa != VGG_ISA_AUTO) ||
           strcmp(name, model.kernels->isa) == 0;
}

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
            ok = is_table(optarg);
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

static struct check_totals check_tables(const struct options *options)
{
    struct table tables[MAX_TABLES];
    struct check_totals totals = {0};
    const int count = list_tables(tables);
    for (int i = 0; i < count; i++) {
        const struct table *table = &tables[i];
        const bool named = options->isa != NULL && strcmp(options->isa, table->kernels->isa) == 0;
        if ((options->isa != NULL && !named) ||
            (options->bench && table->kernels == model.kernels && !named)) {
            /* A model's times are of no use. */
            continue;
        }
        struct check check = make_check(table, options->seed);
        if (options->bench) {
            bench_kernels(table->kernels);
        } else {
            check_table(&check, table);
        }
        check_add(&totals, &check);
    }
    return totals;
}

/* The table to be compared with the model; false where this machine cannot run it. */
static bool find_compared(const char *name, struct table *out)
{
#if defined(__x86_64__)
    const bool trapped = strcmp(name, TRAPPED) == 0;
    *out = make_table(&vgg_kernels_amx, VGG_ISA_AMX);
    return trapped ? tile_trap_install() : vgg_isa_is_available(VGG_ISA_AMX);
#else
    (void)name;
    (void)out;
    return false;
#endif
}

static struct check_totals compare_tables(const struct options *options)
{
    struct check_outputs outputs = {NULL, 0, 0};
    struct table table;
    struct check_totals totals = {0};
    if (!find_compared(options->compare, &table)) {
        return totals;
    }
    struct check check = make_check(&table, options->seed);
    check.isa = options->compare;
    check.outputs = &outputs;
    check_table(&check, &table);
    struct check other = make_check(&model, options->seed);
    other.expected = &outputs;
    check_table(&other, &model);
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
