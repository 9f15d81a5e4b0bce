/* SPDX-License-Identifier: MIT */
/* Compares a net's outputs for one image with the class that is right. */
#ifndef TOOLS_COMMANDS_EVAL_SCORES_H
#define TOOLS_COMMANDS_EVAL_SCORES_H

#include <stdbool.h>

#include "vgg/session.h"

/* How outputs are compared. */
struct eval_scores {
    const struct vgg_model_info *info;
    /* Never AUTO. */
    enum vgg_scores kind;
    /* Classes: two of a single output with sigmoid. */
    int count;
};

struct eval_judgement {
    /* The class with the largest score. */
    int best;
    /* Of the right class: 0 is the best; of equal scores the lower index is the better one. */
    int rank;
    /* In nats. SOFTMAX, and SIGMOID of a single output: the cross-entropy. SIGMOID of several outputs: the mean of their
     * binary cross-entropies, with 1 for the right class and 0 for all others. NONE: NaN. */
    double loss;
};

/* Chooses what the outputs are, as vgg_scores_choose.
 * Errors: ARGUMENT (a single output that is no yes or no has nothing to be right or wrong about). */
vgg_status eval_scores_init(const struct vgg_model_info *info, enum vgg_scores requested,
                            struct eval_scores *out, struct vgg_error *err);

/* "cross-entropy" or "binary cross-entropy"; NULL: there is no loss without scores. */
const char *eval_scores_name_loss(const struct eval_scores *scores);

/* False: an output is not finite.
 *   outputs      [info->class_count]
 *   class_index  the right class */
bool eval_scores_judge(const struct eval_scores *scores, const float *outputs, int class_index,
                       struct eval_judgement *out);

#endif
