/* Everything in a checkpoint that can hold a net's tensors, and which of it is a VGG. */
#ifndef VGG_CHECKPOINT_PLACES_H
#define VGG_CHECKPOINT_PLACES_H

#include "checkpoint/walk.h"

enum {
    VGG_PLACE_DEPTH_MAX = 6,       /* of dicts and lists in each other */
    VGG_PLACES_MAX = 10000,        /* dicts, lists and modules that are looked into */
    VGG_OPTIONS_MAX = 64,          /* VGGs that are told apart */
    VGG_PLACE_KEY_BYTES_MAX = 100, /* of one part of a path */
};

/* A dict, list or module somewhere in the checkpoint. */
struct vgg_place {
    struct vgg_value *value;
    enum vgg_source_kind kind;
    const struct vgg_place *parent; /* NULL: the root */
    struct vgg_span key;            /* in the parent */
    int depth;
    size_t tensors;
};

/* A VGG: the tensors of a place with the same beginning of their names, less those of a VGG in the same place
 * whose beginning is longer: of "features.…" beside "module.features.…" the first, or the second. */
struct vgg_option {
    const struct vgg_place *place;
    const char *prefix; /* with its dot; "" */
    size_t tensors;
    bool features, classifier; /* which parts of a VGG there are */
};

struct vgg_places {
    const char *path; /* the file's, for messages */
    const struct vgg_limits *limits;
    struct vgg_arena *arena;
    struct vgg_walk_budget budget; /* of all walks together */
    struct vgg_place *items; /* [VGG_PLACES_MAX], which is never moved: they point at each other */
    size_t count;
    struct vgg_option options[VGG_OPTIONS_MAX];
    size_t option_count;
};

/* Fills *out, but for the options that are not nets: kept are those with convolutions, and of these only
 * those with a classifier if there is one. path, limits and arena are borrowed. Errors: MEMORY. */
vgg_status vgg_places_find(const char *path, struct vgg_value *root,
                           const struct vgg_limits *limits, struct vgg_arena *arena,
                           struct vgg_places *out, struct vgg_error *err);
void vgg_places_fini(struct vgg_places *places);

/* Whether a tensor of its place is the option's. */
bool vgg_option_has(const struct vgg_places *places, const struct vgg_option *option,
                    const char *name);

/* "state_dict.student", what --key takes: the path of a place and the beginning of names; "." is the
 * root. */
typedef char vgg_place_label[VGG_PLACE_DEPTH_MAX * (VGG_PLACE_KEY_BYTES_MAX + 1) + 1024 + 2];
const char *vgg_place_get_label(const struct vgg_place *place, const char *prefix,
                                vgg_place_label out);

/* Whether two options are views of the same memory: a best state that is the current one, say. Errors:
 * MEMORY. */
vgg_status vgg_options_compare(struct vgg_places *places, const struct vgg_option *a,
                               const struct vgg_option *b, bool *same);

#endif
