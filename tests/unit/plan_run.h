/* Running plans in tests: checked for allocations, on memory that starts as garbage. */
#ifndef VGG_TESTS_PLAN_RUN_H
#define VGG_TESTS_PLAN_RUN_H

#include <stdatomic.h>

#include "plan/executor.h"
#include "plan/plan.h"
#include "plan_net.h"

/* How often anything was allocated so far: the linker sends every allocation of the library and of the
 * program through a counter. */
extern atomic_int plan_allocations;

/* Called after each node; NULL: nodes are fused and nobody is told. */
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
