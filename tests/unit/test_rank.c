/* SPDX-License-Identifier: MIT */
/* plan/rank: the order of classes, and their probabilities. */
#include "unit.h"

#include <float.h>
#include <math.h>

#include "vgg/session.h"

enum { CLASSES = 50 };

START_TEST(ranks_by_logit)
{
    const float logits[] = {0.5f, 3, -1, 2};
    struct vgg_ranked out[4];
    static const int order[] = {1, 3, 0, 2};
    vgg_rank(logits, 4, 4, out);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(out[i].index, order[i]);
        ck_assert(out[i].logit == logits[order[i]]);
    }
}
END_TEST

START_TEST(ties_go_by_index)
{
    const float logits[] = {1, 2, 2, 0.0f, -0.0f, 2};
    static const int order[] = {1, 2, 5, 0, 3, 4};
    struct vgg_ranked out[6];
    for (int k = 1; k <= 6; k++) {
        vgg_rank(logits, 6, k, out);
        for (int i = 0; i < k; i++) {
            ck_assert_int_eq(out[i].index, order[i]);
        }
    }
}
END_TEST

START_TEST(nan_ranks_last)
{
    const float logits[] = {NAN, -INFINITY, 1, NAN, 2};
    static const int order[] = {4, 2, 1, 0, 3};
    struct vgg_ranked out[5];
    vgg_rank(logits, 5, 5, out);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(out[i].index, order[i]);
    }
    vgg_rank(logits, 5, 2, out);
    ck_assert_int_eq(out[0].index, 4);
    ck_assert_int_eq(out[1].index, 2);
}
END_TEST

/* Every k against a plain sort, on numbers with many ties. */
START_TEST(agrees_with_a_sort)
{
    float logits[CLASSES];
    int order[CLASSES];
    struct vgg_ranked out[CLASSES + 1];
    for (int i = 0; i < CLASSES; i++) {
        logits[i] = (float)(i * 37 % 17) - 8;
        int at = i;
        for (; at > 0 && logits[order[at - 1]] < logits[i]; at--) {
            order[at] = order[at - 1];
        }
        order[at] = i;
    }
    for (int k = 1; k <= CLASSES; k++) {
        out[k].index = -1;
        vgg_rank(logits, CLASSES, k, out);
        for (int i = 0; i < k; i++) {
            ck_assert_int_eq(out[i].index, order[i]);
        }
        ck_assert_int_eq(out[k].index, -1);
    }
}
END_TEST

START_TEST(probabilities_are_a_softmax)
{
    float logits[CLASSES];
    struct vgg_ranked out[CLASSES];
    double sum = 0, denominator = 0;
    for (int i = 0; i < CLASSES; i++) {
        logits[i] = (float)(i * 31 % CLASSES) / 5;
        denominator += exp((double)logits[i]);
    }
    vgg_rank(logits, CLASSES, CLASSES, out);
    for (int i = 0; i < CLASSES; i++) {
        const double want = exp((double)out[i].logit) / denominator;
        ck_assert_double_eq_tol(out[i].probability, want, 1e-14);
        sum += out[i].probability;
    }
    ck_assert_double_eq_tol(sum, 1, 1e-13);

    /* The few best have the same probabilities: all classes count. */
    struct vgg_ranked best;
    vgg_rank(logits, CLASSES, 1, &best);
    ck_assert_double_eq(best.probability, out[0].probability);
}
END_TEST

START_TEST(huge_logits_do_not_overflow)
{
    const float logits[] = {FLT_MAX, FLT_MAX, -FLT_MAX, 0};
    struct vgg_ranked out[4];
    vgg_rank(logits, 4, 4, out);
    ck_assert_double_eq(out[0].probability, 0.5);
    ck_assert_double_eq(out[1].probability, 0.5);
    ck_assert_double_eq(out[2].probability, 0);
    ck_assert_double_eq(out[3].probability, 0);
    const float low[] = {-1e30f};
    vgg_rank(low, 1, 1, out);
    ck_assert_double_eq(out[0].probability, 1);
}
END_TEST

UNIT_MAIN("rank", ranks_by_logit, ties_go_by_index, nan_ranks_last, agrees_with_a_sort,
          probabilities_are_a_softmax, huge_logits_do_not_overflow)
