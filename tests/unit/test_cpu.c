/* base/cpu: names, what this machine has, how VGG_CPU and the affinity mask limit it. */
#include "unit.h"

#include <sched.h>

#include "base/cpu.h"
#include "kernels/dispatch.h"
#include "kernels/int8_dispatch.h"

START_TEST(names_go_there_and_back)
{
    for (enum vgg_cpu cpu = VGG_CPU_AUTO; cpu <= VGG_CPU_NEON; cpu++) {
        enum vgg_cpu parsed = VGG_CPU_AUTO;
        ck_assert(vgg_cpu_parse(vgg_cpu_string(cpu), &parsed));
        ck_assert_int_eq(parsed, cpu);
    }
    ck_assert_str_eq(vgg_cpu_string(VGG_CPU_AVX512), "avx512");
    ck_assert_str_eq(vgg_cpu_string((enum vgg_cpu)99), "unknown");
}
END_TEST

START_TEST(refuses_other_names)
{
    static const char *const names[] = {"", "AVX2", "avx", "avx512f", " neon", "unknown"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        enum vgg_cpu cpu = VGG_CPU_NEON;
        ck_assert_msg(!vgg_cpu_parse(names[i], &cpu), "took '%s'", names[i]);
        ck_assert_int_eq(cpu, VGG_CPU_NEON);
    }
}
END_TEST

START_TEST(detects_what_is_available)
{
    unsetenv("VGG_CPU");
    const enum vgg_cpu best = vgg_cpu_detect();
    ck_assert_int_ne(best, VGG_CPU_AUTO);
    ck_assert(vgg_cpu_is_available(best));
    ck_assert(vgg_cpu_is_available(VGG_CPU_AUTO));
    ck_assert(vgg_cpu_is_available(VGG_CPU_SCALAR));
    ck_assert(!vgg_cpu_is_available((enum vgg_cpu)99));
    if (vgg_cpu_is_available(VGG_CPU_AVX512)) {
        ck_assert(vgg_cpu_is_available(VGG_CPU_AVX2));
        ck_assert(!vgg_cpu_is_available(VGG_CPU_NEON));
    }
    if (vgg_cpu_is_available(VGG_CPU_AMX)) {
        ck_assert(vgg_cpu_is_available(VGG_CPU_AVX512));
    }
}
END_TEST

/* A table is found for each instruction set there is, and is that set's. */
START_TEST(finds_a_table_for_each)
{
    for (enum vgg_cpu cpu = VGG_CPU_SCALAR; cpu <= VGG_CPU_NEON; cpu++) {
        enum vgg_cpu chosen = VGG_CPU_AUTO;
        const struct vgg_kernels *kernels = vgg_kernels_find(cpu, &chosen);
        ck_assert_int_eq(kernels != NULL, vgg_cpu_is_available(cpu));
        if (kernels != NULL) {
            ck_assert_int_eq(chosen, cpu);
            ck_assert_str_eq(kernels->isa, vgg_cpu_string(cpu));
        }
    }
}
END_TEST

/* There is a table of int8 kernels wherever there is one of float32 ones, and it is among those that tests
 * go through. */
START_TEST(finds_int8_kernels_for_each)
{
    ck_assert(vgg_cpu_has(VGG_CPU_NO_EXTENSION));
    for (enum vgg_cpu cpu = VGG_CPU_AUTO; cpu <= VGG_CPU_NEON; cpu++) {
        const struct vgg_int8_kernels *kernels = vgg_int8_kernels_find(cpu), *other;
        ck_assert_int_eq(kernels != NULL, vgg_cpu_is_available(cpu));
        bool found = kernels == NULL;
        for (int i = 0; (other = vgg_int8_kernels_get(i)) != NULL; i++) {
            found = found || other == kernels;
        }
        ck_assert_msg(found, "%s", vgg_cpu_string(cpu));
    }
    ck_assert_ptr_eq(vgg_int8_kernels_find(VGG_CPU_SCALAR), &vgg_int8_kernels_scalar);
}
END_TEST

START_TEST(the_environment_lowers_it)
{
    enum vgg_cpu chosen;
    unsetenv("VGG_CPU");
    const enum vgg_cpu best = vgg_cpu_detect();
    for (enum vgg_cpu cpu = VGG_CPU_AUTO; cpu <= VGG_CPU_NEON; cpu++) {
        setenv("VGG_CPU", vgg_cpu_string(cpu), 1);
        const bool lowers = cpu != VGG_CPU_AUTO && vgg_cpu_is_available(cpu);
        ck_assert_int_eq(vgg_cpu_detect(), lowers ? cpu : best);
        ck_assert_ptr_nonnull(vgg_kernels_find(VGG_CPU_AUTO, &chosen));
        ck_assert_int_eq(chosen, vgg_cpu_detect());
    }
    setenv("VGG_CPU", "pentium", 1);
    ck_assert_int_eq(vgg_cpu_detect(), best);
    unsetenv("VGG_CPU");
}
END_TEST

START_TEST(counts_the_cpus_of_the_affinity_mask)
{
    cpu_set_t all, one;
    ck_assert_int_eq(sched_getaffinity(0, sizeof all, &all), 0);
    ck_assert_int_ge(vgg_cpu_count(), 1);
    ck_assert_int_le(vgg_cpu_count(), CPU_COUNT(&all));
    CPU_ZERO(&one);
    for (int cpu = 0; CPU_COUNT(&one) == 0; cpu++) {
        if (CPU_ISSET(cpu, &all)) {
            CPU_SET(cpu, &one);
        }
    }
    ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
    ck_assert_int_eq(vgg_cpu_count(), 1);
    ck_assert_int_eq(sched_setaffinity(0, sizeof all, &all), 0);
}
END_TEST

START_TEST(restores_the_denormal_mode)
{
    const uint64_t before = vgg_denormals_off();
    const uint64_t off = vgg_denormals_off();
    vgg_denormals_restore(off);
    vgg_denormals_restore(before);
    ck_assert_uint_eq(vgg_denormals_off(), before);
    vgg_denormals_restore(before);
#if defined(__x86_64__) || defined(__aarch64__)
    ck_assert_uint_ne(before, off);
#endif
}
END_TEST

UNIT_MAIN("cpu", names_go_there_and_back, refuses_other_names, detects_what_is_available,
          finds_a_table_for_each, finds_int8_kernels_for_each, the_environment_lowers_it,
          counts_the_cpus_of_the_affinity_mask, restores_the_denormal_mode)
