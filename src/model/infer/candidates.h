/* SPDX-License-Identifier: MIT */
/* Chooses among the nets and input sizes that fit names and shapes equally well. */
#ifndef VGG_MODEL_INFER_CANDIDATES_H
#define VGG_MODEL_INFER_CANDIDATES_H

#include "model/infer/emit.h"
#include "model/infer/published.h"

/* What may vary. */
struct vgg_open_questions {
    /* Convolutions without padding; no pool at the end; a single place is a pool's; a pool after each convolution. */
    bool padding, last_pool, single, pool_each;
    /* A mean over all pixels: the input has any size. */
    bool global_pool;
};

struct vgg_candidate_request {
    const struct vgg_outline *outline;
    const struct vgg_open_questions *open;
    const struct vgg_overrides *overrides;
};

struct vgg_choice {
    struct vgg_hypothesis hypothesis;
    /* The features end exactly as large as the classifier takes them. */
    bool fits;
    /* The size is one that people use, 224 or 32. */
    bool usual;
    /* What fits as well: "padding 0 at 64x64 fits as well; …". */
    struct vgg_text alternatives;
};

/* Chooses the first hypothesis, the usual net first, for which a usual input size gives exactly the features that the
 * classifier takes; without one the usual net at the smallest size. If a caller gives a size, it must give these features instead.
 *   spec  receives the layers and the input size
 * Errors: MISMATCH (the classifier takes no square of pixels and nobody gave the size), LIMIT, MEMORY. */
vgg_status vgg_candidates_choose(const struct vgg_load *load,
                                 const struct vgg_candidate_request *request,
                                 struct vgg_choice *choice, struct vgg_spec *spec);

#endif
