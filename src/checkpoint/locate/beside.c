/* SPDX-License-Identifier: MIT */
/* What stands beside a net in the same dict or module: training state, constants, layers on top of it. */
#include "checkpoint/locate/beside.h"

#include <inttypes.h>
#include <stdlib.h>

#include "checkpoint/locate/rebuild.h"
#include "checkpoint/locate/tensor_names.h"

/* More tensors than those of a few layers are another part of a larger net. */
enum { LAYER_TENSORS_MAX = 64 };

/* The tensors beside a net, and what is known of them. */
struct beside {
    const struct vgg_search *search;
    const struct vgg_candidate *candidate;
    const struct vgg_named_list *tensors;
    struct vgg_tensor *shapes; /* [tensors->count] of layers */
    bool *is_layer, *is_placed;
    int64_t width; /* the output of the net and the layers that have their place */
};

/* Whether a tensor is of another net. */
static bool is_other(const struct vgg_search *search, const struct vgg_candidate *candidate,
                     const char *name)
{
    for (size_t i = 0; i < search->candidate_count; i++) {
        const struct vgg_candidate *other = &search->candidates[i];
        const size_t length = strlen(other->prefix);
        if (other != candidate && other->source == candidate->source && length > 0 &&
            strncmp(name, other->prefix, length) == 0) {
            return true;
        }
    }
    return false;
}

enum vgg_beside vgg_beside_get(const struct vgg_search *search,
                               const struct vgg_candidate *candidate, const char *name)
{
    const bool whole = candidate->prefix == NULL || candidate->prefix[0] == '\0';
    if (!whole && vgg_candidate_has(search, candidate, name)) {
        return VGG_BESIDE_NONE;
    }
    if (is_other(search, candidate, name)) {
        return VGG_BESIDE_OTHER_NET;
    }
    if (vgg_name_is_state(name)) {
        return VGG_BESIDE_STATE;
    }
    if (vgg_name_is_constant(name)) {
        return VGG_BESIDE_CONSTANT;
    }
    return whole ? VGG_BESIDE_NONE : VGG_BESIDE_LAYER;
}

/* The number after "classifier."; -1: the name is of another part; 0: it has none. */
static long read_position(const struct vgg_candidate *candidate, const char *name)
{
    static const char part[] = "classifier.";
    name += strlen(candidate->prefix);
    return strncmp(name, part, sizeof part - 1) == 0
               ? strtol(name + sizeof part - 1, NULL, 10) % INT32_MAX
               : -1;
}

/* The outputs of the candidate: those of its last linear layer; 0: unknown. */
static int64_t find_outputs(const struct beside *beside)
{
    const struct vgg_load quiet = vgg_load_quietly(beside->search->load);
    long last = -1;
    int64_t outputs = 0;
    for (size_t i = 0; i < beside->tensors->count; i++) {
        const struct vgg_named *named = &beside->tensors->items[i];
        struct vgg_tensor shape = {0};
        struct vgg_placement placement;
        if (!vgg_candidate_has(beside->search, beside->candidate, named->name) ||
            vgg_tensor_rebuild(&quiet, named->value, "", &shape, &placement) != VGG_OK ||
            shape.ndim != 2) {
            continue;
        }
        const long position = read_position(beside->candidate, named->name);
        if (position >= last) {
            last = position;
            outputs = shape.shape[0];
        }
    }
    return outputs;
}

/* Whether a tensor of a BatchNorm1d or a bias has the width of what it is added to. */
static bool is_vector_of_module(const struct beside *beside, size_t index)
{
    const char *name = beside->tensors->items[index].name;
    const char *leaf = strrchr(name, '.');
    const size_t length = leaf != NULL ? (size_t)(leaf - name) : 0;
    bool has_layer = false;
    for (size_t i = 0; i < beside->tensors->count && length > 0; i++) {
        const char *other = beside->tensors->items[i].name;
        if (beside->is_layer[i] && strncmp(other, name, length + 1) == 0) {
            const char *other_leaf = other + length + 1;
            has_layer =
                has_layer || (strcmp(other_leaf, "running_mean") == 0 ||
                              (strcmp(other_leaf, "weight") == 0 && beside->shapes[i].ndim == 2));
        }
    }
    return has_layer;
}

/* Gives linear layers their place as long as one takes the output of those before it. */
static void place_layers(struct beside *beside)
{
    bool placed = true;
    while (placed) {
        placed = false;
        for (size_t i = 0; i < beside->tensors->count && !placed; i++) {
            const struct vgg_tensor *shape = &beside->shapes[i];
            if (beside->is_layer[i] && !beside->is_placed[i] && shape->ndim == 2 &&
                shape->shape[1] == beside->width) {
                beside->is_placed[i] = placed = true;
                beside->width = shape->shape[0];
            }
        }
    }
}

static vgg_status fail(const struct beside *beside, size_t index)
{
    const struct vgg_tensor *shape = &beside->shapes[index];
    struct vgg_text sides = {0};
    vgg_source_label label;
    for (int d = 0; d < shape->ndim; d++) {
        vgg_text_add(&sides, "%s%" PRIi64, d > 0 ? "," : "", shape->shape[d]);
    }
    return vgg_fail_hint(
        beside->search->load->err, VGG_ERR_UNSUPPORTED, VGG_HINT_KEY,
        "%s: %.200s [%s]: stands beside the net \"%.200s\" and is no layer on top of its %" PRIi64
        " outputs: that net may be a part of a larger one",
        beside->search->load->path, beside->tensors->items[index].name, sides.buffer,
        vgg_source_get_label(beside->candidate->source, beside->candidate->prefix, label),
        beside->width);
}

/* Reads the shapes of what may be layers. Numbers that are no parameters, such as counters, are none. */
static vgg_status list_layers(struct beside *beside, bool *found)
{
    size_t count = 0;
    for (size_t i = 0; i < beside->tensors->count && count <= LAYER_TENSORS_MAX; i++) {
        const struct vgg_named *named = &beside->tensors->items[i];
        struct vgg_tensor *shape = &beside->shapes[i];
        struct vgg_placement placement;
        if (vgg_beside_get(beside->search, beside->candidate, named->name) != VGG_BESIDE_LAYER) {
            continue;
        }
        vgg_status status =
            vgg_tensor_rebuild(beside->search->load, named->value, named->name, shape, &placement);
        if (status != VGG_OK) {
            return status;
        }
        const bool is_float = shape->dtype <= VGG_DTYPE_BF16 || shape->dtype >= VGG_DTYPE_F8_E4M3;
        beside->is_layer[i] = is_float && shape->ndim > 0;
        count += beside->is_layer[i];
    }
    *found = count > 0;
    return VGG_OK;
}

static vgg_status check(struct beside *beside, bool *found)
{
    vgg_status status = list_layers(beside, found);
    if (status != VGG_OK || !*found) {
        return status;
    }
    const int64_t outputs = find_outputs(beside);
    beside->width = outputs;
    place_layers(beside);
    for (size_t i = 0; i < beside->tensors->count; i++) {
        if (beside->is_layer[i] && !beside->is_placed[i] &&
            (beside->shapes[i].ndim != 1 || !is_vector_of_module(beside, i))) {
            beside->width = outputs;
            return fail(beside, i);
        }
    }
    return VGG_OK;
}

vgg_status vgg_beside_find_layers(const struct vgg_search *search,
                                  const struct vgg_candidate *candidate,
                                  const struct vgg_named_list *tensors, bool *found)
{
    const struct vgg_allocator *allocator = vgg_allocator_of(search->load->arena->context);
    const size_t count = tensors->count + 1;
    struct beside beside = {.search = search, .candidate = candidate, .tensors = tensors};
    vgg_status status = VGG_OK;
    *found = false;
    if (candidate->prefix == NULL || candidate->prefix[0] == '\0') {
        return VGG_OK;
    }
    beside.shapes = vgg_mem_alloc_cleared(allocator, count, sizeof *beside.shapes);
    beside.is_layer = vgg_mem_alloc_cleared(allocator, count, sizeof *beside.is_layer);
    beside.is_placed = vgg_mem_alloc_cleared(allocator, count, sizeof *beside.is_placed);
    if (beside.shapes == NULL || beside.is_layer == NULL || beside.is_placed == NULL) {
        status = vgg_load_fail_memory(search->load, count * sizeof *beside.shapes, "the layers");
    } else {
        status = check(&beside, found);
    }
    vgg_mem_free(allocator, beside.shapes);
    vgg_mem_free(allocator, beside.is_layer);
    vgg_mem_free(allocator, beside.is_placed);
    return status;
}
