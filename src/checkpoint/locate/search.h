/* SPDX-License-Identifier: MIT */
/* Searches a checkpoint for the net: everything that can hold tensors (sources), and the VGGs in it (candidates). */
#ifndef VGG_CHECKPOINT_LOCATE_SEARCH_H
#define VGG_CHECKPOINT_LOCATE_SEARCH_H

#include "checkpoint/locate/walk.h"

enum {
    VGG_SOURCE_DEPTH_MAX = 6,       /* of dicts and lists inside each other */
    VGG_SOURCES_MAX = 10000,        /* dicts, lists and modules that are searched */
    VGG_CANDIDATES_MAX = 64,        /* VGGs that are distinguished */
    VGG_SOURCE_KEY_BYTES_MAX = 100, /* of one part of a path */
};

/* A dict, list or module somewhere in the checkpoint. */
struct vgg_source {
    struct vgg_value *value;
    enum vgg_source_kind kind;
    const struct vgg_source *parent; /* NULL: the root */
    struct vgg_span key;             /* in the parent */
    int depth;
    size_t tensors;
};

/* A VGG: the tensors of a source whose names have this prefix, and not the longer prefix of another candidate in the
 * same source: beside "module.features.…", the candidate of "features.…" has only its own tensors. */
struct vgg_candidate {
    const struct vgg_source *source;
    const char *prefix; /* with its dot; "" */
    size_t tensors;
    bool features, classifier; /* whether it has these parts */
};

struct vgg_search {
    const struct vgg_load *load;
    struct vgg_walk_budget budget; /* of all walks together */
    struct vgg_source *sources;    /* [VGG_SOURCES_MAX]; never moved: they point at each other */
    size_t source_count;
    struct vgg_candidate candidates[VGG_CANDIDATES_MAX];
    size_t candidate_count;
};

/* Fills *out. Candidates without convolutions are dropped, and those without a classifier if any has one. load is
 * borrowed. Errors: MEMORY. */
vgg_status vgg_search_run(const struct vgg_load *load, struct vgg_value *root,
                          struct vgg_search *out);
void vgg_search_fini(struct vgg_search *search);

/* Whether a tensor of its source belongs to the candidate. */
bool vgg_candidate_has(const struct vgg_search *search, const struct vgg_candidate *candidate,
                       const char *name);

/* The key that selects a candidate: the path of a source and the prefix of names, "state_dict.student"; "." is the
 * root. */
typedef char vgg_source_label[VGG_SOURCE_DEPTH_MAX * (VGG_SOURCE_KEY_BYTES_MAX + 1) + 1024 + 2];
const char *vgg_source_get_label(const struct vgg_source *source, const char *prefix,
                                 vgg_source_label out);

/* Whether two candidates are views of the same memory, as when the best state is the current one. Errors: MEMORY. */
vgg_status vgg_candidates_compare(struct vgg_search *search, const struct vgg_candidate *a,
                                  const struct vgg_candidate *b, bool *same);

#endif
