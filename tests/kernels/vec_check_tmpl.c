/* SPDX-License-Identifier: MIT */
/* The vector vocabulary of one ISA, operation by operation, against plain C floats, bit by bit except for the payload of
 * NaN and, in max and relu, the sign of zero. Compiled once per ISA, like the kernels, and called only if the CPU has
 * the ISA. */
#include "base/half.h"
#include "check.h"
#include "kernels/vec.h"

#include <math.h>
#include <string.h>

#define NAME_(isa) check_vec_##isa
#define NAME(isa) NAME_(isa)

enum { ROUNDS = 2000 };

static float max(float a, float b)
{
    return isnan(a) || isnan(b) ? NAN : a > b ? a : b;
}

static bool equal(float a, float b, bool any_zero)
{
    return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0 || (any_zero && a == b);
}

static void expect(struct check *check, const char *op, vf got, const float *want, bool any_zero)
{
    float lanes[VF_LANES];
    vf_store(lanes, got);
    for (int i = 0; i < VF_LANES; i++) {
        if (!equal(lanes[i], want[i], any_zero)) {
            check_fail(check, "vf_%s lane %d: expected %.9g, got %.9g", op, i, (double)want[i],
                       (double)lanes[i]);
        }
    }
}

static void check_loads(struct check *check)
{
    float numbers[VF_LANES];
    check_begin(check, "vf_load, vf_load_partial");
    check_fill(check, numbers, VF_LANES, FILL_ORDINARY);
    for (size_t gap = 0; gap < sizeof(float); gap++) {
        char *whole = check_input(check, VF_LANES, gap);
        memcpy(whole, numbers, sizeof numbers);
        expect(check, "load", vf_load(whole), numbers, false);
        for (size_t n = 0; n <= VF_LANES; n++) {
            float want[VF_LANES] = {0};
            char *part = whole + (VF_LANES - n) * sizeof(float); /* ends where the whole ends */
            memcpy(want, numbers + VF_LANES - n, n * sizeof(float));
            expect(check, "load_partial", vf_load_partial(part, n), want, false);
        }
    }
    check_end(check);
}

static void check_stores(struct check *check)
{
    float numbers[VF_LANES];
    check_begin(check, "vf_store, vf_store_partial");
    check_fill(check, numbers, VF_LANES, FILL_ORDINARY);
    float *end = (float *)check_input(check, 3 * VF_LANES, 0) + (ptrdiff_t)3 * VF_LANES;
    const vf a = vf_load(numbers);
    for (size_t n = 0; n <= VF_LANES; n++) {
        /* First with numbers after it that must be preserved, then with its last lane at the page's end. */
        for (size_t gap = 0; gap <= VF_LANES; gap += VF_LANES) {
            float *p = end - gap - n;
            memset(end - 3 * VF_LANES, 0, 3 * VF_LANES * sizeof *end);
            if (n == VF_LANES) {
                vf_store(p, a);
            } else {
                vf_store_partial(p, a, n);
            }
            for (float *q = end - 3 * VF_LANES; q < end; q++) {
                bool inside = q >= p && q < p + n;
                if (!equal(*q, inside ? numbers[q - p] : 0, false)) {
                    check_fail(check, "store of %zu: element %td is %.9g", n, q - p, (double)*q);
                }
            }
        }
    }
    memset(end - VF_LANES, 0, sizeof numbers);
    vf_store_partial(end - VF_LANES, a, VF_LANES);
    expect(check, "store_partial", vf_load(end - VF_LANES), numbers, false);
    check_end(check);
}

/* Every number of 16 bits; the last ones end at the page's end. */
static void check_halves(struct check *check)
{
    enum { NUMBERS = 1 << 16 };
    check_begin(check, "vf_load_bf16, vf_load_f16");
    for (size_t gap = 0; gap < 2; gap++) {
        char *all = check_input(check, NUMBERS / 2, gap);
        for (uint32_t first = 0; first < NUMBERS; first += VF_LANES) {
            float bf16[VF_LANES], f16[VF_LANES];
            for (uint32_t i = 0; i < VF_LANES; i++) {
                const uint16_t bits = (uint16_t)(first + i);
                memcpy(all + (first + i) * sizeof bits, &bits, sizeof bits);
                bf16[i] = vgg_bfloat16_to_float(bits);
                f16[i] = vgg_half_to_float(bits);
            }
            const char *at = all + first * sizeof(uint16_t);
            expect(check, "load_bf16", vf_load_bf16(at), bf16, false);
            expect(check, "load_f16", vf_load_f16(at), f16, false);
        }
    }
    check_end(check);
}

/* vec.h's order: halves are added until one lane is left. */
static float sum(const float *a)
{
    float lanes[VF_LANES];
    memcpy(lanes, a, sizeof lanes);
    for (int half = VF_LANES / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; i++) {
            lanes[i] += lanes[i + half];
        }
    }
    return lanes[0];
}

static void check_arithmetic(struct check *check, enum check_fill fill)
{
    check_begin(check, "vector arithmetic, %s numbers", check_fill_string(fill));
    for (int round = 0; round < ROUNDS; round++) {
        float a[VF_LANES], b[VF_LANES], c[VF_LANES], want[10][VF_LANES];
        check_fill(check, a, VF_LANES, fill);
        check_fill(check, b, VF_LANES, fill);
        check_fill(check, c, VF_LANES, fill);
        for (int i = 0; i < VF_LANES; i++) {
            want[0][i] = a[i] + b[i];
            want[1][i] = a[i] - b[i];
            want[2][i] = a[i] * b[i];
            want[3][i] = check->fused ? fmaf(a[i], b[i], c[i]) : a[i] * b[i] + c[i];
            want[4][i] = max(a[i], b[i]);
            want[5][i] = max(a[i], 0);
            want[6][i] = a[0];
            want[7][i] = 0;
            want[8][i] = a[i] / b[i];
            want[9][i] = sqrtf(a[i]);
        }
        const vf va = vf_load(a), vb = vf_load(b), vc = vf_load(c);
        expect(check, "add", vf_add(va, vb), want[0], false);
        expect(check, "sub", vf_sub(va, vb), want[1], false);
        expect(check, "mul", vf_mul(va, vb), want[2], false);
        expect(check, "fma", vf_fma(va, vb, vc), want[3], false);
        expect(check, "max", vf_max(va, vb), want[4], true);
        expect(check, "relu", vf_relu(va), want[5], true);
        expect(check, "at least 0", vf_at_least(va, vf_least(1)), want[5], true);
        expect(check, "at least -inf", vf_at_least(va, vf_least(0)), a, false);
        expect(check, "set1", vf_set1(a[0]), want[6], false);
        expect(check, "zero", vf_zero(), want[7], false);
        expect(check, "div", vf_div(va, vb), want[8], false);
        expect(check, "sqrt", vf_sqrt(va), want[9], false);
        if (!equal(vf_sum(va), sum(a), false)) {
            check_fail(check, "vf_sum: expected %.9g, got %.9g", (double)sum(a),
                       (double)vf_sum(va));
        }
    }
    check_end(check);
}

/* Products half-way between two floats, and next to that: rounding to double precision first would lose the addend. */
static void check_fused(struct check *check)
{
    static const float added[] = {0x1p-80f, -0x1p-80f, 0, 0x1p-24f, -0x1p-140f, 0x1p-47f, -1};
    check_begin(check, "vf_fma between two floats");
    for (size_t i = 0; i < sizeof added / sizeof *added; i++) {
        float a[VF_LANES], want[VF_LANES];
        for (int lane = 0; lane < VF_LANES; lane++) {
            a[lane] = 1 + ldexpf((float)(2 * lane + 1), -12);
            want[lane] =
                check->fused ? fmaf(a[lane], a[lane], added[i]) : a[lane] * a[lane] + added[i];
        }
        const vf va = vf_load(a);
        expect(check, "fma", vf_fma(va, va, vf_set1(added[i])), want, false);
    }
    check_end(check);
}

void NAME(VGG_ISA)(struct check *check)
{
    check_fused(check);
    check_loads(check);
    check_stores(check);
    check_halves(check);
    for (int fill = 0; fill < FILL_KINDS; fill++) {
        check_arithmetic(check, (enum check_fill)fill);
    }
}
