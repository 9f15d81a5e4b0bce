/* SPDX-License-Identifier: MIT */
/* Parses the names of weights: the Sequential that contains them, and their index in it. */
#include "model/infer/weight_names.h"

#include <stdlib.h>
#include <string.h>

/* The longest name of a Sequential. */
enum { MAX_NAME = 40 };

static const char leaf[] = ".weight";

bool vgg_names_parse(const char *name, size_t *length, int *index)
{
    const size_t all = strlen(name), tail = sizeof leaf - 1;
    if (all <= tail || strcmp(name + all - tail, leaf) != 0) {
        return false;
    }
    size_t begin = all - tail;
    while (begin > 0 && name[begin - 1] >= '0' && name[begin - 1] <= '9') {
        begin--;
    }
    const size_t count = all - tail - begin;
    if (count == 0 || count > 6 || (name[begin] == '0' && count > 1) || begin < 2 ||
        name[begin - 1] != '.') {
        return false;
    }
    *length = begin - 1;
    *index = atoi(name + begin);
    return true;
}

bool vgg_names_is_weight(const char *name, const char *sequential, int *index)
{
    size_t length;
    return vgg_names_parse(name, &length, index) && strlen(sequential) == length &&
           memcmp(name, sequential, length) == 0;
}

bool vgg_names_has(const struct vgg_tensor_list *tensors, const char *sequential, int ndim)
{
    const struct vgg_tensor *single = vgg_tensor_list_findf(tensors, "%s.weight", sequential);
    bool found = ndim == 2 && single != NULL && single->ndim == 2;
    int index;
    for (size_t i = 0; i < tensors->count && !found; i++) {
        const struct vgg_tensor *tensor = tensors->items[i];
        found = tensor->ndim == ndim && vgg_names_is_weight(tensor->name, sequential, &index);
    }
    return found;
}

/* Whether a tensor is PREFIX.weight; *length receives the length of PREFIX. */
static bool is_single(const char *name, size_t *length)
{
    const size_t all = strlen(name), tail = sizeof leaf - 1;
    *length = all > tail ? all - tail : 0;
    return all > tail && strcmp(name + all - tail, leaf) == 0;
}

/* Finds the Sequential that contains all weights of ndim dimensions. NULL: there is no such Sequential, or one of
 * the weights is in `usual`.
 *   single  a single weight may be PREFIX.weight itself */
static const char *find_common(const struct vgg_tensor_list *tensors, int ndim, const char *usual,
                               bool single, size_t *common_length)
{
    const char *common = NULL;
    size_t count = 0, length = 0;
    bool same = true;
    int index;
    for (size_t i = 0; i < tensors->count; i++) {
        const struct vgg_tensor *tensor = tensors->items[i];
        size_t alone;
        if (tensor->ndim != ndim || !is_single(tensor->name, &alone)) {
            continue;
        }
        if (vgg_names_is_weight(tensor->name, usual, &index) ||
            (single && strlen(usual) == alone && memcmp(tensor->name, usual, alone) == 0)) {
            return NULL;
        }
        const bool numbered = vgg_names_parse(tensor->name, &alone, &index);
        if (count++ == 0) {
            common = tensor->name;
            length = alone;
            same = numbered || single;
        } else {
            same = same && numbered && alone == length && memcmp(common, tensor->name, length) == 0;
        }
    }
    *common_length = length;
    return count > 0 && same && length > 0 && length <= MAX_NAME ? common : NULL;
}

vgg_status vgg_names_find(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                          struct vgg_spec *out)
{
    size_t length;
    const char *name = find_common(tensors, 4, "features", false, &length);
    if (name != NULL) {
        out->features = vgg_arena_copy_string(load->arena, name, length);
    }
    const bool no_memory = name != NULL && out->features == NULL;
    name = find_common(tensors, 2, "classifier", true, &length);
    if (name != NULL) {
        out->classifier = vgg_arena_copy_string(load->arena, name, length);
    }
    if (no_memory || (name != NULL && out->classifier == NULL)) {
        return vgg_load_fail_memory(load, length + 1, "a name");
    }
    /* A Sequential with all layers does not show where the convolutions end. */
    if (out->features != NULL && out->classifier != NULL &&
        strcmp(out->features, out->classifier) == 0) {
        out->features = out->classifier = NULL;
    }
    return VGG_OK;
}
