/* Checks every entry of every kernel table that this CPU can run against the oracle, in double
 * precision; with --bench, times the same calls instead.
 *
 *     check_kernels [--isa NAME] [--seed N] [--bench]
 *
 * The seed is printed; the same seed draws the same numbers. Exit 0: all passed; 1: some failed; 2:
 * usage; 77, which test runners take for "skipped": this machine lacks the CPU asked for. */
#include "check.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels/dispatch.h"

static void (*find_vec_check(enum vgg_isa isa))(struct check *)
{
    switch (isa) {
    case VGG_ISA_SCALAR:
        return check_vec_scalar;
#if defined(__x86_64__)
    case VGG_ISA_AVX2:
        return check_vec_avx2;
    case VGG_ISA_AVX512:
    case VGG_ISA_AMX: /* whose vectors are the same */
        return check_vec_avx512;
#elif defined(__aarch64__)
    case VGG_ISA_NEON:
        return check_vec_neon;
#endif
    default:
        return NULL;
    }
}

static void check_isa(struct check *check, enum vgg_isa isa)
{
    const clock_t start = clock();
    check_watch(check);
    find_vec_check(isa)(check);
    check_conv(check);
    check_winograd(check);
    check_gemm(check);
    check_composed(check);
    check_linear(check);
    check_columns(check);
    check_pools(check);
    check_lrn(check);
    printf("%s: %d passed, %d failed in %.1f s; largest error %.3f of its bound, in %s\n",
           check->isa, check->passed, check->failed, (double)(clock() - start) / CLOCKS_PER_SEC,
           check->worst, check->worst_name);
}

struct options {
    enum vgg_isa isa; /* AUTO: all */
    uint64_t seed;
    bool bench;
};

static bool parse(int argc, char **argv, struct options *options)
{
    static const struct option names[] = {{"isa", required_argument, NULL, 'c'},
                                          {"seed", required_argument, NULL, 's'},
                                          {"bench", no_argument, NULL, 'b'},
                                          {NULL, 0, NULL, 0}};
    char *end;
    bool ok = true;
    for (int option; ok && (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (option) {
        case 'c':
            ok = vgg_isa_parse(optarg, &options->isa);
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

int main(int argc, char **argv)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct options options = {.isa = VGG_ISA_AUTO, .seed = (uint64_t)now.tv_nsec};
    int passed = 0, failed = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!parse(argc, argv, &options)) {
        fprintf(stderr, "usage: %s [--isa NAME] [--seed N] [--bench]\n", argv[0]);
        return 2;
    }
    if (!vgg_isa_is_available(options.isa)) {
        fprintf(stderr, "this machine has no %s\n", vgg_isa_string(options.isa));
        return 77;
    }
    if (!options.bench) {
        printf("seed %" PRIu64 "\n", options.seed);
    }
    for (enum vgg_isa isa = VGG_ISA_SCALAR; isa <= VGG_ISA_NEON; isa++) {
        const struct vgg_kernels *kernels = vgg_kernels_find(isa, NULL);
        if (kernels == NULL || (options.isa != VGG_ISA_AUTO && isa != options.isa)) {
            continue;
        }
        if (options.bench) {
            bench_kernels(kernels);
            continue;
        }
        struct check check = {.isa = kernels->isa,
                              .kernels = kernels,
                              .fused = isa != VGG_ISA_SCALAR,
                              .random = options.seed};
        check_isa(&check, isa);
        passed += check.passed;
        failed += check.failed;
    }
    if (!options.bench) {
        printf("%d passed, %d failed\n", passed, failed);
    }
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
