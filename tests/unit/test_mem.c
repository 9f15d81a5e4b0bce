/* SPDX-License-Identifier: MIT */
/* base/mem: checked sizes, alignment, arenas. */
#include "unit.h"

#include <string.h>

#include "base/mem.h"

START_TEST(checks_sizes)
{
    size_t out = 7;
    ck_assert(vgg_size_mul(SIZE_MAX / 2, 2, &out));
    ck_assert_uint_eq(out, SIZE_MAX - 1);
    ck_assert(!vgg_size_mul(SIZE_MAX / 2 + 1, 2, &out));
    ck_assert(vgg_size_add(SIZE_MAX - 1, 1, &out));
    ck_assert_uint_eq(out, SIZE_MAX);
    ck_assert(!vgg_size_add(SIZE_MAX, 1, &out));
    ck_assert_uint_eq(vgg_size_round_up(0, 64), 0);
    ck_assert_uint_eq(vgg_size_round_up(1, 64), 64);
    ck_assert_uint_eq(vgg_size_round_up(64, 64), 64);
}
END_TEST

START_TEST(aligns_blocks)
{
    for (size_t bytes = 0; bytes < 300; bytes += 37) {
        uint8_t *block = vgg_aligned_alloc(NULL, bytes);
        ck_assert_ptr_nonnull(block);
        ck_assert_uint_eq((uintptr_t)block % VGG_ALIGN_BYTES, 0);
        memset(block, 1, bytes);
        vgg_mem_free(NULL, block);
    }
    ck_assert_ptr_null(vgg_aligned_alloc(NULL, SIZE_MAX));
    vgg_mem_free(NULL, NULL);
}
END_TEST

START_TEST(gives_huge_blocks)
{
    const size_t page = 2 << 20;
    for (size_t bytes = 0; bytes < 5 * page; bytes += page - 1) {
        uint8_t *block = vgg_huge_alloc(NULL, bytes);
        ck_assert_ptr_nonnull(block);
        ck_assert_uint_eq((uintptr_t)block % (bytes < 2 * page ? VGG_ALIGN_BYTES : page), 0);
        memset(block, 1, bytes);
        vgg_mem_free(NULL, block);
    }
    ck_assert_ptr_null(vgg_huge_alloc(NULL, SIZE_MAX));
    ck_assert_ptr_null(vgg_huge_alloc(NULL, PTRDIFF_MAX));
}
END_TEST

START_TEST(keeps_many_blocks)
{
    struct vgg_arena arena = {0};
    uint8_t *blocks[1000];
    for (size_t i = 0; i < 1000; i++) {
        size_t size = i % 100 == 99 ? 50000 : i % 50;
        blocks[i] = vgg_arena_alloc(&arena, size, 1);
        ck_assert_ptr_nonnull(blocks[i]);
        ck_assert_uint_eq((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
        for (size_t k = 0; k < size; k++) {
            ck_assert_uint_eq(blocks[i][k], 0);
        }
        memset(blocks[i], (int)(i & 0xff), size);
    }
    for (size_t i = 0; i < 1000; i++) {
        size_t size = i % 100 == 99 ? 50000 : i % 50;
        for (size_t k = 0; k < size; k++) {
            ck_assert_uint_eq(blocks[i][k], i & 0xff);
        }
    }
    vgg_arena_destroy(&arena);
    vgg_arena_destroy(&arena);
}
END_TEST

START_TEST(refuses_what_overflows)
{
    struct vgg_arena arena = {0};
    ck_assert_ptr_null(vgg_arena_alloc(&arena, SIZE_MAX, 2));
    ck_assert_ptr_null(vgg_arena_alloc(&arena, SIZE_MAX, 1));
    ck_assert_ptr_nonnull(vgg_arena_alloc(&arena, 0, 8));
    vgg_arena_destroy(&arena);
}
END_TEST

START_TEST(copies_strings)
{
    struct vgg_arena arena = {0};
    ck_assert_str_eq(vgg_arena_copy_string(&arena, "features.0", 8), "features");
    ck_assert_str_eq(vgg_arena_copy_string(&arena, "", 0), "");
    vgg_arena_destroy(&arena);
}
END_TEST

UNIT_MAIN("mem", checks_sizes, aligns_blocks, gives_huge_blocks, keeps_many_blocks,
          refuses_what_overflows, copies_strings)
