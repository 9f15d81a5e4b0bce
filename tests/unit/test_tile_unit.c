/* SPDX-License-Identifier: MIT */
/* The tests' model of the AMX tile unit (tests/kernels/model/): products against the words of its specification, one
 * operation after the other; the same bits whatever the thread does with denormals; memory that loads and stores
 * touch; one unit per thread. */
#include "unit.h"

#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/cpu.h"
#include "tile_config.h"

/* SplitMix64. */
static uint32_t next(uint64_t *random)
{
    uint64_t z = *random += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ (z >> 31)) >> 32);
}

/* --- bfloat16 --------------------------------------------------------------------------------- */

/* Operands and the tile that the product is added to, row by row without gaps. */
struct product {
    int rows, depth, columns;
    uint32_t left[ROWS * WORDS], right[ROWS * WORDS], sum[ROWS * WORDS];
};

static void run(struct product *p)
{
    configure(p->rows, p->depth, p->columns);
    tile_unit_loadd(SUM, p->sum, 4 * p->columns);
    tile_unit_loadd(LEFT, p->left, 4 * p->depth);
    tile_unit_loadd(RIGHT, p->right, 4 * p->columns);
    tile_unit_dpbf16ps(SUM, LEFT, RIGHT);
    tile_unit_stored(SUM, p->sum, 4 * p->columns);
    tile_unit_release();
}

static float number(uint32_t bits)
{
    float value;
    bits = (bits & 0x7f800000) == 0 ? bits & 0x80000000 : bits; /* a denormal is zero */
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* a * b + c rounded once, and flushed to zero where it is then, with any exponent, below 2^-126. */
static float multiply_add(float a, float b, float c)
{
    const float result = fmaf(a, b, c);
    if (result == 0 || !(fabsf(result) < 0x1p-120f)) {
        return result;
    }
    const bool left = fabsf(a) < fabsf(b);
    const float scaled = fmaf(left ? a * 0x1p60f : a, left ? b : b * 0x1p60f, c * 0x1p60f);
    return fabsf(scaled) < 0x1p-66f ? copysignf(0, scaled) : scaled * 0x1p-60f;
}

/* Element 0 or 1 of a pair. */
static float element_of(uint32_t pair, int element)
{
    return number(element == 0 ? pair << 16 : pair & 0xffff0000);
}

/* What element (m, n) of the product becomes: two chains over k, their sum, and the sum with what was there. */
static float expect(const struct product *p, int m, int n)
{
    float chains[2] = {0, 0};
    for (int k = 0; k < p->depth; k++) {
        for (int i = 0; i < 2; i++) {
            chains[i] = multiply_add(element_of(p->left[m * p->depth + k], i),
                                     element_of(p->right[k * p->columns + n], i), chains[i]);
        }
    }
    const float sum = multiply_add(1, chains[0], chains[1]);
    return multiply_add(1, number(p->sum[m * p->columns + n]), sum);
}

/* The same in one chain, which is not what the unit does. */
static float expect_one_chain(const struct product *p, int m, int n)
{
    float chain = number(p->sum[m * p->columns + n]);
    for (int i = 0; i < 2 * p->depth; i++) {
        chain = multiply_add(element_of(p->left[m * p->depth + i / 2], i % 2),
                             element_of(p->right[i / 2 * p->columns + n], i % 2), chain);
    }
    return chain;
}

static bool is_same(float a, uint32_t bits)
{
    uint32_t wanted;
    float b;
    memcpy(&wanted, &a, sizeof wanted);
    memcpy(&b, &bits, sizeof b);
    return wanted == bits || (isnan(a) && isnan(b));
}

/* Numbers of any exponent, of some in the middle, or of some whose products are about as small as float32 can be. */
enum exponents { ANY, ORDINARY, SMALL, EXPONENTS };

static void fill(uint32_t *words, uint64_t *random, enum exponents exponents)
{
    for (int i = 0; i < ROWS * WORDS; i++) {
        const uint32_t word = next(random);
        words[i] = exponents == ANY ? word
                   : exponents == ORDINARY
                       ? (word & 0x87ff87ff) | 0x38003800
                       : (word & 0x80ff80ff) | (0x1f001f00 + (word & 0x01000100));
    }
}

static struct product make_product(uint64_t *random, enum exponents exponents)
{
    struct product p = {.rows = 1 + (int)(next(random) % ROWS),
                        .depth = 1 + (int)(next(random) % WORDS),
                        .columns = 1 + (int)(next(random) % WORDS)};
    fill(p.left, random, exponents);
    fill(p.right, random, exponents);
    fill(p.sum, random, exponents == SMALL ? ANY : exponents);
    return p;
}

START_TEST(multiplies_as_specified)
{
    uint64_t random = 1;
    int other = 0;
    for (int round = 0; round < 2000; round++) {
        const struct product p = make_product(&random, (enum exponents)(round % EXPONENTS));
        struct product made = p;
        run(&made);
        for (int i = 0; i < p.rows * p.columns; i++) {
            const float want = expect(&p, i / p.columns, i % p.columns);
            ck_assert_msg(is_same(want, made.sum[i]), "round %d, element %d: expected %a, got %08x",
                          round, i, (double)want, made.sum[i]);
            other += !is_same(expect_one_chain(&p, i / p.columns, i % p.columns), made.sum[i]);
        }
    }
    ck_assert_int_gt(other, 1000); /* another order gives other bits */
}
END_TEST

/* Up to three pairs times three pairs; each case says which operation it is about. */
static const struct {
    float left[6], right[6], sum, want;
} edges[] = {
    {{1, 2, 3, 4}, {5, 6, 7, 8}, 9, 79},
    /* ties to even, in a chain and in the last sum */
    {{1, 0, 0x1p-12f, 0}, {1, 0, 0x1p-12f, 0}, 0, 1},
    {{0x1.02p0f, 0, 0x1p-12f, 0}, {0x1.02p0f, 0, 0x1p-12f, 0}, 0, 0x1.0404p0f},
    {{1, 0, 0, 0}, {0x1p-24f, 0, 0, 0}, 0x1.000002p0f, 0x1.000004p0f},
    {{1, 0, 0, 0}, {0x1p-24f, 0, 0, 0}, 1, 1},
    /* both chains are added to each other first: 2^24 + 1 is lost, 1 + 1 is not */
    {{1, 1, 0, 0}, {1, 1, 0, 0}, 0x1p24f, 0x1.000002p24f},
    /* fused: a product beyond float32 meets a sum that brings it back */
    {{-0x1p127f, 0, 0x1p64f, 0}, {1.5f, 0, 0x1p64f, 0}, 0, 0x1p126f},
    {{0x1p64f, 0, -0x1p127f, 0}, {0x1p64f, 0, 1.5f, 0}, 0, INFINITY}, /* too late */
    /* denormals are zero: of the left, the right, the sum */
    {{0x1p-127f, 0, 0, 0}, {0x1p100f, 0, 0, 0}, 0, 0},
    {{0x1p100f, 0, 0, 0}, {0x1p-133f, 0, 0, 0}, 1, 1},
    {{1, 0, 0, 0}, {0x1p-126f, 0, 0, 0}, 0x1p-127f, 0x1p-126f},
    /* and so are results, products in a chain and sums; of which what rounds to 2^-126 is none */
    {{0x1p-63f, 0, 0, 0}, {0x1p-64f, 0, 0, 0}, 0, 0},
    {{-0x1p-100f, 0, 0, 0}, {0x1p-100f, 0, 0, 0}, 0, 0},
    {{0x1.8p-126f, -0x1p-126f, 0, 0}, {1, 1, 0, 0}, 0, 0},
    {{0x1.8p-126f, 0, -0x1p-126f, 0, 0x1p-126f, 0}, {1, 0, 1, 0, 1, 0}, 0, 0x1p-126f},
    {{0x1.8p-126f, 0, 0x1p-63f, 0, 0x1p-126f, 0}, {1, 0, -0x1p-63f, 0, 1, 0}, 0, 0x1p-126f},
    {{0x1p-63f, 0, 0x1p-63f, 0, 0x1p-63f, 0}, {0x1p-64f, 0, 0x1p-64f, 0, 0x1p-64f, 0}, 0, 0},
    {{0x1p-63f, 0, -0x1p-75f, 0}, {0x1p-63f, 0, 0x1p-75f, 0}, 0, 0},
    {{0x1p-63f, 0, -0x1p-75f, 0}, {0x1p-63f, 0, 0x1p-76f, 0}, 0, 0x1p-126f},
    {{0x1p-63f, 0, 0x1p-75f, 0}, {0x1p-63f, 0, 0x1p-74f, 0}, 0, 0x1.000002p-126f},
    /* zeros have the sign that sums have */
    {{0, 0, 0, 0}, {1, 1, 1, 1}, -0.0f, 0},
    /* infinities and NaN */
    {{0x1p100f, 0, 0, 0}, {0x1p100f, 0, 0, 0}, 0, INFINITY},
    {{INFINITY, 0, 0, 0}, {-1, 0, 0, 0}, 1, -INFINITY},
    {{INFINITY, INFINITY, 0, 0}, {1, -1, 0, 0}, 0, NAN},
    {{INFINITY, 0, 0, 0}, {0, 0, 0, 0}, 0, NAN},
    {{INFINITY, 0, 0, 0}, {0x1p-127f, 0, 0, 0}, 0, NAN},
    {{NAN, 0, 0, 0}, {0, 0, 0, 0}, 0, NAN},
    {{0, 0, 0, 0}, {0, 0, 0, 0}, NAN, NAN},
};

static uint32_t pair_of(const float elements[2])
{
    uint32_t bits[2];
    memcpy(bits, elements, sizeof bits);
    ck_assert_uint_eq((bits[0] | bits[1]) & 0xffff, 0);
    return bits[0] >> 16 | bits[1];
}

START_TEST(rounds_at_edges)
{
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        struct product p = {.rows = 1, .depth = 3, .columns = 1};
        for (int k = 0; k < 3; k++) {
            p.left[k] = pair_of(&edges[i].left[2 * k]);
            p.right[k] = pair_of(&edges[i].right[2 * k]);
        }
        memcpy(p.sum, &edges[i].sum, sizeof edges[i].sum);
        run(&p);
        ck_assert_msg(is_same(edges[i].want, p.sum[0]), "case %zu: expected %a, got %08x", i,
                      (double)edges[i].want, p.sum[0]);
    }
}
END_TEST

START_TEST(does_not_mind_the_threads_mode)
{
    uint64_t random = 2;
    for (int round = 0; round < 1000; round++) {
        struct product with = make_product(&random, ANY), without = with;
        run(&with);
        const uint64_t mode = vgg_denormals_off();
        run(&without);
        vgg_denormals_restore(mode);
        for (int i = 0; i < with.rows * with.columns; i++) {
            float value;
            memcpy(&value, &with.sum[i], sizeof value);
            ck_assert_msg(is_same(value, without.sum[i]), "round %d, element %d: %08x and %08x",
                          round, i, with.sum[i], without.sum[i]);
        }
    }
}
END_TEST

/* --- bytes ------------------------------------------------------------------------------------ */

START_TEST(multiplies_bytes)
{
    uint64_t random = 3;
    for (int round = 0; round < 500; round++) {
        struct product p = make_product(&random, ANY), made;
        if (round % 4 == 0) { /* the largest products, which wrap a sum around */
            memset(p.left, 0xff, sizeof p.left);
            memset(p.right, round % 8 == 0 ? 0x80 : 0x7f, sizeof p.right);
            memset(p.sum, round % 8 == 0 ? 0x80 : 0x7f, sizeof p.sum);
        }
        made = p;
        configure(p.rows, p.depth, p.columns);
        tile_unit_loadd(SUM, made.sum, 4 * p.columns);
        tile_unit_loadd(LEFT, made.left, 4 * p.depth);
        tile_unit_loadd(RIGHT, made.right, 4 * p.columns);
        tile_unit_dpbusd(SUM, LEFT, RIGHT);
        tile_unit_stored(SUM, made.sum, 4 * p.columns);
        for (int i = 0; i < p.rows * p.columns; i++) {
            const uint8_t *left = (const uint8_t *)&p.left[i / p.columns * p.depth];
            int64_t sum = (int32_t)p.sum[i];
            for (int k = 0; k < p.depth; k++) {
                const int8_t *right = (const int8_t *)&p.right[k * p.columns + i % p.columns];
                for (int byte = 0; byte < 4; byte++) {
                    sum += left[4 * k + byte] * right[byte];
                }
            }
            ck_assert_uint_eq(made.sum[i], (uint32_t)sum);
        }
    }
    tile_unit_release();
}
END_TEST

/* --- memory and threads ----------------------------------------------------------------------- */

/* Rows of 3 words, 5 of them, at any distance; what lies between stays. */
START_TEST(loads_and_stores_rows)
{
    enum { WIDTH = 3, HEIGHT = 5, BYTES = 400 };
    uint8_t from[BYTES], to[BYTES], want[BYTES];
    for (int stride = 12; stride <= 64; stride += 13) {
        for (int i = 0; i < BYTES; i++) {
            from[i] = (uint8_t)(i * 7);
            to[i] = want[i] = 0xee;
        }
        for (int row = 0; row < HEIGHT; row++) {
            memcpy(want + 1 + row * (stride + 1), from + 3 + row * stride, (size_t)WIDTH * 4);
        }
        configure(HEIGHT, 1, WIDTH);
        tile_unit_loadd(SUM, from + 3, stride);
        tile_unit_stored(SUM, to + 1, stride + 1);
        ck_assert_mem_eq(to, want, sizeof to);
        memset(want, 0, sizeof want);
        tile_unit_zero(SUM);
        tile_unit_stored(SUM, to, WIDTH * 4);
        ck_assert_mem_eq(to, want, (size_t)HEIGHT * WIDTH * 4);
        tile_unit_release();
        ck_assert(!tile_unit_is_configured());
    }
}
END_TEST

static void *use_other_shape(void *context)
{
    const uint32_t word = 7;
    uint32_t *read = context;
    ck_assert(!tile_unit_is_configured());
    configure(1, 1, 1);
    tile_unit_loadd(SUM, &word, 4);
    tile_unit_stored(SUM, read, 4);
    return NULL;
}

START_TEST(each_thread_has_a_unit)
{
    uint32_t words[4] = {1, 2, 3, 4}, read[4] = {0}, other = 0;
    pthread_t thread;
    configure(2, 1, 2);
    tile_unit_loadd(SUM, words, 8);
    ck_assert_int_eq(pthread_create(&thread, NULL, use_other_shape, &other), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_uint_eq(other, 7);
    tile_unit_stored(SUM, read, 8);
    ck_assert_mem_eq(read, words, sizeof read);
    tile_unit_release();
}
END_TEST

UNIT_MAIN("tile_unit", multiplies_as_specified, rounds_at_edges, does_not_mind_the_threads_mode,
          multiplies_bytes, loads_and_stores_rows, each_thread_has_a_unit)
