/* SPDX-License-Identifier: MIT */
/* Running plans in tests: checked for allocations, on memory that starts as garbage. */
#ifndef VGG_TESTS_PLAN_RUN_H
#define VGG_TESTS_PLAN_RUN_H

#include <stdatomic.h>

#include "plan/executor.h"
#include "plan/plan.h"
#include "plan_net.h"

/* The kernels that plans are tested with, by number: those of an instruction set, or NULL where this machine lacks it; and
 * the model's of AMX, which any machine has. */
enum { PLAN_MODEL = VGG_ISA_NEON + 1, PLAN_TABLES };
const struct vgg_kernels *plan_find_kernels(int number);
/* The tables of int8 kernels that this machine can run, the model's among them; NULL past the last one. */
const struct vgg_int8_kernels *plan_get_int8_kernels(int number);

/* How often anything was allocated so far: the linker sends every allocation of the library and of the
 * program through a counter. */
extern atomic_int plan_allocations;

/* Called after each node; NULL: nodes are fused and nothing is called. */
struct plan_listener {
    vgg_node_fn *on_node;
    void *user;
};

/* Plans, runs `images` of them `at_once` at a time, and checks that running allocates nothing.
 *   input    [images][3][h][w] of options->input
 *   logits   [images][NET_CLASSES] */
struct plan_input {
    const float *images;
    int count, at_once;
};
void plan_run(const struct net *net, const struct vgg_plan_options *options, int threads,
              const struct plan_input *input, const struct plan_listener *listener, float *logits);

/* Largest |a - b| as a fraction of the largest |b|; all of a must be finite. */
double plan_compare(const float *a, const float *b, size_t count);

#endif
