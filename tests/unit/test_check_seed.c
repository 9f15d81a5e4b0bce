/* SPDX-License-Identifier: MIT */
/* The random numbers of the kernel checks (tests/kernels/check.c): a case draws the same ones whatever has been drawn
 * before it, and other ones than the cases beside it. */
#include "unit.h"

#include "../kernels/check.h"

static uint64_t draw_case(struct check *check, int number)
{
    check_begin(check, "case %d", number);
    const uint64_t drawn = check_random(check);
    check_end(check);
    return drawn;
}

START_TEST(cases_do_not_depend_on_others)
{
    struct check alone = {.isa = "a", .seed = 5}, behind = {.isa = "b", .seed = 5};
    const uint64_t drawn = draw_case(&alone, 2);
    draw_case(&behind, 1);
    check_random(&behind);
    ck_assert_uint_eq(draw_case(&behind, 2), drawn);
}
END_TEST

START_TEST(cases_differ)
{
    struct check check = {.isa = "a", .seed = 5}, other = {.isa = "a", .seed = 6};
    ck_assert_uint_ne(draw_case(&check, 1), draw_case(&check, 2));
    ck_assert_uint_ne(draw_case(&check, 1), draw_case(&other, 1));
}
END_TEST

/* Numbers that a case is made of. */
START_TEST(seeds_without_a_case)
{
    struct check check = {.isa = "a", .seed = 5};
    check_seed(&check, "random %d", 1);
    const int first = check_range(&check, 0, 1 << 30);
    const int second = check_range(&check, 0, 1 << 30);
    draw_case(&check, 1);
    check_seed(&check, "random %d", 1);
    ck_assert_int_eq(check_range(&check, 0, 1 << 30), first);
    ck_assert_int_ne(second, first);
    ck_assert_int_eq(check.passed + check.failed, 1);
}
END_TEST

UNIT_MAIN("check_seed", cases_do_not_depend_on_others, cases_differ, seeds_without_a_case)
