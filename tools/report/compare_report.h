/* SPDX-License-Identifier: MIT */
/* A comparison's outcome: what compare.c computes and compare_report.c writes. */
#ifndef TOOLS_REPORT_COMPARE_REPORT_H
#define TOOLS_REPORT_COMPARE_REPORT_H

#include <stdio.h>

#include "report/difference.h"
#include "io/golden.h"
#include "io/npy.h"
#include "report/report.h"

enum { COMPARE_NAME_BYTES = 128 };

/* One array that was compared: the input, a node's output, the logits. */
struct compare_node {
    char name[COMPARE_NAME_BYTES];
    int ndim; /* 0: no file, not compared */
    int64_t shape[NPY_MAX_DIMS];
    struct difference difference;
    char *problem; /* why it cannot be compared, though there is a file; else NULL */
};

struct compare_outcome {
    const char *folder;
    const struct golden *golden;
    const struct report_model *model;
    int64_t images;
    double rtol;
    bool inner;                 /* whether inner nodes were asked for */
    struct compare_node *nodes; /* [node_count], in the order of execution, the logits last */
    size_t node_count;
    struct compare_node input; /* own preprocessing; ndim 0: not asked for */
    char **unused;             /* [unused_count] files in the folder that are no node's */
    size_t unused_count;
};

/* Whether an array has passed: within the tolerance, and the input without any difference. */
bool compare_node_passes(const struct compare_outcome *outcome, const struct compare_node *node);
/* The first array that has not passed, or NULL. */
const struct compare_node *compare_find_first(const struct compare_outcome *outcome);

void compare_write_text(const struct compare_outcome *outcome, FILE *out);
void compare_write_json(const struct compare_outcome *outcome, FILE *out);

#endif
