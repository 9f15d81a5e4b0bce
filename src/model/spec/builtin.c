/* SPDX-License-Identifier: MIT */
/* Looks up built-in files. */
#include "model/spec/builtin.h"

#include <string.h>

bool vgg_builtin_is_spec(const struct vgg_builtin *file)
{
    const size_t length = strlen(file->name);
    return length > 5 && strcmp(file->name + length - 5, ".json") == 0;
}

const struct vgg_builtin *vgg_builtin_find(const char *name)
{
    for (const struct vgg_builtin *file = vgg_builtins; file->name != NULL; file++) {
        if (strcmp(file->name, name) == 0) {
            return file;
        }
    }
    return NULL;
}
