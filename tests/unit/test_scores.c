/* SPDX-License-Identifier: MIT */
/* session/scores: scores of nets that end in an activation or in none, and of single outputs. */
#include "unit.h"

#include <math.h>

#include "vgg/session.h"

static struct vgg_model_info net_of(int classes, const char *activation)
{
    return (struct vgg_model_info){.class_count = classes, .final_activation = activation};
}

START_TEST(chooses_what_the_net_gives)
{
    static const struct {
        int classes;
        const char *activation;
        enum vgg_scores scores;
        int count;
    } cases[] = {
        {3, "none", VGG_SCORES_SOFTMAX, 3},        {1, "none", VGG_SCORES_SIGMOID, 2},
        {3, "softmax", VGG_SCORES_SOFTMAX, 3},     {1, "softmax", VGG_SCORES_SOFTMAX, 1},
        {3, "log_softmax", VGG_SCORES_SOFTMAX, 3}, {3, "sigmoid", VGG_SCORES_SIGMOID, 3},
        {1, "sigmoid", VGG_SCORES_SIGMOID, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct vgg_model_info info = net_of(cases[i].classes, cases[i].activation);
        ck_assert_int_eq(vgg_scores_choose(&info, VGG_SCORES_AUTO), cases[i].scores);
        ck_assert_int_eq(vgg_scores_count(&info, VGG_SCORES_AUTO), cases[i].count);
        ck_assert_int_eq(vgg_scores_choose(&info, VGG_SCORES_NONE), VGG_SCORES_NONE);
        ck_assert_int_eq(vgg_scores_count(&info, VGG_SCORES_NONE), cases[i].classes);
    }
    ck_assert_str_eq(vgg_scores_string(VGG_SCORES_SIGMOID), "sigmoid");
    ck_assert_str_eq(vgg_scores_string(VGG_SCORES_AUTO), "auto");
    ck_assert_str_eq(vgg_scores_string((enum vgg_scores)9), "unknown");
}
END_TEST

START_TEST(softmax_is_that_of_the_ranking)
{
    const float logits[] = {1.5f, -2.0f, 3.25f};
    const struct vgg_model_info info = net_of(3, "none");
    struct vgg_ranked expected[3], found[3];
    vgg_rank(logits, 3, 3, expected);
    vgg_rank_scores(logits, &info, VGG_SCORES_AUTO, 3, found);
    for (int i = 0; i < 3; i++) {
        ck_assert(found[i].index == expected[i].index && found[i].logit == expected[i].logit);
        ck_assert(found[i].probability == expected[i].probability);
    }
}
END_TEST

/* What the net gives is not softened a second time. */
START_TEST(takes_what_the_net_gives)
{
    const float scores[] = {0.25f, 0.75f}, logs[] = {-0.5f, -2.0f};
    struct vgg_ranked found[2];
    struct vgg_model_info info = net_of(2, "softmax");
    for (enum vgg_scores s = VGG_SCORES_AUTO; s <= VGG_SCORES_SOFTMAX; s++) {
        vgg_rank_scores(scores, &info, s, 2, found);
        ck_assert(found[0].index == 1 && found[0].probability == 0.75);
        ck_assert(found[1].index == 0 && found[1].probability == 0.25);
    }
    info = net_of(2, "sigmoid");
    vgg_rank_scores(scores, &info, VGG_SCORES_AUTO, 2, found);
    ck_assert(found[0].index == 1 && found[0].probability == 0.75);
    info = net_of(2, "log_softmax");
    vgg_rank_scores(logs, &info, VGG_SCORES_AUTO, 1, found);
    ck_assert(found[0].index == 0 && found[0].probability == exp(-0.5));
}
END_TEST

START_TEST(scores_outputs_on_their_own)
{
    const float logits[] = {-1.0f, 0.0f, 800.0f};
    const struct vgg_model_info info = net_of(3, "none");
    struct vgg_ranked found[3];
    vgg_rank_scores(logits, &info, VGG_SCORES_SIGMOID, 3, found);
    ck_assert(found[0].index == 2 && found[0].probability == 1.0);
    ck_assert(found[1].index == 1 && found[1].probability == 0.5);
    ck_assert(found[2].index == 0 && found[2].probability == 1 / (1 + exp(1.0)));
    vgg_rank_scores(logits, &info, VGG_SCORES_NONE, 3, found);
    ck_assert(found[0].index == 2 && isnan(found[0].probability) && isnan(found[2].probability));
}
END_TEST

/* The class of the output is 1, that of its opposite 0. */
START_TEST(shows_both_sides_of_one_output)
{
    const float logit = -2.0f, large = 1000.0f, zero = 0.0f, score = 0.75f;
    struct vgg_model_info info = net_of(1, "none");
    struct vgg_ranked found[2];
    vgg_rank_scores(&logit, &info, VGG_SCORES_AUTO, 2, found);
    ck_assert(found[0].index == 0 && found[0].logit == 2.0f);
    ck_assert(found[0].probability == 1 / (1 + exp(-2.0)));
    ck_assert(found[1].index == 1 && found[1].logit == -2.0f);
    ck_assert(found[1].probability == 1 / (1 + exp(2.0)));
    vgg_rank_scores(&large, &info, VGG_SCORES_AUTO, 2, found);
    ck_assert(found[0].index == 1 && found[0].probability == 1.0);
    ck_assert(found[1].index == 0 && found[1].probability == 0.0);
    vgg_rank_scores(&zero, &info, VGG_SCORES_AUTO, 1, found);
    ck_assert(found[0].index == 0 && found[0].probability == 0.5);
    info = net_of(1, "sigmoid");
    vgg_rank_scores(&score, &info, VGG_SCORES_AUTO, 2, found);
    ck_assert(found[0].index == 1 && found[0].probability == 0.75 && found[0].logit == 0.75f);
    ck_assert(found[1].index == 0 && found[1].probability == 0.25 && found[1].logit == 0.25f);
    /* Softmax of one output is 1 for every image, and is given to who asks for it. */
    vgg_rank_scores(&logit, &info, VGG_SCORES_SOFTMAX, 1, found);
    ck_assert(found[0].index == 0 && found[0].probability == 1.0);
}
END_TEST

UNIT_MAIN("scores", chooses_what_the_net_gives, softmax_is_that_of_the_ranking,
          takes_what_the_net_gives, scores_outputs_on_their_own, shows_both_sides_of_one_output)
