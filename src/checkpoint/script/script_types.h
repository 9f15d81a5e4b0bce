/* SPDX-License-Identifier: MIT */
/* What the code of a TorchScript archive says of the net. */
#ifndef VGG_CHECKPOINT_SCRIPT_SCRIPT_TYPES_H
#define VGG_CHECKPOINT_SCRIPT_SCRIPT_TYPES_H

#include "checkpoint/pickle/value.h"

enum { VGG_SCRIPT_REASON_BYTES = 400 };

enum vgg_script_outcome {
    /* There is no code. */
    VGG_SCRIPT_NONE,
    /* The net is the steps, one after the other. */
    VGG_SCRIPT_FOLLOWED,
    /* The code has something that is not understood. */
    VGG_SCRIPT_UNKNOWN,
    /* The code computes something that no chain of layers is. */
    VGG_SCRIPT_REFUSED,
};

/* A layer that the code runs, as the module of PyTorch that computes it. */
struct vgg_script_step {
    /* The module's path, or that of the parameters; NULL: a function without any. */
    const char *name;
    /* "MaxPool2d". */
    const char *type;
    /* A dict of all settings of that class. */
    const struct vgg_value *state;
    /* Its output is its input, changed in place or not at all. */
    bool alias;
};

struct vgg_script {
    enum vgg_script_outcome outcome;
    /* Of UNKNOWN and REFUSED: "Net.forward: torch.add of the input and the output of conv1". */
    char reason[VGG_SCRIPT_REASON_BYTES];
    /* Of FOLLOWED. */
    struct vgg_script_step *steps;
    size_t step_count;
    /* [modules of the location] the settings of each that is one layer; NULL: not known. NULL: there is no code. */
    const struct vgg_value **settings;
};

#endif
