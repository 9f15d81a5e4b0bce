/* SPDX-License-Identifier: MIT */
/* CPU detection, the CPUs a process may use, and the denormal mode. */
#include "base/cpu.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include "base/cgroup.h"
#include "base/status.h"

static const char *const names[] = {
    [VGG_ISA_AUTO] = "auto",     [VGG_ISA_SCALAR] = "scalar", [VGG_ISA_AVX2] = "avx2",
    [VGG_ISA_AVX512] = "avx512", [VGG_ISA_AMX] = "amx",       [VGG_ISA_NEON] = "neon",
};

const char *vgg_isa_string(enum vgg_isa isa)
{
    return (unsigned)isa < sizeof names / sizeof names[0] ? names[isa] : "unknown";
}

bool vgg_isa_parse(const char *name, enum vgg_isa *out)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (enum vgg_isa)i;
            return true;
        }
    }
    return false;
}

#if defined(__x86_64__)
/* XCR0: the register sets that the operating system saves when it switches threads. An instruction set must not be used
 * if the system does not save its registers. */
static uint64_t saved_registers(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return ((uint64_t)high << 32) | low;
}

/* Linux saves the 8 KiB of tile registers only for processes that request it; threads and children inherit this.
 * Requesting it again is harmless. */
static bool request_tiles(void)
{
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

static enum vgg_isa hardware(void)
{
    enum { YMM_STATE = 0x6, ZMM_STATE = 0xe6, TILE_STATE = 0x60000 };
    enum { AMX_BF16 = 1 << 22, AMX_TILE = 1 << 24 }; /* leaf 7, edx */
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d)) {
        return VGG_ISA_SCALAR;
    }
    const unsigned avx_fma_f16c = bit_AVX | bit_FMA | bit_F16C;
    if ((c & bit_OSXSAVE) == 0 || (c & avx_fma_f16c) != avx_fma_f16c) {
        return VGG_ISA_SCALAR;
    }
    uint64_t saved = saved_registers();
    if ((saved & YMM_STATE) != YMM_STATE || !__get_cpuid_count(7, 0, &a, &b, &c, &d) ||
        (b & bit_AVX2) == 0) {
        return VGG_ISA_SCALAR;
    }
    const unsigned avx512 = bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL;
    if ((b & avx512) != avx512 || (saved & ZMM_STATE) != ZMM_STATE) {
        return VGG_ISA_AVX2;
    }
    const unsigned amx = AMX_BF16 | AMX_TILE;
    if ((d & amx) != amx || (saved & TILE_STATE) != TILE_STATE || !request_tiles()) {
        return VGG_ISA_AVX512;
    }
    return VGG_ISA_AMX;
}

/* Extensions use the registers of their instruction set, which hardware() has checked. */
static bool has(enum vgg_isa_extension extension)
{
    enum { AVX_VNNI = 1 << 4 };     /* leaf 7.1, eax */
    enum { AVX512_VNNI = 1 << 11 }; /* leaf 7, ecx */
    enum { AMX_INT8 = 1 << 25 };    /* leaf 7, edx */
    unsigned subleaves, a, b, c, d;
    if (!__get_cpuid_count(7, 0, &subleaves, &b, &c, &d)) {
        return false;
    }
    switch (extension) {
    case VGG_ISA_AVX_VNNI:
        return subleaves >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & AVX_VNNI) != 0;
    case VGG_ISA_AVX512_VNNI:
        return (c & AVX512_VNNI) != 0;
    case VGG_ISA_AMX_INT8:
        return (d & AMX_INT8) != 0;
    default:
        return false;
    }
}
#elif defined(__aarch64__)
static enum vgg_isa hardware(void)
{
    return VGG_ISA_NEON; /* part of every AArch64 application processor */
}

static bool has(enum vgg_isa_extension extension)
{
    return extension == VGG_ISA_NEON_DOTPROD && (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
}
#else
static enum vgg_isa hardware(void)
{
    return VGG_ISA_SCALAR;
}

static bool has(enum vgg_isa_extension extension)
{
    (void)extension;
    return false;
}
#endif

bool vgg_isa_has(enum vgg_isa_extension extension)
{
    return extension == VGG_ISA_NO_EXTENSION || has(extension);
}

/* Whether a machine with `best` as its best instruction set can run `isa`; each set of x86 includes those before it. */
static bool covers(enum vgg_isa best, enum vgg_isa isa)
{
    switch (isa) {
    case VGG_ISA_AUTO:
    case VGG_ISA_SCALAR:
        return true;
    case VGG_ISA_AVX2:
    case VGG_ISA_AVX512:
    case VGG_ISA_AMX:
        return best >= isa && best != VGG_ISA_NEON;
    case VGG_ISA_NEON:
        return best == isa;
    }
    return false;
}

/* The limit that VGG_ISA sets, AUTO where there is none. */
static vgg_status read_limit(enum vgg_isa best, enum vgg_isa *out, struct vgg_error *err)
{
    const char *name = getenv("VGG_ISA");
    *out = VGG_ISA_AUTO;
    if (name == NULL || name[0] == '\0') {
        return VGG_OK;
    }
    if (!vgg_isa_parse(name, out)) {
        return vgg_fail(err, VGG_ERR_ARGUMENT,
                        "VGG_ISA: expected scalar, avx2, avx512, amx or neon, got '%.*s'",
                        VGG_SHOWN_TEXT(name, 100));
    }
    if (!covers(best, *out)) {
        return vgg_fail(err, VGG_ERR_UNSUPPORTED,
                        "VGG_ISA: this CPU or build has no %s, its best is %s", names[*out],
                        names[best]);
    }
    return VGG_OK;
}

enum vgg_isa vgg_isa_detect(void)
{
    const enum vgg_isa best = hardware();
    enum vgg_isa limit;
    const bool limited = read_limit(best, &limit, NULL) == VGG_OK && limit != VGG_ISA_AUTO;
    return limited ? limit : best;
}

vgg_status vgg_isa_check(struct vgg_error *err)
{
    enum vgg_isa limit;
    return read_limit(hardware(), &limit, err);
}

bool vgg_isa_is_available(enum vgg_isa isa)
{
    return vgg_isa_check(NULL) == VGG_OK && covers(vgg_isa_detect(), isa);
}

int vgg_cpu_count(void)
{
    int count = 1;
    /* A machine may have more CPUs than cpu_set_t has bits: grow the set until the kernel accepts it. */
    for (int bits = 1024; bits <= 1 << 20; bits *= 4) {
        cpu_set_t *set = CPU_ALLOC((size_t)bits);
        size_t bytes = CPU_ALLOC_SIZE((size_t)bits);
        bool ok = set != NULL && sched_getaffinity(0, bytes, set) == 0;
        if (ok) {
            count = CPU_COUNT_S(bytes, set);
        }
        CPU_FREE(set);
        if (ok) {
            break;
        }
    }
    double quota = vgg_cgroup_quota("/proc/self/cgroup", "/sys/fs/cgroup");
    if (quota > 0 && quota < count) {
        count = (int)quota + (quota > (int)quota ? 1 : 0);
    }
    return count < 1 ? 1 : count > VGG_MAX_THREADS ? VGG_MAX_THREADS : count;
}

#if defined(__x86_64__)
uint64_t vgg_denormals_off(void)
{
    enum { FLUSH_TO_ZERO = 0x8000, DENORMALS_ARE_ZERO = 0x0040 };
    unsigned saved = _mm_getcsr();
    _mm_setcsr(saved | FLUSH_TO_ZERO | DENORMALS_ARE_ZERO);
    return saved;
}

void vgg_denormals_restore(uint64_t saved)
{
    _mm_setcsr((unsigned)saved);
}
#elif defined(__aarch64__)
uint64_t vgg_denormals_off(void)
{
    const uint64_t flush_to_zero = 1u << 24;
    uint64_t saved;
    __asm__ volatile("mrs %0, fpcr" : "=r"(saved));
    __asm__ volatile("msr fpcr, %0" : : "r"(saved | flush_to_zero));
    return saved;
}

void vgg_denormals_restore(uint64_t saved)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(saved));
}
#elif VGG_HAS_DENORMAL_MODE /* 32-bit ARM */
uint64_t vgg_denormals_off(void)
{
    const uint32_t flush_to_zero = 1u << 24;
    uint32_t saved;
    __asm__ volatile("vmrs %0, fpscr" : "=r"(saved));
    __asm__ volatile("vmsr fpscr, %0" : : "r"(saved | flush_to_zero));
    return saved;
}

void vgg_denormals_restore(uint64_t saved)
{
    __asm__ volatile("vmsr fpscr, %0" : : "r"((uint32_t)saved));
}
#else
uint64_t vgg_denormals_off(void)
{
    return 0;
}

void vgg_denormals_restore(uint64_t saved)
{
    (void)saved;
}
#endif
