/* SPDX-License-Identifier: MIT */
/* What a whole module or a TorchScript archive says of a layer beside its weights. */
#ifndef VGG_CHECKPOINT_MODULE_H
#define VGG_CHECKPOINT_MODULE_H

#include "checkpoint/checkpoint.h"

struct vgg_module {
    const char *name; /* "features.4" */
    const char *type; /* the class: "MaxPool2d" */
    /* The class's Python module, which is not terminated: "torch.nn.modules.pooling". Of TorchScript
     * "__torch__.torch.nn…". */
    struct vgg_span python_module;
    const struct vgg_value
        *state; /* its attributes; of TorchScript the settings that its code shows */
};

/* The number of modules, and each of them in the order of the file, a module before its children. A state dict has
 * none. */
size_t vgg_checkpoint_get_module_count(const struct vgg_checkpoint *checkpoint);
/* Strings are the checkpoint's. */
void vgg_checkpoint_get_module(const struct vgg_checkpoint *checkpoint, size_t index,
                               struct vgg_module *out);

/* What the code of a TorchScript archive says; its outcome is NONE where there is no code. */
const struct vgg_script *vgg_checkpoint_get_script(const struct vgg_checkpoint *checkpoint);
/* A step of the code as a module. Its name is NULL if it is a function's. */
void vgg_checkpoint_get_step(const struct vgg_checkpoint *checkpoint, size_t index,
                             struct vgg_module *out);

/* Whether the net has a tensor by that name: one of a step, where the code of a script shows the steps, else any. */
bool vgg_checkpoint_is_used(const struct vgg_checkpoint *checkpoint, const char *name);

/* Whether a module has a setting, and in the form that is asked for. */
enum vgg_setting {
    VGG_SETTING_ABSENT, /* the file does not have it, or None */
    VGG_SETTING_FOUND,
    VGG_SETTING_OTHER, /* of another type, or too large a number */
};

/* A whole number; a bool is 0 or 1. */
enum vgg_setting vgg_module_get_int(const struct vgg_module *module, const char *key, int64_t *out);
/* `count` whole numbers, as a tuple or one for all of them. None in a tuple is 0. */
enum vgg_setting vgg_module_get_ints(const struct vgg_module *module, const char *key, size_t count,
                                     int64_t *out);
/* A number. */
enum vgg_setting vgg_module_get_real(const struct vgg_module *module, const char *key, double *out);
/* Whether a text setting is this. A setting that is absent equals nothing. */
bool vgg_module_is(const struct vgg_module *module, const char *key, const char *text);

#endif
