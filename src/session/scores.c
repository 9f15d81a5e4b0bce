/* SPDX-License-Identifier: MIT */
/* The scores of classes: what a net's outputs say about the image, as numbers between 0 and 1. */
#include <math.h>
#include <string.h>

#include "vgg/session.h"

const char *vgg_scores_string(enum vgg_scores scores)
{
    switch (scores) {
    case VGG_SCORES_AUTO:
        return "auto";
    case VGG_SCORES_SOFTMAX:
        return "softmax";
    case VGG_SCORES_SIGMOID:
        return "sigmoid";
    case VGG_SCORES_NONE:
        return "none";
    }
    return "unknown";
}

static bool ends_in(const struct vgg_model_info *info, const char *activation)
{
    return strcmp(info->final_activation, activation) == 0;
}

enum vgg_scores vgg_scores_choose(const struct vgg_model_info *info, enum vgg_scores requested)
{
    if (requested != VGG_SCORES_AUTO) {
        return requested;
    }
    if (ends_in(info, "softmax") || ends_in(info, "log_softmax")) {
        return VGG_SCORES_SOFTMAX;
    }
    return info->class_count == 1 || ends_in(info, "sigmoid") ? VGG_SCORES_SIGMOID
                                                              : VGG_SCORES_SOFTMAX;
}

/* A single output that is a yes or no. */
static bool is_two_sided(const struct vgg_model_info *info, enum vgg_scores requested)
{
    return info->class_count == 1 && vgg_scores_choose(info, requested) == VGG_SCORES_SIGMOID;
}

int vgg_scores_count(const struct vgg_model_info *info, enum vgg_scores requested)
{
    return is_two_sided(info, requested) ? 2 : info->class_count;
}

static double get_sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* The score of an output where that does not depend on the others. */
static double get_score(double output, const struct vgg_model_info *info, enum vgg_scores scores)
{
    if (scores == VGG_SCORES_NONE) {
        return (double)NAN;
    }
    if (scores == VGG_SCORES_SIGMOID) {
        return ends_in(info, "sigmoid") ? output : get_sigmoid(output);
    }
    return ends_in(info, "log_softmax") ? exp(output) : output;
}

/* Ranks the class that the output is for, 1, and the other one, 0, whose output would be the opposite. */
static void rank_sides(float output, const struct vgg_model_info *info, int k,
                       struct vgg_ranked *out)
{
    const bool is_score = ends_in(info, "sigmoid");
    const float other = is_score ? 1 - output : -output;
    const double score = get_score((double)output, info, VGG_SCORES_SIGMOID);
    const struct vgg_ranked sides[] = {
        {.index = 0,
         .logit = other,
         .probability = is_score ? 1 - score : get_sigmoid(-(double)output)},
        {.index = 1, .logit = output, .probability = score},
    };
    const int first = output > other;
    for (int i = 0; i < k; i++) {
        out[i] = sides[i == 0 ? first : 1 - first];
    }
}

void vgg_rank_scores(const float *outputs, const struct vgg_model_info *info,
                     enum vgg_scores requested, int k, struct vgg_ranked *out)
{
    const enum vgg_scores scores = vgg_scores_choose(info, requested);
    if (is_two_sided(info, requested)) {
        rank_sides(outputs[0], info, k, out);
        return;
    }
    vgg_rank(outputs, info->class_count, k, out);
    const bool is_ranked =
        scores == VGG_SCORES_SOFTMAX && !ends_in(info, "softmax") && !ends_in(info, "log_softmax");
    for (int i = 0; i < k && !is_ranked; i++) {
        out[i].probability = get_score((double)out[i].logit, info, scores);
    }
}
