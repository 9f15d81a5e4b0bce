/* SPDX-License-Identifier: MIT */
/* Gives the nodes their weights by name; a file must have every tensor that the net needs, and no others. */
#include "model/graph/bind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* The list of everything that is wrong with the tensors. */
struct problems {
    struct vgg_text text;
    unsigned missing, unexpected, mismatched;
};

static const char *separator(const struct problems *problems)
{
    return problems->text.length > 0 ? "; " : "";
}

static void add_missing(struct problems *problems, const struct vgg_parameter *parameter)
{
    char shape[VGG_SHAPE_TEXT_BYTES];
    vgg_text_add(&problems->text, "%s%s: missing, expected %s", separator(problems),
                 parameter->name, vgg_shape_text(parameter->shape, parameter->ndim, shape));
    problems->missing++;
}

/* Whether a weight is a normalisation's that keeps no statistics: GroupNorm, or BatchNorm with
 * track_running_stats=False. */
static bool is_norm_without_statistics(const struct vgg_tensor_list *tensors,
                                       const struct vgg_tensor *tensor)
{
    static const char leaf[] = ".weight";
    const size_t length = strlen(tensor->name), tail = sizeof leaf - 1;
    if (tensor->ndim != 1 || !vgg_ends_with(tensor->name, length, leaf)) {
        return false;
    }
    const int module = (int)(length - tail);
    const struct vgg_tensor *bias =
        vgg_tensor_list_findf(tensors, "%.*s.bias", module, tensor->name);
    return bias != NULL && bias->ndim == 1 && bias->shape[0] == tensor->shape[0] &&
           vgg_tensor_list_findf(tensors, "%.*s.running_mean", module, tensor->name) == NULL;
}

static void add_unexpected(struct problems *problems, const struct vgg_tensor_list *tensors,
                           const struct vgg_tensor *tensor)
{
    char shape[VGG_SHAPE_TEXT_BYTES];
    vgg_text_add(&problems->text, "%s%.*s: unexpected, found %s%s", separator(problems),
                 VGG_SHOWN_TEXT(tensor->name, 200),
                 vgg_shape_text(tensor->shape, tensor->ndim, shape),
                 is_norm_without_statistics(tensors, tensor)
                     ? " of a normalisation without running_mean and running_var"
                     : "");
    problems->unexpected++;
}

/* Compares a tensor that was found with what is expected of it. */
static void check_tensor(struct problems *problems, const struct vgg_parameter *parameter,
                         const struct vgg_tensor *tensor)
{
    char expected[VGG_SHAPE_TEXT_BYTES], found[VGG_SHAPE_TEXT_BYTES];
    if (tensor->ndim != parameter->ndim ||
        memcmp(tensor->shape, parameter->shape, (size_t)tensor->ndim * sizeof(int64_t)) != 0) {
        vgg_text_add(&problems->text, "%s%s: expected %s, got %s", separator(problems),
                     parameter->name, vgg_shape_text(parameter->shape, parameter->ndim, expected),
                     vgg_shape_text(tensor->shape, tensor->ndim, found));
        problems->mismatched++;
    } else if (parameter->exact &&
               (tensor->dtype != parameter->dtype || tensor->layout != parameter->layout)) {
        vgg_text_add(&problems->text, "%s%s: expected %s in the layout %s, got %s in %s",
                     separator(problems), parameter->name, vgg_dtype_string(parameter->dtype),
                     vgg_layout_string(parameter->layout), vgg_dtype_string(tensor->dtype),
                     vgg_layout_string(tensor->layout));
        problems->mismatched++;
    } else if (!parameter->exact && !vgg_dtype_is_float(tensor->dtype)) {
        vgg_text_add(&problems->text, "%s%s: expected floating-point numbers, got %s",
                     separator(problems), parameter->name, vgg_dtype_string(tensor->dtype));
        problems->mismatched++;
    }
}

static int compare_slots(const void *a, const void *b)
{
    const struct vgg_parameter *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static int compare_name(const void *name, const void *parameter)
{
    const struct vgg_parameter *const *p = parameter;
    return strcmp(name, (*p)->name);
}

/* Whether an unexpected tensor is the num_batches_tracked of a BatchNorm in the net. */
static bool is_counter(const char *name, const struct vgg_parameter *const *by_name, size_t count)
{
    static const char counter[] = ".num_batches_tracked";
    char mean[256]; /* longer names are no modules */
    size_t length = strlen(name), tail = sizeof counter - 1;
    if (length < tail || !vgg_ends_with(name, length, counter) ||
        length - tail > sizeof mean - sizeof ".running_mean") {
        return false;
    }
    memcpy(mean, name, length - tail);
    strcpy(mean + (length - tail), ".running_mean");
    return bsearch(mean, by_name, count, sizeof *by_name, compare_name) != NULL;
}

static vgg_status fail(const struct vgg_context *context, const char *path, const char *name,
                       const struct problems *problems, struct vgg_error *err)
{
    char more[32] = "";
    if (problems->text.dropped > 0) {
        snprintf(more, sizeof more, "; and %u more", problems->text.dropped);
    }
    if (problems->missing + problems->unexpected + problems->mismatched == 1) {
        return vgg_fail(err, VGG_ERR_MISMATCH, "%s: %s (for %s)", path, problems->text.buffer,
                        name);
    }
    return vgg_fail_long(context, err, VGG_ERR_MISMATCH, VGG_HINT_NONE,
                         "%s: the tensors do not fit %s: %u missing, %u unexpected, %u mismatched: "
                         "%s%s",
                         path, name, problems->missing, problems->unexpected, problems->mismatched,
                         problems->text.buffer, more);
}

vgg_status vgg_graph_bind(const char *path, const char *name, const struct vgg_tensor_list *tensors,
                          struct vgg_graph *graph, struct vgg_error *err)
{
    struct problems problems = {0};
    size_t count = graph->parameter_count;
    const struct vgg_allocator *allocator = vgg_allocator_of(graph->context);
    const struct vgg_parameter **by_name = vgg_mem_alloc(allocator, count, sizeof *by_name);
    if (by_name == NULL) {
        return vgg_fail_memory(err, path, count * sizeof *by_name, "the weights' names");
    }
    for (size_t i = 0; i < count; i++) {
        const struct vgg_parameter *parameter = &graph->parameters[i];
        const struct vgg_tensor *tensor = vgg_tensor_list_find(tensors, parameter->name);
        by_name[i] = parameter;
        if (tensor == NULL) {
            add_missing(&problems, parameter);
        } else {
            check_tensor(&problems, parameter, tensor);
            *parameter->slot = tensor;
        }
    }
    qsort(by_name, count, sizeof *by_name, compare_slots);
    for (size_t i = 0; i < tensors->count; i++) {
        const struct vgg_tensor *tensor = tensors->items[i];
        const bool optional = tensors->optional != NULL && tensors->optional[i];
        if (!optional &&
            bsearch(tensor->name, by_name, count, sizeof *by_name, compare_name) == NULL &&
            !is_counter(tensor->name, by_name, count)) {
            add_unexpected(&problems, tensors, tensor);
        }
    }
    vgg_mem_free(allocator, by_name);
    if (problems.missing + problems.unexpected + problems.mismatched > 0) {
        return fail(graph->context, path, name, &problems, err);
    }
    return VGG_OK;
}

size_t vgg_graph_count_found(const struct vgg_graph *graph, const struct vgg_tensor_list *tensors)
{
    size_t found = 0;
    for (size_t i = 0; i < graph->parameter_count; i++) {
        found += vgg_tensor_list_find(tensors, graph->parameters[i].name) != NULL;
    }
    return found;
}
