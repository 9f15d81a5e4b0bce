/* SPDX-License-Identifier: MIT */
/* The most probable classes. */
#include <math.h>
#include <stdbool.h>

#include "vgg/session.h"

/* Whether class a ranks before class b. */
static bool before(const float *logits, int a, int b)
{
    bool a_nan = isnan(logits[a]), b_nan = isnan(logits[b]);
    if (a_nan || b_nan) {
        return a_nan == b_nan ? a < b : b_nan;
    }
    return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
}

void vgg_rank(const float *logits, int class_count, int k, struct vgg_ranked *out)
{
    double largest = -HUGE_VAL, sum = 0;
    int found = 0;
    for (int i = 0; i < class_count; i++) {
        largest = (double)logits[i] > largest ? (double)logits[i] : largest;
        /* Insertion into the k best so far. */
        int at = found < k ? found++ : k;
        while (at > 0 && before(logits, i, out[at - 1].index)) {
            if (at < k) {
                out[at] = out[at - 1];
            }
            at--;
        }
        if (at < k) {
            out[at].index = i;
        }
    }
    /* exp(x - max): no overflow, and the same quotients. */
    for (int i = 0; i < class_count; i++) {
        sum += exp((double)logits[i] - largest);
    }
    for (int i = 0; i < found; i++) {
        out[i].logit = logits[out[i].index];
        out[i].probability = exp((double)out[i].logit - largest) / sum;
    }
}
