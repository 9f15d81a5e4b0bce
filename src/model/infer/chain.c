/* SPDX-License-Identifier: MIT */
/* Finds the chain of layers that weights make: which layers there are, and in which order. */
#include "model/infer/chain.h"

#include <stdlib.h>
#include <string.h>

/* The longest module name; longer ones do not occur in VGGs. */
enum { MAX_NAME = 48 };

/* The weights of one kind in some order. */
struct weights {
    const struct vgg_tensor **items;
    size_t count;
};

struct search {
    const struct vgg_load *load;
    const struct vgg_tensor_list *tensors;
    /* [tensors->count] the tensors in the order that is being tried. */
    const struct vgg_tensor **order;
    struct weights convs, linears, norms;
};

static const char leaf[] = ".weight";

/* The length of the module's name in the name of its weight; 0: the tensor is not a weight. */
static size_t module_length(const char *name)
{
    const size_t length = strlen(name), tail = sizeof leaf - 1;
    return length > tail && length - tail <= MAX_NAME && strcmp(name + length - tail, leaf) == 0
               ? length - tail
               : 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Compares names by the numbers in them: conv2 before conv10. */
static int compare_numbers(const void *a, const void *b)
{
    const char *x = (*(const struct vgg_tensor *const *)a)->name;
    const char *y = (*(const struct vgg_tensor *const *)b)->name;
    while (*x != '\0' && *y != '\0') {
        if (is_digit(*x) && is_digit(*y)) {
            x += strspn(x, "0");
            y += strspn(y, "0");
            const size_t left = strspn(x, "0123456789"), right = strspn(y, "0123456789");
            const int order = left != right ? (left > right) - (left < right) : memcmp(x, y, left);
            if (order != 0) {
                return order;
            }
            x += left;
            y += right;
        } else if (*x != *y) {
            break;
        } else {
            x++;
            y++;
        }
    }
    return (unsigned char)*x - (unsigned char)*y;
}

static bool is_sorted(const struct vgg_tensor_list *tensors)
{
    for (size_t i = 1; i < tensors->count; i++) {
        if (strcmp(tensors->items[i - 1]->name, tensors->items[i]->name) > 0) {
            return false;
        }
    }
    return true;
}

static void sort_by_kind(struct search *search)
{
    search->convs.count = search->linears.count = search->norms.count = 0;
    for (size_t i = 0; i < search->tensors->count; i++) {
        const struct vgg_tensor *tensor = search->order[i];
        struct weights *kind = tensor->ndim == 4   ? &search->convs
                               : tensor->ndim == 2 ? &search->linears
                               : tensor->ndim == 1 ? &search->norms
                                                   : NULL;
        if (kind != NULL && module_length(tensor->name) > 0) {
            kind->items[kind->count++] = tensor;
        }
    }
}

static vgg_status fail_shape(const struct search *search, const struct vgg_tensor *before,
                             const struct vgg_tensor *weight)
{
    char shape[VGG_SHAPE_TEXT_BYTES], given[VGG_SHAPE_TEXT_BYTES];
    return vgg_fail(search->load->err, VGG_ERR_FORMAT, "%.100s %s cannot follow %.100s %s",
                    weight->name, vgg_shape_text(weight->shape, weight->ndim, shape),
                    before != NULL ? before->name : "an image",
                    before != NULL ? vgg_shape_text(before->shape, before->ndim, given)
                                   : "[3,H,W]");
}

/* Checks that each layer takes the output of the layer before it. */
static vgg_status check_chain(const struct search *search)
{
    const struct vgg_tensor *before = NULL;
    int64_t channels = 3;
    for (size_t i = 0; i < search->convs.count; i++) {
        const struct vgg_tensor *weight = search->convs.items[i];
        if (weight->shape[1] != channels || weight->shape[0] < 1) {
            return fail_shape(search, before, weight);
        }
        channels = weight->shape[0];
        before = weight;
    }
    for (size_t i = 0; i < search->linears.count; i++) {
        const struct vgg_tensor *weight = search->linears.items[i];
        if (i == 0 ? weight->shape[1] < 1 || weight->shape[1] % channels != 0
                   : weight->shape[1] != channels) {
            return fail_shape(search, before, weight);
        }
        channels = weight->shape[0];
        if (channels < 1) {
            return fail_shape(search, before, weight);
        }
        before = weight;
    }
    return VGG_OK;
}

/* Finds an order of the tensors in which they make a chain. */
static vgg_status find_order(struct search *search, bool *by_number)
{
    const size_t count = search->tensors->count;
    const bool sorted = is_sorted(search->tensors);
    vgg_status status = VGG_OK;
    /* In a file sorted alphabetically conv10 stands before conv2, so that numbers are tried first. */
    for (int attempt = 0; attempt < 2; attempt++) {
        *by_number = (attempt == 0) == sorted;
        memcpy(search->order, search->tensors->items, count * sizeof *search->order);
        if (*by_number) {
            qsort(search->order, count, sizeof *search->order, compare_numbers);
        }
        sort_by_kind(search);
        status = check_chain(search);
        if (status == VGG_OK) {
            return VGG_OK;
        }
    }
    return status;
}

static const char *copy_module(const struct search *search, const struct vgg_tensor *weight)
{
    return vgg_arena_copy_string(search->load->arena, weight->name, module_length(weight->name));
}

static vgg_status take(const struct search *search, const struct weights *weights,
                       struct vgg_chain_layer **out)
{
    *out = vgg_arena_alloc(search->load->arena, weights->count, sizeof **out);
    for (size_t i = 0; *out != NULL && i < weights->count; i++) {
        (*out)[i] = (struct vgg_chain_layer){.name = copy_module(search, weights->items[i]),
                                             .weight = weights->items[i]};
        if ((*out)[i].name == NULL) {
            *out = NULL;
        }
    }
    return *out != NULL ? VGG_OK
                        : vgg_fail_memory(search->load->err, search->load->path,
                                          weights->count * sizeof **out, "the layers");
}

/* ---- BatchNorm ---- */

/* False without memory. */
static bool attach(const struct search *search, struct vgg_chain_layer *layer,
                   const struct vgg_tensor *norm)
{
    layer->norm = copy_module(search, norm);
    return layer->norm != NULL;
}

static bool fits(const struct vgg_chain_layer *layer, const struct vgg_tensor *norm)
{
    return layer != NULL && layer->norm == NULL && layer->weight->shape[0] == norm->shape[0];
}

/* Gives each layer the BatchNorm that follows it. MISMATCH if a BatchNorm follows no layer or has another size;
 * MEMORY. */
static vgg_status attach_neighbours(const struct search *search, struct vgg_chain *chain)
{
    struct vgg_chain_layer *conv = chain->convs, *linear = chain->linears, *last = NULL;
    const struct vgg_chain_layer *conv_end = conv + chain->conv_count;
    const struct vgg_chain_layer *linear_end = linear + chain->linear_count;
    size_t norm = 0;
    for (size_t i = 0; norm < search->norms.count; i++) {
        const struct vgg_tensor *tensor = search->order[i];
        if (conv < conv_end && tensor == conv->weight) {
            last = conv++;
        } else if (linear < linear_end && tensor == linear->weight) {
            last = linear++;
        } else if (tensor == search->norms.items[norm]) {
            if (!fits(last, tensor)) {
                return VGG_ERR_MISMATCH;
            }
            if (!attach(search, last, tensor)) {
                return VGG_ERR_MEMORY;
            }
            norm++;
        }
    }
    return VGG_OK;
}

/* Gives the n-th convolution the n-th BatchNorm. Errors: as attach_neighbours. */
static vgg_status attach_pairs(const struct search *search, struct vgg_chain *chain)
{
    if (search->norms.count != chain->conv_count) {
        return VGG_ERR_MISMATCH;
    }
    for (size_t i = 0; i < chain->conv_count; i++) {
        if (!fits(&chain->convs[i], search->norms.items[i])) {
            return VGG_ERR_MISMATCH;
        }
        if (!attach(search, &chain->convs[i], search->norms.items[i])) {
            return VGG_ERR_MEMORY;
        }
    }
    return VGG_OK;
}

static void detach(struct vgg_chain *chain)
{
    for (size_t i = 0; i < chain->conv_count; i++) {
        chain->convs[i].norm = NULL;
    }
    for (size_t i = 0; i < chain->linear_count; i++) {
        chain->linears[i].norm = NULL;
    }
}

static vgg_status attach_norms(const struct search *search, struct vgg_chain *chain)
{
    vgg_status status = attach_neighbours(search, chain);
    if (status == VGG_ERR_MISMATCH) {
        detach(chain);
        status = attach_pairs(search, chain);
    }
    if (status == VGG_ERR_MISMATCH) {
        return vgg_fail(search->load->err, VGG_ERR_UNSUPPORTED,
                        "%s: expected a BatchNorm2d after each convolution or none, found %zu of "
                        "them (%s …) and %zu convolutions that they cannot be assigned to",
                        search->load->path, search->norms.count, search->norms.items[0]->name,
                        chain->conv_count);
    }
    return status == VGG_OK
               ? VGG_OK
               : vgg_fail_memory(search->load->err, search->load->path, MAX_NAME, "a name");
}

vgg_status vgg_chain_find(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                          struct vgg_chain *out)
{
    struct search search = {.load = load, .tensors = tensors};
    const struct vgg_tensor **all = vgg_load_alloc(load, 4 * tensors->count, sizeof *all);
    struct vgg_chain chain = {0};
    if (all == NULL) {
        return vgg_load_fail_memory(load, 4 * tensors->count * sizeof *all, "the layers");
    }
    search.order = all;
    search.convs.items = all + tensors->count;
    search.linears.items = all + 2 * tensors->count;
    search.norms.items = all + 3 * tensors->count;
    vgg_status status = find_order(&search, &chain.by_number);
    if (status == VGG_OK && (search.convs.count == 0 || search.linears.count == 0)) {
        return vgg_fail(load->err, VGG_ERR_FORMAT, "%s", "");
    }
    chain.conv_count = search.convs.count;
    chain.linear_count = search.linears.count;
    status = status ? status : take(&search, &search.convs, &chain.convs);
    status = status ? status : take(&search, &search.linears, &chain.linears);
    status = status ? status : attach_norms(&search, &chain);
    if (status == VGG_OK) {
        *out = chain;
    }
    return status;
}
