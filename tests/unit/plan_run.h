/* Running plans in tests: checked for allocations, on memory that starts as garbage. */
#ifndef VGG_TESTS_PLAN_RUN_H
#define VGG_TESTS_PLAN_RUN_H

#include <stdatomic.h>

#include "plan/plan.h"
#include "plan/run.h"
#include "plan_net.h"

/* How often anything was allocated so far: the linker sends every allocation of the library and of the
 * program through a counter. */
extern atomic_int plan_allocations;

/* Plans, runs `pictures` of them `at_once` at a time, and checks that running allocates nothing.
 *   input    [pictures][3][h][w] of options->input
 *   logits   [pictures][NET_CLASSES] */
void plan_run(const struct net *net, const struct vgg_plan_options *options, int threads,
              const float *input, int pictures, int at_once, float *logits);

/* Largest |a - b| as a fraction of the largest |b|; all of a must be finite. */
double plan_compare(const float *a, const float *b, size_t count);

#endif
