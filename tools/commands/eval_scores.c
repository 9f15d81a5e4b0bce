/* SPDX-License-Identifier: MIT */
/* Compares a net's outputs for one image with the class that is right. */
#include "commands/eval_scores.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "io/message.h"

vgg_status eval_scores_init(const struct vgg_model_info *info, enum vgg_scores requested,
                            struct eval_scores *out, struct vgg_error *err)
{
    *out = (struct eval_scores){.info = info, .kind = vgg_scores_choose(info, requested)};
    out->count = vgg_scores_count(info, out->kind);
    return out->count > 1
               ? VGG_OK
               : message_fail(err, VGG_ERR_ARGUMENT,
                              "--scores %s: one output is one class, which is right for every "
                              "image; expected sigmoid, with which it decides between two",
                              vgg_scores_string(out->kind));
}

/* The logarithm of a score, finite also where the score is rounded to 0. */
static float get_log(float score)
{
    return logf(score < FLT_MIN ? FLT_MIN : score);
}

/* log(1 + exp(x)) without overflow. */
static double get_softplus(double x)
{
    return (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
}

static bool ends_in(const struct eval_scores *scores, const char *activation)
{
    return strcmp(scores->info->final_activation, activation) == 0;
}

/* A number of a class, the larger the more probable. What softmax makes of these numbers are the scores of SOFTMAX and of
 * two classes of one output, where that of class 0 is 0. */
static float get_logit(const struct eval_scores *scores, const float *outputs, int index)
{
    const bool two_sided = scores->count > scores->info->class_count;
    if (two_sided && ends_in(scores, "sigmoid")) {
        return get_log(index == 1 ? outputs[0] : 1 - outputs[0]);
    }
    if (two_sided) {
        return index == 1 ? outputs[0] : 0;
    }
    return scores->kind == VGG_SCORES_SOFTMAX && ends_in(scores, "softmax")
               ? get_log(outputs[index])
               : outputs[index];
}

static double get_cross_entropy(const struct eval_scores *scores, const float *outputs, int best,
                                int class_index)
{
    const double largest = (double)get_logit(scores, outputs, best);
    double sum = 1; /* of the best one */
    for (int i = 0; i < scores->count; i++) {
        sum += i == best ? 0 : exp((double)get_logit(scores, outputs, i) - largest);
    }
    return log(sum) + largest - (double)get_logit(scores, outputs, class_index);
}

/* The mean over all outputs, each of which stands for itself. */
static double get_binary_cross_entropy(const struct eval_scores *scores, const float *outputs,
                                       int class_index)
{
    const bool is_score = ends_in(scores, "sigmoid");
    double sum = 0;
    for (int i = 0; i < scores->count; i++) {
        const float output = outputs[i];
        const bool right = i == class_index;
        sum += is_score ? -(double)get_log(right ? output : 1 - output)
                        : get_softplus(right ? -(double)output : (double)output);
    }
    return sum / scores->count;
}

/* Whether each of several outputs stands for itself. */
static bool is_independent(const struct eval_scores *scores)
{
    return scores->kind == VGG_SCORES_SIGMOID && scores->info->class_count > 1;
}

const char *eval_scores_name_loss(const struct eval_scores *scores)
{
    return scores->kind == VGG_SCORES_NONE ? NULL
           : is_independent(scores)        ? "binary cross-entropy"
                                           : "cross-entropy";
}

static double get_loss(const struct eval_scores *scores, const float *outputs, int best,
                       int class_index)
{
    if (scores->kind == VGG_SCORES_NONE) {
        return (double)NAN;
    }
    return is_independent(scores) ? get_binary_cross_entropy(scores, outputs, class_index)
                                  : get_cross_entropy(scores, outputs, best, class_index);
}

bool eval_scores_judge(const struct eval_scores *scores, const float *outputs, int class_index,
                       struct eval_judgement *out)
{
    const float own = get_logit(scores, outputs, class_index);
    *out = (struct eval_judgement){0};
    float largest = get_logit(scores, outputs, 0);
    for (int i = 0; i < scores->count; i++) {
        const float logit = get_logit(scores, outputs, i);
        if (!isfinite(logit)) {
            return false;
        }
        if (logit > largest) {
            out->best = i;
            largest = logit;
        }
        out->rank += logit > own || (logit == own && i < class_index);
    }
    out->loss = get_loss(scores, outputs, out->best, class_index);
    return true;
}
