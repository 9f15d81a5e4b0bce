/* The files of models/ as they were when the library was built. */
#ifndef VGG_MODEL_SPEC_BUILTIN_H
#define VGG_MODEL_SPEC_BUILTIN_H

#include <stddef.h>

struct vgg_builtin {
    const char *name; /* "vgg16_bn.json" */
    const unsigned char *data;
    size_t size;
};

/* Written by tools/scripts/embed.py, in the order of src/model/meson.build; ends with a NULL name. */
extern const struct vgg_builtin vgg_builtins[];

/* The file of this name, or NULL. */
const struct vgg_builtin *vgg_builtin_find(const char *name);

#endif
