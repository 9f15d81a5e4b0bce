/* SPDX-License-Identifier: MIT */
/* Numbers, guarded memory and comparisons; see check.h. */
#include "check.h"

#include <float.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CANARIES = 64, MAX_REPORTS = 3 };
static const uint32_t canary_bits = 0x7fc0dead; /* a NaN that no kernel makes */
static const uint32_t some_nan_bits = 0x7fc00000;

/* 64-bit FNV-1a. */
static uint64_t hash(const char *text)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *text != '\0'; text++) {
        h = (h ^ (uint8_t)*text) * 0x100000001b3u;
    }
    return h;
}

static void name_and_seed(struct check *check, const char *format, va_list args)
{
    vsnprintf(check->name, sizeof check->name, format, args);
    check->random = check->seed ^ hash(check->name);
}

void check_begin(struct check *check, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    name_and_seed(check, format, args);
    va_end(args);
    check->faults = 0;
}

void check_seed(struct check *check, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    name_and_seed(check, format, args);
    va_end(args);
}

void check_end(struct check *check)
{
    if (check->faults == 0) {
        check->passed++;
    } else {
        check->failed++;
    }
    for (int i = 0; i < check->block_count; i++) {
        munmap(check->blocks[i].start, check->blocks[i].bytes);
    }
    check->block_count = 0;
}

void check_add(struct check_totals *totals, const struct check *check)
{
    totals->tables++;
    totals->passed += check->passed;
    totals->failed += check->failed;
}

void check_end_comparison(struct check_totals *totals, const struct check *check,
                          const struct check *other)
{
    const size_t count = check->outputs->count;
    check_add(totals, check);
    check_add(totals, other);
    printf("%s: %zu outputs, compared with %zu of %s\n", other->isa, other->compared, count,
           check->isa);
    totals->failed += count == 0 || other->compared != count;
    free(check->outputs->bits);
}

void check_fail(struct check *check, const char *format, ...)
{
    va_list args;
    if (check->faults++ >= MAX_REPORTS) {
        return;
    }
    printf("%s %s: ", check->isa, check->name);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

/* SplitMix64. */
uint64_t check_random(struct check *check)
{
    uint64_t z = check->random += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

int check_range(struct check *check, int low, int high)
{
    return low + (int)(check_random(check) % (uint64_t)(high - low + 1));
}

static float ordinary(struct check *check)
{
    return (float)((int64_t)(check_random(check) >> 39) - (1 << 24)) / (1 << 24);
}

const char *check_fill_string(enum check_fill fill)
{
    static const char *const names[FILL_KINDS] = {
        "ordinary", "positive", "nan", "infinite", "denormal", "huge", "overflow", "zero", "mixed"};
    return names[fill];
}

static float number(struct check *check, enum check_fill fill)
{
    switch (fill) {
    case FILL_POSITIVE:
        return ordinary(check) * 0.25f + 0.75f;
    case FILL_DENORMAL:
        return ordinary(check) * 1e-39f;
    case FILL_HUGE:
        return ordinary(check) * 1e30f;
    case FILL_OVERFLOW:
        return (2 + ordinary(check)) * 1e38f;
    case FILL_ZERO:
        return check_random(check) % 2 == 0 ? 0.0f : -0.0f;
    case FILL_MIXED: {
        static const float rare[] = {NAN, INFINITY, -INFINITY, FLT_MAX, -FLT_MAX, FLT_MIN};
        const uint64_t choice = check_random(check) % 16;
        return choice < 6 ? rare[choice] : number(check, (enum check_fill)(choice % FILL_MIXED));
    }
    default:
        return ordinary(check);
    }
}

void check_fill(struct check *check, float *out, size_t count, enum check_fill fill)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = number(check, fill);
    }
    for (int i = 0; i < 3 && (fill == FILL_NAN || fill == FILL_INFINITE); i++) {
        float rare = i % 2 == 0 ? INFINITY : -INFINITY;
        out[check_random(check) % count] = fill == FILL_NAN ? NAN : rare;
    }
}

/* Cleared memory that ends at an unmapped page. */
static char *map(struct check *check, size_t bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t whole = (bytes + page - 1) / page * page;
    char *start =
        mmap(NULL, whole + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED || mprotect(start + whole, page, PROT_NONE) != 0 ||
        check->block_count == sizeof check->blocks / sizeof check->blocks[0]) {
        fprintf(stderr, "%s: cannot map %zu bytes\n", check->name, bytes);
        exit(EXIT_FAILURE);
    }
    check->blocks[check->block_count++] = (struct check_block){start, whole + page};
    return start + whole - bytes;
}

void *check_scratch(struct check *check, size_t count, size_t bytes)
{
    return map(check, (count * bytes + 63) / 64 * 64);
}

void *check_input(struct check *check, size_t count, size_t gap)
{
    return map(check, count * sizeof(float) + gap);
}

float *check_output(struct check *check, size_t count)
{
    const size_t all = (count + 2 * CANARIES + 15) / 16 * 16;
    uint32_t *start = (uint32_t *)(void *)map(check, all * sizeof(float));
    for (size_t i = 0; i < all; i++) {
        start[i] = canary_bits;
    }
    return (float *)(void *)(start + CANARIES);
}

/* --- outputs ---------------------------------------------------------------------------------- */

void check_note(struct check *check, uint32_t bits)
{
    struct check_outputs *outputs = check->outputs;
    const struct check_outputs *expected = check->expected;
    if (expected != NULL) {
        const size_t at = check->compared++;
        if (at >= expected->count || expected->bits[at] != bits) {
            check_fail(check, "output %zu: expected bits %08x, got %08x", at,
                       at < expected->count ? expected->bits[at] : 0, bits);
        }
    }
    if (outputs == NULL) {
        return;
    }
    if (outputs->count == outputs->capacity) {
        outputs->capacity = 2 * outputs->capacity + 1024;
        outputs->bits = realloc(outputs->bits, outputs->capacity * sizeof *outputs->bits);
        if (outputs->bits == NULL) {
            fprintf(stderr, "%s: out of memory for outputs\n", check->name);
            exit(EXIT_FAILURE);
        }
    }
    outputs->bits[outputs->count++] = bits;
}

/* Which NaN it is may differ, but not whether one has been written. */
void check_note_float(struct check *check, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    check_note(check, isnan(value) && bits != canary_bits ? some_nan_bits : bits);
}

float check_take(struct check *check, float *p)
{
    const float value = *p;
    check_note_float(check, value);
    memcpy(p, &canary_bits, sizeof canary_bits);
    return value;
}

uint8_t check_take_byte(struct check *check, uint8_t *p)
{
    const uint8_t value = *p;
    *p = ((const uint8_t *)&canary_bits)[(uintptr_t)p % sizeof canary_bits];
    check_note(check, value);
    return value;
}

/* --- V ---------------------------------------------------------------------------------------- */

/* V of split numbers (vec_amx.h): a word of a term consists of the upper halves of two blocks' numbers. */
enum { TERM_WORDS = 512, PAIR_WORDS = 3 * TERM_WORDS, ROW_WORDS = 16, GROUP_TILES = 32 };

static size_t v_index(const struct check *check, ptrdiff_t block_stride, int blocks, int block,
                      int t, int lane)
{
    if (check->kernels->v_terms == 1) {
        return (size_t)(block * block_stride + t * check->kernels->lanes + lane);
    }
    const int pair = t / GROUP_TILES * ((blocks + 1) / 2) + block / 2;
    return (size_t)(pair * PAIR_WORDS + t % GROUP_TILES * ROW_WORDS + lane);
}

float check_read_v(const struct check *check, const float *v, ptrdiff_t block_stride, int blocks,
                   int block, int t, int lane)
{
    const float *at = v + v_index(check, block_stride, blocks, block, t, lane);
    if (check->kernels->v_terms == 1) {
        return *at;
    }
    float sum = 0;
    for (int term = 2; term >= 0; term--) {
        uint32_t word;
        float number;
        memcpy(&word, at + term * TERM_WORDS, sizeof word);
        word = block % 2 == 0 ? word << 16 : word & 0xffff0000;
        memcpy(&number, &word, sizeof number);
        sum = isinf(number) && term == 0 ? number : sum + number;
    }
    return sum;
}

void check_write_v(const struct check *check, float *v, ptrdiff_t block_stride, int blocks,
                   int block, int t, int lane, float value)
{
    float *at = v + v_index(check, block_stride, blocks, block, t, lane);
    if (check->kernels->v_terms == 1) {
        *at = value;
        return;
    }
    for (int term = 0; term < 3; term++) {
        uint32_t bits, word;
        float upper;
        memcpy(&bits, &value, sizeof bits);
        memcpy(&word, at + term * TERM_WORDS, sizeof word);
        bits &= 0xffff0000;
        word = block % 2 == 0 ? (word & 0xffff0000) | bits >> 16 : (word & 0xffff) | bits;
        memcpy(at + term * TERM_WORDS, &word, sizeof word);
        memcpy(&upper, &bits, sizeof upper);
        value -= upper;
    }
}

void check_untake_v(struct check *check, float *v, ptrdiff_t block_stride, int blocks, int block,
                    int t, int lane)
{
    float *at = v + v_index(check, block_stride, blocks, block, t, lane);
    for (int term = 0; term < check->kernels->v_terms; term++) {
        uint32_t word;
        memcpy(&word, at + term * TERM_WORDS, sizeof word);
        check_note(check, word);
        memcpy(at + term * TERM_WORDS, &canary_bits, sizeof canary_bits);
    }
}

void check_untouched(struct check *check, const float *output, size_t count)
{
    for (size_t i = 0; i < count + 2 * CANARIES; i++) {
        if (memcmp(output - CANARIES + i, &canary_bits, sizeof canary_bits) != 0) {
            check_fail(check, "wrote to output element %td of %zu", (ptrdiff_t)i - CANARIES, count);
        }
    }
}

void check_same(struct check *check, const char *what, const float *a, const float *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (memcmp(a + i, b + i, sizeof *a) != 0) {
            check_fail(check, "%s: element %zu: %.9g, not %.9g", what, i, (double)b[i],
                       (double)a[i]);
        }
    }
}

void check_value(struct check *check, const char *where, size_t index, float got, double want,
                 double magnitude, double operations, double slack)
{
    const double n = operations > 0 ? operations + 1 : 0, u = ldexp(1, -24);
    const double relative = n * u / (1 - n * u), max = (double)FLT_MAX;
    const double bound = relative * magnitude + n * ldexp(1, -150) + slack;
    if (isnan(want) || isinf(want)) {
        if (isnan(want) ? !isnan(got) : (double)got != want) {
            check_fail(check, "%s %zu: expected %g, got %.9g", where, index, want, (double)got);
        }
        return;
    }
    if (magnitude * (1 + relative) >= max) {
        /* A partial sum may overflow: only where all terms have one sign is the result certain. */
        const bool one_sign = fabs(want) >= magnitude * (1 - 1e-9);
        if (one_sign && fabs(want) - bound > max * (1 + u) &&
            (double)got != copysign(HUGE_VAL, want)) {
            check_fail(check, "%s %zu: expected overflow, got %.9g", where, index, (double)got);
        }
        return;
    }
    const double error = fabs((double)got - want);
    if (!(error <= bound)) {
        check_fail(check, "%s %zu: expected %.9g, got %.9g: error %.3g, bound %.3g", where, index,
                   want, (double)got, error, bound);
    } else if (bound > 0 && slack <= 0 && error / bound > check->worst) {
        check->worst = error / bound;
        memcpy(check->worst_name, check->name, sizeof check->name);
    }
}

static const struct check *watched;

static void tell_fault(int number)
{
    static const char text[] = " touched memory outside its arguments\n";
    (void)!write(STDOUT_FILENO, watched->isa, strlen(watched->isa));
    (void)!write(STDOUT_FILENO, " ", 1);
    (void)!write(STDOUT_FILENO, watched->name, strlen(watched->name));
    (void)!write(STDOUT_FILENO, text, sizeof text - 1);
    signal(number, SIG_DFL);
    raise(number);
}

void check_watch(const struct check *check)
{
    watched = check;
    signal(SIGSEGV, tell_fault);
    signal(SIGBUS, tell_fault);
}
