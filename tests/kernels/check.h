/* SPDX-License-Identifier: MIT */
/* What all checks of kernels share: numbers, guarded memory, and the comparison with the reference.
 *
 * The error allowed to a float32 kernel. Let u = 2^-24. Each operation yields the exact result times 1 + d,
 * |d| <= u, plus at most 2^-150 where a product is denormal (denormal sums are exact). So a term of a sum that goes
 * through n such operations is off by a factor between (1 - u)^n and (1 + u)^n, and the sum by at most
 *
 *     ((1 + u)^n - 1) Σ|terms| + n 2^-150  <=  n u / (1 - n u) Σ|terms| + n 2^-150
 *
 * The reference's products are exact in double precision; its sum of K terms is off by K 2^-53 Σ|terms|,
 * less than one more u for any K here. The terms of
 *     conv_*         go through K = ic kernel² multiply-adds, the first one through all of them
 *     gemm           go through K = ic multiply-adds, likewise; in three terms (vec_amx.h) through the sum
 *                    of 16 pairs of products, of both halves, and 6 additions for every 32 channels, and
 *                    the omitted products amount to up to 8 u
 *     winograd_*     go through the multiply-adds of one row of a matrix, twice: rows, then columns; no
 *                    coefficient is split into terms of both signs, so Σ|terms| is |a| |x| |aᵀ|
 *     F(m) composed  go through both transforms, one rounding of the filter, ic multiply-adds, the bias;
 *                    Σ|terms| is |Aᵀ| (Σ (|G| |g| |Gᵀ|) ⊙ (|Bᵀ| |d| |B|)) |A|, which is what makes a
 *                    larger m less exact
 *     linear         go through K / L multiply-adds, log2 L pairwise sums and the sum with the bias
 *     columns        go through the multiply-adds of a block of inputs, the sum of the blocks and that with
 *                    the bias; weights of 16 bits are widened exactly
 *     avg_pool       go through all additions of the window and two divisions
 *     scale_shift    go through one multiply-add
 *     general_conv   go through the multiply-adds of all products, as do those of depthwise_conv
 *     general_pool   go through all additions of the window and a division
 *     apply_function see check_functions.c
 *     lrn            are positive, and their sum goes through a power: see check_lrn.c
 * where a multiply-add that is not fused is two operations for the term that it multiplies. Everything else is exact. So
 * the bound uses n + 1 operations, and no other constant. */
#ifndef VGG_TESTS_KERNELS_CHECK_H
#define VGG_TESTS_KERNELS_CHECK_H

#include <stdbool.h>

#include "kernels/kernels.h"

/* All outputs of a table's kernels, in the order of the checks. */
struct check_outputs {
    uint32_t *bits;
    size_t count, capacity;
};

/* The checks of one ISA. */
struct check {
    const char *isa;
    const struct vgg_kernels *kernels;   /* of check_kernels */
    const struct vgg_int8_kernels *int8; /* of check_int8 */
    bool fused;                          /* a multiply-add rounds once */
    uint64_t seed;                       /* of all numbers that are drawn */
    uint64_t random;                     /* state of the generator, which each case starts anew */
    int passed, failed;
    /* NULL, or receives the outputs. */
    struct check_outputs *outputs;
    /* NULL, or the bits that the outputs must have, and how many have been compared. */
    const struct check_outputs *expected;
    size_t compared;
    /* The largest error so far, as a fraction of its bound. */
    double worst;
    char worst_name[128];

    /* The current case. */
    char name[128];
    int faults;
    struct check_block {
        void *start;
        size_t bytes;
    } blocks[64];
    int block_count;
};

/* Each check is one begin and one end; end counts it and frees all its memory. begin also seeds the generator, with the
 * case's name and `seed`: a case draws the same numbers whichever cases are checked before it. */
void check_begin(struct check *check, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void check_end(struct check *check);
/* Seeds the generator likewise, to draw a case itself before it has a name. */
void check_seed(struct check *check, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Tells what is wrong with the case at hand. */
void check_fail(struct check *check, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Sums of all tables. */
struct check_totals {
    int tables, passed, failed;
};
void check_add(struct check_totals *totals, const struct check *check);
/* Adds a table, frees its outputs, and adds another one, which must have as many outputs. */
void check_end_comparison(struct check_totals *totals, const struct check *check,
                          const struct check *other);

/* Random numbers: any 64 bits; an integer low … high. */
uint64_t check_random(struct check *check);
int check_range(struct check *check, int low, int high);

/* Kinds of numbers to compute with. */
enum check_fill {
    FILL_ORDINARY, /* -1 … 1 */
    FILL_POSITIVE, /* 0.5 … 1 */
    FILL_NAN,      /* ordinary, with a few NaN */
    FILL_INFINITE, /* ordinary, with a few infinities of both signs */
    FILL_DENORMAL, /* 1e-39 times ordinary */
    FILL_HUGE,     /* 1e30 times ordinary: sums stay finite */
    FILL_OVERFLOW, /* 1e38 … 3e38: sums do not */
    FILL_ZERO,     /* zeros of both signs */
    FILL_MIXED,    /* each number is of any kind */
    FILL_KINDS,
};
const char *check_fill_string(enum check_fill fill);
void check_fill(struct check *check, float *out, size_t count, enum check_fill fill);

/* Memory of the current case. Scratch is cleared. The last byte of an input is `gap` (0 … 3) bytes before an unmapped
 * page. An output is filled with canaries and surrounded by them. */
void *check_scratch(struct check *check, size_t count, size_t bytes);
void *check_input(struct check *check, size_t count, size_t gap);
float *check_output(struct check *check, size_t count);

/* Returns the value at *p and replaces it by a canary. When all values have been taken, a kernel that wrote nothing else
 * has left canaries everywhere. */
float check_take(struct check *check, float *p);
uint8_t check_take_byte(struct check *check, uint8_t *p);
/* Records 32 bits, or a float, as an output of a kernel; all NaN count as the same. The functions that take outputs do
 * that themselves. */
void check_note(struct check *check, uint32_t bits);
void check_note_float(struct check *check, float value);
void check_untouched(struct check *check, const float *output, size_t count);
/* Fails unless two outputs have the same bits. */
void check_same(struct check *check, const char *what, const float *a, const float *b,
                size_t count);

/* Reads or writes a number of V at a frequency (kernels.h); it is NaN where none was written. Where numbers are split into
 * terms, an infinity is read from the first, because the others are then NaN. */
float check_read_v(const struct check *check, const float *v, ptrdiff_t block_stride, int blocks,
                   int block, int t, int lane);
void check_write_v(const struct check *check, float *v, ptrdiff_t block_stride, int blocks,
                   int block, int t, int lane, float value);
/* Puts canaries back in place of a number, and of those of all blocks that are stored with it. */
void check_untake_v(struct check *check, float *v, ptrdiff_t block_stride, int blocks, int block,
                    int t, int lane);

/* Compares with the reference. NaN must be NaN, and an infinity must be the same infinity.
 *   magnitude   Σ|terms|
 *   operations  n of the bound above; 0: exact, except for the sign of zero
 *   slack       additional absolute error, usually 0 */
void check_value(struct check *check, const char *where, size_t index, float got, double want,
                 double magnitude, double operations, double slack);

/* The operations that a product of gemm goes through. */
static inline double check_gemm_operations(const struct check *check, int ic)
{
    return check->kernels->v_terms == 1 ? ic + !check->fused : 16 + 1 + 6 * ((ic + 31) / 32) + 8;
}

/* a / b rounded up. */
static inline int check_ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}
/* The reference's ReLU: NaN stays. */
static inline double check_relu(double a)
{
    return a <= 0 ? 0 : a;
}

/* From now on, a kernel that reads beyond its input prints the case before the program ends. */
void check_watch(const struct check *check);

/* The checks, by file. */
void check_conv(struct check *check);
void check_winograd(struct check *check);
void check_gemm(struct check *check);
void check_composed(struct check *check);
void check_linear(struct check *check);
void check_columns(struct check *check);
void check_pools(struct check *check);
void check_lrn(struct check *check);
void check_general_conv(struct check *check);
void check_general_pools(struct check *check);
void check_functions(struct check *check);
/* vec_check_tmpl.c, compiled once per ISA. */
void check_vec_scalar(struct check *check);
void check_vec_avx2(struct check *check);
void check_vec_avx512(struct check *check);
void check_vec_avx512_model(struct check *check);
void check_vec_neon(struct check *check);
/* split_check_tmpl.c, likewise. */
void check_split_amx(struct check *check);
void check_split_amx_model(struct check *check);

/* Times the same calls. */
void bench_kernels(const struct vgg_kernels *kernels);

#endif
