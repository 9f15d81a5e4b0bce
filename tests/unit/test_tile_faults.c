/* SPDX-License-Identifier: MIT */
/* The tests' model of the AMX tile unit (tests/kernels/model/): whatever would raise an exception on the CPU aborts with
 * a message, and what is beside it does not. The messages are printed only if a test fails. */
#include "unit.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#include "tile_config.h"

enum instruction { ZERO, LOADD, STORED, DPBF16PS, DPBUSD, INSTRUCTIONS };
static const int all_tiles[3] = {SUM, LEFT, RIGHT};

static void use(enum instruction instruction, const int tiles[3])
{
    static uint32_t memory[ROWS * WORDS];
    switch (instruction) {
    case ZERO:
        tile_unit_zero(tiles[0]);
        break;
    case LOADD:
        tile_unit_loadd(tiles[0], memory, ROW_BYTES);
        break;
    case STORED:
        tile_unit_stored(tiles[0], memory, ROW_BYTES);
        break;
    case DPBF16PS:
        tile_unit_dpbf16ps(tiles[0], tiles[1], tiles[2]);
        break;
    default:
        tile_unit_dpbusd(tiles[0], tiles[1], tiles[2]);
    }
}

static sigjmp_buf escape;

static void leave(int number)
{
    (void)number;
    siglongjmp(escape, 1);
}

/* Where standard error, a file here, ends. */
static off_t find_end_of_messages(void)
{
    return lseek(STDERR_FILENO, 0, SEEK_END);
}

/* Whether an instruction on these tiles, or (config not NULL) a configuration, calls abort(), which comes back here,
 * and says why. */
static __attribute__((noinline)) bool aborts(enum instruction instruction, const int tiles[3],
                                             const struct tile_config *config)
{
    static off_t end;
    end = find_end_of_messages();
    signal(SIGABRT, leave);
    if (sigsetjmp(escape, 1) != 0) {
        return find_end_of_messages() > end;
    }
    if (config != NULL) {
        tile_unit_loadconfig(config);
    } else {
        use(instruction, tiles);
    }
    return false;
}

/* Receives how many of the instructions do. */
static void *count_aborts(void *count)
{
    for (int i = 0; i < INSTRUCTIONS; i++) {
        *(int *)count += aborts((enum instruction)i, all_tiles, NULL);
    }
    return NULL;
}

static int count_here(void)
{
    int count = 0;
    count_aborts(&count);
    return count;
}

START_TEST(aborts_without_configuration)
{
    const struct tile_config none = {.palette = 0};
    pthread_t thread;
    int elsewhere = 0;
    ck_assert_int_eq(count_here(), INSTRUCTIONS);
    configure(4, 4, 4);
    ck_assert_int_eq(count_here(), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, count_aborts, &elsewhere), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(elsewhere, INSTRUCTIONS);
    tile_unit_release();
    ck_assert_int_eq(count_here(), INSTRUCTIONS);
    configure(4, 4, 4);
    tile_unit_loadconfig(&none);
    ck_assert_int_eq(count_here(), INSTRUCTIONS);
}
END_TEST

/* Fields of a configuration, by their offset, that must not have these values. */
static const struct {
    int at, value;
} bad_configs[] = {
    {0, 2},              /* palette */
    {1, 1},              /* first row */
    {2, 1},   {15, 1},   /* reserved */
    {16, 68}, {16, 272}, /* bytes of a row: too many, by far */
    {48, 17},            /* rows */
    {18, 0},  {49, 0},   /* none of one, but of the other */
    {51, 1},  {22, 4},   /* likewise, of a tile that had neither */
    {32, 64}, {56, 16},  /* of tiles that there are not */
};

/* The bytes of rows have 16 bits, in the order of the machine; all other fields have 8. */
static void set_field(struct tile_config *config, int at, int value)
{
    const int first = (int)offsetof(struct tile_config, row_bytes);
    if (at >= first && at < first + (int)sizeof config->row_bytes) {
        config->row_bytes[(at - first) / 2] = (uint16_t)value;
    } else {
        ((uint8_t *)config)[at] = (uint8_t)value;
    }
}

START_TEST(aborts_at_bad_configurations)
{
    const struct tile_config good = make_config(4, 4, 4);
    ck_assert(!aborts(ZERO, NULL, &good));
    for (size_t i = 0; i < sizeof bad_configs / sizeof *bad_configs; i++) {
        struct tile_config bad = good;
        set_field(&bad, bad_configs[i].at, bad_configs[i].value);
        ck_assert_msg(aborts(ZERO, NULL, &bad), "case %zu", i);
    }
    struct tile_config more = good; /* a ninth tile with both */
    more.rows[TILES] = 1;
    more.row_bytes[TILES] = 4;
    ck_assert(aborts(ZERO, NULL, &more));
}
END_TEST

/* One tile of a product 4 × 3 × 2 that has another shape. */
static const struct {
    int tile, rows, bytes;
} bad_shapes[] = {{SUM, 5, 8},   {SUM, 4, 12},  {SUM, 4, 6},    {LEFT, 5, 12}, {LEFT, 4, 16},
                  {LEFT, 4, 11}, {RIGHT, 4, 8}, {RIGHT, 3, 12}, {RIGHT, 3, 7}, {RIGHT, 0, 0}};

START_TEST(aborts_where_shapes_do_not_fit)
{
    const struct tile_config good = make_config(4, 3, 2);
    tile_unit_loadconfig(&good);
    ck_assert(!aborts(DPBF16PS, all_tiles, NULL));
    ck_assert(!aborts(DPBUSD, all_tiles, NULL));
    for (size_t i = 0; i < sizeof bad_shapes / sizeof *bad_shapes; i++) {
        struct tile_config config = good;
        config.rows[bad_shapes[i].tile] = (uint8_t)bad_shapes[i].rows;
        config.row_bytes[bad_shapes[i].tile] = (uint16_t)bad_shapes[i].bytes;
        tile_unit_loadconfig(&config);
        ck_assert_msg(aborts(DPBF16PS, all_tiles, NULL), "case %zu", i);
        ck_assert_msg(aborts(DPBUSD, all_tiles, NULL), "case %zu", i);
    }
    tile_unit_release();
}
END_TEST

START_TEST(aborts_at_bad_tiles)
{
    static const int good[3] = {LEFT, SUM, RIGHT}, shapeless[3] = {3}, absent[3] = {TILES};
    static const int bad[][3] = {{SUM, SUM, RIGHT},  {SUM, LEFT, SUM},  {SUM, LEFT, LEFT},
                                 {SUM, LEFT, TILES}, {-1, LEFT, RIGHT}, {SUM, 3, RIGHT}};
    configure(4, 4, 4);
    for (int i = 0; i < INSTRUCTIONS; i++) {
        ck_assert(!aborts((enum instruction)i, good, NULL));
        ck_assert(aborts((enum instruction)i, shapeless, NULL));
        ck_assert(aborts((enum instruction)i, absent, NULL));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_msg(aborts(DPBF16PS, bad[i], NULL), "case %zu", i);
        ck_assert_msg(aborts(DPBUSD, bad[i], NULL), "case %zu", i);
    }
    tile_unit_release();
}
END_TEST

static void copy(FILE *from, FILE *to)
{
    rewind(from);
    for (int c; (c = getc(from)) != EOF;) {
        putc(c, to);
    }
}

int main(void)
{
    const TTest *const tests[] = {aborts_without_configuration, aborts_at_bad_configurations,
                                  aborts_where_shapes_do_not_fit, aborts_at_bad_tiles};
    FILE *messages = tmpfile();
    const int standard_error = dup(STDERR_FILENO);
    if (messages == NULL || dup2(fileno(messages), STDERR_FILENO) < 0) {
        perror("standard error");
        return EXIT_FAILURE;
    }
    const int result = unit_main("tile_faults", tests, sizeof tests / sizeof *tests);
    dup2(standard_error, STDERR_FILENO);
    if (result != EXIT_SUCCESS) {
        copy(messages, stderr);
    }
    return result;
}
