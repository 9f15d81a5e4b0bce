/* SPDX-License-Identifier: MIT */
/* base/cpu: names, what this machine has, how VGG_ISA and the affinity mask limit it. */
#include "unit.h"

#include <errno.h>
#include <sched.h>

#include "base/cpu.h"
#include "kernels/dispatch.h"
#include "kernels/int8_dispatch.h"

START_TEST(names_go_there_and_back)
{
    for (enum vgg_isa isa = VGG_ISA_AUTO; isa <= VGG_ISA_NEON; isa++) {
        enum vgg_isa parsed = VGG_ISA_AUTO;
        ck_assert(vgg_isa_parse(vgg_isa_string(isa), &parsed));
        ck_assert_int_eq(parsed, isa);
    }
    ck_assert_str_eq(vgg_isa_string(VGG_ISA_AVX512), "avx512");
    ck_assert_str_eq(vgg_isa_string((enum vgg_isa)99), "unknown");
}
END_TEST

START_TEST(refuses_other_names)
{
    static const char *const names[] = {"", "AVX2", "avx", "avx512f", " neon", "unknown"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        enum vgg_isa isa = VGG_ISA_NEON;
        ck_assert_msg(!vgg_isa_parse(names[i], &isa), "took '%s'", names[i]);
        ck_assert_int_eq(isa, VGG_ISA_NEON);
    }
}
END_TEST

START_TEST(detects_what_is_available)
{
    unsetenv("VGG_ISA");
    const enum vgg_isa best = vgg_isa_detect();
    ck_assert_int_ne(best, VGG_ISA_AUTO);
    ck_assert(vgg_isa_is_available(best));
    ck_assert(vgg_isa_is_available(VGG_ISA_AUTO));
    ck_assert(vgg_isa_is_available(VGG_ISA_SCALAR));
    ck_assert(!vgg_isa_is_available((enum vgg_isa)99));
    if (vgg_isa_is_available(VGG_ISA_AVX512)) {
        ck_assert(vgg_isa_is_available(VGG_ISA_AVX2));
        ck_assert(!vgg_isa_is_available(VGG_ISA_NEON));
    }
    if (vgg_isa_is_available(VGG_ISA_AMX)) {
        ck_assert(vgg_isa_is_available(VGG_ISA_AVX512));
    }
}
END_TEST

/* A table is found for each instruction set there is, and is that set's. */
START_TEST(finds_a_table_for_each)
{
    for (enum vgg_isa isa = VGG_ISA_SCALAR; isa <= VGG_ISA_NEON; isa++) {
        enum vgg_isa chosen = VGG_ISA_AUTO;
        const struct vgg_kernels *kernels = vgg_kernels_find(isa, &chosen);
        ck_assert_int_eq(kernels != NULL, vgg_isa_is_available(isa));
        if (kernels != NULL) {
            ck_assert_int_eq(chosen, isa);
            ck_assert_str_eq(kernels->isa, vgg_isa_string(isa));
        }
    }
}
END_TEST

/* There is a table of int8 kernels wherever there is one of float32 ones, and it is among those that tests
 * go through. */
START_TEST(finds_int8_kernels_for_each)
{
    ck_assert(vgg_isa_has(VGG_ISA_NO_EXTENSION));
    for (enum vgg_isa isa = VGG_ISA_AUTO; isa <= VGG_ISA_NEON; isa++) {
        const struct vgg_int8_kernels *kernels = vgg_int8_kernels_find(isa), *other;
        ck_assert_int_eq(kernels != NULL, vgg_isa_is_available(isa));
        bool found = kernels == NULL;
        for (int i = 0; (other = vgg_int8_kernels_get(i)) != NULL; i++) {
            found = found || other == kernels;
        }
        ck_assert_msg(found, "%s", vgg_isa_string(isa));
    }
    ck_assert_ptr_eq(vgg_int8_kernels_find(VGG_ISA_SCALAR), &vgg_int8_kernels_scalar);
}
END_TEST

/* The value of VGG_ISA: no instruction set is available then, plain C neither, so that nothing runs that was not asked
 * for. */
static void expect_refused(vgg_status status, const char *value)
{
    struct vgg_error err;
    ck_assert_int_eq(vgg_isa_check(&err), status);
    ck_assert_msg(strncmp(err.message, "VGG_ISA: ", 9) == 0 && strstr(err.message, value) != NULL,
                  "%s", err.message);
    for (enum vgg_isa isa = VGG_ISA_AUTO; isa <= VGG_ISA_NEON; isa++) {
        ck_assert(!vgg_isa_is_available(isa));
        ck_assert_ptr_null(vgg_kernels_find(isa, NULL));
        ck_assert_ptr_null(vgg_int8_kernels_find(isa));
    }
    ck_assert_ptr_null(vgg_int8_kernels_get(0));
}

/* VGG_ISA makes of this machine one that has nothing better. */
START_TEST(the_environment_limits_it)
{
    enum vgg_isa chosen;
    unsetenv("VGG_ISA");
    const enum vgg_isa best = vgg_isa_detect();
    bool had[VGG_ISA_NEON + 1];
    for (enum vgg_isa isa = VGG_ISA_AUTO; isa <= VGG_ISA_NEON; isa++) {
        had[isa] = vgg_isa_is_available(isa);
    }
    for (enum vgg_isa isa = VGG_ISA_AUTO; isa <= VGG_ISA_NEON; isa++) {
        setenv("VGG_ISA", vgg_isa_string(isa), 1);
        const enum vgg_isa limit = isa != VGG_ISA_AUTO && had[isa] ? isa : best;
        ck_assert_int_eq(vgg_isa_detect(), limit);
        if (!had[isa]) {
            expect_refused(VGG_ERR_UNSUPPORTED, vgg_isa_string(isa));
            continue;
        }
        ck_assert_int_eq(vgg_isa_check(NULL), VGG_OK);
        for (enum vgg_isa other = VGG_ISA_AUTO; other <= VGG_ISA_NEON; other++) {
            ck_assert_int_eq(vgg_isa_is_available(other), had[other] && other <= limit);
            ck_assert_int_eq(vgg_kernels_find(other, NULL) != NULL, had[other] && other <= limit);
            ck_assert_int_eq(vgg_int8_kernels_find(other) != NULL, had[other] && other <= limit);
        }
        ck_assert_ptr_nonnull(vgg_kernels_find(VGG_ISA_AUTO, &chosen));
        ck_assert_int_eq(chosen, vgg_isa_detect());
    }
    setenv("VGG_ISA", "", 1);
    ck_assert_int_eq(vgg_isa_check(NULL), VGG_OK);
    ck_assert_int_eq(vgg_isa_detect(), best);
    static const char *const wrong[] = {"pentium", "AVX2", "avx2 ", "avx512vnni"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        setenv("VGG_ISA", wrong[i], 1);
        ck_assert_int_eq(vgg_isa_detect(), best);
        expect_refused(VGG_ERR_ARGUMENT, wrong[i]);
    }
    unsetenv("VGG_ISA");
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

/* A machine of this many CPUs; 0: this one. */
static int machine_cpus;
int __real_sched_getaffinity(pid_t pid, size_t bytes, cpu_set_t *set);
int __wrap_sched_getaffinity(pid_t pid, size_t bytes, cpu_set_t *set);
int __wrap_sched_getaffinity(pid_t pid, size_t bytes, cpu_set_t *set)
{
    if (machine_cpus == 0) {
        return __real_sched_getaffinity(pid, bytes, set);
    }
    if (bytes * 8 < (size_t)machine_cpus) {
        errno = EINVAL;
        return -1;
    }
    CPU_ZERO_S(bytes, set);
    for (int cpu = 0; cpu < machine_cpus; cpu++) {
        CPU_SET_S((size_t)cpu, bytes, set);
    }
    return 0;
}

/* A quota of this test's cgroup may allow fewer. */
START_TEST(counts_no_more_cpus_than_a_session_has_threads)
{
    static const int cpus[] = {1000, 1024, 1025, 2000, 8192};
    for (size_t i = 0; i < sizeof cpus / sizeof cpus[0]; i++) {
        machine_cpus = cpus[i];
        const int count = vgg_cpu_count();
        ck_assert_int_ge(count, 1);
        ck_assert_int_le(count, cpus[i] < 1024 ? cpus[i] : 1024);
    }
    machine_cpus = 0;
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
    ck_assert((before != off) == VGG_HAS_DENORMAL_MODE);
}
END_TEST

UNIT_MAIN("cpu", names_go_there_and_back, refuses_other_names, detects_what_is_available,
          finds_a_table_for_each, finds_int8_kernels_for_each, the_environment_limits_it,
          counts_the_cpus_of_the_affinity_mask, counts_no_more_cpus_than_a_session_has_threads,
          restores_the_denormal_mode)
