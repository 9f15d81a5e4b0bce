/* SPDX-License-Identifier: MIT */
/* Refuses NaN, infinite and overlapping weights. */
#include "model/graph/check_weights.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "checkpoint/tensor/extent.h"
#include "checkpoint/tensor/tensor.h"
#include "model/graph/tensors.h"

/* ---- numbers ---- */

/* Refuses one element: UNSUPPORTED. */
static vgg_status check_element(const char *path, const char *name, int64_t position, float value,
                                struct vgg_error *err)
{
    if (isnan(value) && strncmp(name, "classifier", strlen("classifier")) == 0) {
        return vgg_fail(err, VGG_ERR_UNSUPPORTED,
                        "%s: %s: classifier holds NaN: these are feature-extraction weights "
                        "(torchvision vgg16 IMAGENET1K_FEATURES), which cannot classify",
                        path, name);
    }
    if (!isfinite(value)) {
        return vgg_fail(err, VGG_ERR_UNSUPPORTED,
                        "%s: %s: expected finite numbers, found %s at element %" PRId64, path, name,
                        isnan(value) ? "NaN" : "an infinity", position);
    }
    if (value < 0 && vgg_ends_with(name, strlen(name), ".running_var")) {
        return vgg_fail(err, VGG_ERR_UNSUPPORTED,
                        "%s: %s: expected variances, found %.9g at element %" PRId64, path, name,
                        (double)value, position);
    }
    return VGG_OK;
}

/* Checks all elements, a block at a time. */
static vgg_status check_all(const char *path, const char *name, const struct vgg_tensor *tensor,
                            struct vgg_error *err)
{
    enum { BLOCK = 4096 };
    float values[BLOCK];
    const int64_t total = vgg_tensor_get_count(tensor);
    for (int64_t first = 0; first < total; first += BLOCK) {
        const int64_t count = total - first < BLOCK ? total - first : BLOCK;
        vgg_tensor_read_range(tensor, first, count, values);
        for (int64_t i = 0; i < count; i++) {
            vgg_status status = check_element(path, name, first + i, values[i], err);
            if (status != VGG_OK) {
                return status;
            }
        }
    }
    return VGG_OK;
}

/* Checks about `samples` elements, spread from the first to the last; all elements when there are no more. They are
 * read in runs of RUN adjacent elements, because each run may be the first access to a page: sixty pages of each
 * tensor would cost a packed vgg16 as much time as everything else before its first layer. */
static vgg_status check_some(const char *path, const char *name, const struct vgg_tensor *tensor,
                             int64_t samples, struct vgg_error *err)
{
    enum { RUN = 8 };
    const int64_t count = vgg_tensor_get_count(tensor), runs = samples / RUN;
    vgg_status status = VGG_OK;
    if (count <= samples) {
        return check_all(path, name, tensor, err);
    }
    for (int64_t i = 0; i < runs && status == VGG_OK; i++) {
        /* The last run ends with the last element. last * i could overflow. */
        const int64_t last = count - RUN, steps = runs - 1;
        const int64_t first = last / steps * i + last % steps * i / steps;
        float values[RUN];
        vgg_tensor_read_range(tensor, first, RUN, values);
        for (int64_t e = 0; e < RUN && status == VGG_OK; e++) {
            status = check_element(path, name, first + e, values[e], err);
        }
    }
    return status;
}

vgg_status vgg_graph_check_numbers(const char *path, const struct vgg_graph *graph, bool all,
                                   struct vgg_error *err)
{
    /* A large tensor is only sampled: each access may read a page from the disk. */
    enum { SMALL = 4096, SAMPLES = 64 };
    vgg_status status = VGG_OK;
    for (size_t i = 0; i < graph->parameter_count && status == VGG_OK; i++) {
        const struct vgg_parameter *parameter = &graph->parameters[i];
        const struct vgg_tensor *tensor = *parameter->slot;
        if (tensor->layout == VGG_LAYOUT_PREPACKED || !vgg_dtype_is_float(tensor->dtype)) {
            /* There are no such weights in the file, or they are integers, which are always finite. */
            continue;
        }
        if (!all) {
            const bool small = vgg_tensor_get_count(tensor) <= SMALL;
            status = check_some(path, parameter->name, tensor, small ? SMALL : SAMPLES, err);
        } else {
            status = check_all(path, parameter->name, tensor, err);
        }
    }
    return status;
}

/* ---- memory ---- */

vgg_status vgg_graph_check_memory(const char *path, const struct vgg_graph *graph,
                                  const struct vgg_limits *limits, struct vgg_arena *arena,
                                  struct vgg_error *err)
{
    uint64_t total = 0, largest = 0;
    size_t present = 0;
    const char *name = "";
    struct vgg_extent *extents = vgg_arena_alloc(arena, graph->parameter_count, sizeof *extents);
    if (extents == NULL) {
        return vgg_fail_memory(err, path, graph->parameter_count * sizeof *extents,
                               "the extents of the weights");
    }
    for (size_t i = 0; i < graph->parameter_count; i++) {
        const struct vgg_tensor *tensor = *graph->parameters[i].slot;
        uint64_t bytes;
        if (tensor->layout == VGG_LAYOUT_PREPACKED) {
            /* The file has no bytes of it. */
            continue;
        }
        extents[present++] = vgg_extent_of(tensor);
        if (__builtin_mul_overflow((uint64_t)vgg_tensor_get_count(tensor),
                                   vgg_dtype_get_bytes(tensor->dtype), &bytes) ||
            __builtin_add_overflow(total, bytes, &total)) {
            bytes = total = UINT64_MAX;
        }
        if (bytes >= largest) {
            largest = bytes;
            name = graph->parameters[i].name;
        }
    }
    uint64_t held = vgg_extents_count_bytes(extents, present);
    if (total > held && total - held > limits->repeated_bytes) {
        return vgg_fail(err, VGG_ERR_LIMIT,
                        "%s: %" PRIu64 " bytes of weights (%s and others) in %" PRIu64
                        " of the file: %" PRIu64 " are repeated, limit is %" PRIu64,
                        path, total, name, held, total - held, limits->repeated_bytes);
    }
    return VGG_OK;
}
