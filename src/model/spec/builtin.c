/* Looking up a built-in file. */
#include "model/spec/builtin.h"

#include <string.h>

const struct vgg_builtin *vgg_builtin_find(const char *name)
{
    for (const struct vgg_builtin *file = vgg_builtins; file->name != NULL; file++) {
        if (strcmp(file->name, name) == 0) {
            return file;
        }
    }
    return NULL;
}
