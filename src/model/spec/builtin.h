/* SPDX-License-Identifier: MIT */
/* The files of models/ that are built into the library. */
#ifndef VGG_MODEL_SPEC_BUILTIN_H
#define VGG_MODEL_SPEC_BUILTIN_H

#include <stdbool.h>
#include <stddef.h>

struct vgg_builtin {
    /* "vgg16_bn.json" */
    const char *name;
    const unsigned char *data;
    size_t size;
};

/* Written by tools/scripts/embed.py, in the order of src/model/meson.build; ends with a NULL name. */
extern const struct vgg_builtin vgg_builtins[];

/* Whether a file is a description, by its extension. */
bool vgg_builtin_is_spec(const struct vgg_builtin *file);

/* The file of this name, or NULL. */
const struct vgg_builtin *vgg_builtin_find(const char *name);

#endif
