/* SPDX-License-Identifier: MIT */
/* Records the steps that the code of a TorchScript archive takes, each as the module that computes it. */
#ifndef VGG_CHECKPOINT_SCRIPT_RECORDER_H
#define VGG_CHECKPOINT_SCRIPT_RECORDER_H

#include "checkpoint/locate/walk.h"
#include "checkpoint/script/script_types.h"
#include "checkpoint/script/term.h"

/* Kinds of steps with weights. */
enum vgg_weighted_kind {
    VGG_WEIGHTED_CONV,
    VGG_WEIGHTED_LINEAR,
    VGG_WEIGHTED_NORM,
    VGG_WEIGHTED_PRELU,
    VGG_WEIGHTED_KINDS,
};

/* A module of the net, by its object. */
struct vgg_known_module {
    const struct vgg_value *object;
    const char *name;
    /* In the file. */
    size_t place;
    /* It contains no modules. */
    bool leaf;
    /* A step has the name. */
    bool used;
};

struct vgg_recorder {
    /* Owns the steps. */
    struct vgg_arena *arena;
    /* Sorted by object. */
    struct vgg_known_module *modules;
    size_t module_count;
    /* The innermost module whose code is being followed. */
    const struct vgg_value *self;

    struct vgg_script_step *steps;
    size_t count, capacity, max;
    /* Constants of the code that are weights, under the names that they get here. */
    struct vgg_named_list constants;
    /* Numbers of the last names of each kind. */
    size_t numbers[VGG_WEIGHTED_KINDS];

    enum vgg_script_outcome outcome;
    char reason[VGG_SCRIPT_REASON_BYTES];
    bool no_memory;
};

/* Makes a recorder for the modules of a net; `arena` owns what is recorded, `scratch` the rest.
 * False without memory. */
bool vgg_recorder_init(const struct vgg_named_list *modules, size_t max_steps,
                       struct vgg_arena *arena, struct vgg_arena *scratch,
                       struct vgg_recorder *out);

/* Stops with a reason; the first one stays. Returns false. */
__attribute__((format(printf, 3, 4))) bool vgg_recorder_stop(struct vgg_recorder *recorder,
                                                             enum vgg_script_outcome outcome,
                                                             const char *format, ...);
/* Stops without memory. Returns false. */
bool vgg_recorder_stop_memory(struct vgg_recorder *recorder);

/* The name of a module; NULL: it is none of the net's. */
const char *vgg_recorder_find_name(const struct vgg_recorder *recorder,
                                   const struct vgg_value *object);

/* What data are now: the output of the last of the steps that change them in place. */
size_t vgg_recorder_resolve(const struct vgg_recorder *recorder, size_t data);

/* Whether data have no height and width. */
bool vgg_recorder_is_flat(const struct vgg_recorder *recorder, size_t data);

/* Stops because a step, or the net's output, is the result of an operation that is no step. Returns false. */
bool vgg_recorder_stop_derived(struct vgg_recorder *recorder, const struct vgg_term *term);

/* Checks that a step can read a term: that it is the output of the last step. Otherwise stops, and says what it is. */
bool vgg_recorder_check_input(struct vgg_recorder *recorder, struct vgg_span operation,
                              const struct vgg_term *term);

/* Adds a step.
 *   step  borrowed; a name of NULL becomes the innermost module's, if that has no modules itself and no step yet */
bool vgg_recorder_add(struct vgg_recorder *recorder, const struct vgg_script_step *step);

#endif
