/* SPDX-License-Identifier: MIT */
/* Results of `vgg-infer eval`: eval.c computes them, eval_report.c writes them. */
#ifndef TOOLS_REPORT_EVAL_REPORT_H
#define TOOLS_REPORT_EVAL_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "report/report.h"
#include "io/ground_truth.h"

/* What the net made of one image. */
struct eval_answer {
    int best; /* the class with the largest logit; -1: the image could not be read */
    int rank; /* of the true class: 0 is the best */
};

struct eval_outcome {
    const struct report_model *model;
    const char *folder;
    const char *list; /* NULL: classes by folders */
    const struct ground_truth *truth;
    const struct ground_truth_classes *classes;
    const struct eval_answer *answers; /* [truth->count] */
    int topk;
    size_t images, failed; /* run and judged; unreadable */
    size_t best, among;    /* images whose class is the best, and among the topk best */
    const char *loss_name; /* "cross-entropy"; NULL: there is no loss */
    double loss;           /* its mean over all images, in nats */
    double seconds;        /* decoding and running, all images */
};

/* One class: how many images were judged, and what they were taken for. */
struct eval_class {
    int index;
    size_t images, best, among;
    int confused_with; /* the wrong class that was the best most often; -1: no image was classified wrongly */
    size_t confused; /* how often */
};

/* Counts for every class that has an image, in the order of the net's classes.
 *   out  [*count], to be freed; NULL when out of memory */
struct eval_class *eval_count_classes(const struct eval_outcome *outcome, size_t *count);

/* Whether these answers could as well be guesses: classes are then numbered in another way than the net's. */
bool eval_is_chance(const struct eval_outcome *outcome);

/* False when out of memory. */
bool eval_write_text(const struct eval_outcome *outcome, FILE *out);
bool eval_write_json(const struct eval_outcome *outcome, FILE *out);

#endif
