/* SPDX-License-Identifier: MIT */
/* Finds the modules with weights in a checkpoint's names and shapes, and the order in which they run. */
#include "model/infer/sites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/infer/norm_sites.h"
#include "model/spec/spec_types.h"

/* The longest module name; longer ones do not occur in VGGs. */
enum { MAX_NAME = 150 };

/* Linear layers whose order is searched for among all orders. */
enum { MAX_SEARCHED = 8 };

struct search {
    const struct vgg_load *load;
    const struct vgg_tensor_list *tensors;
    /* [count] in the order of the file. */
    struct vgg_site *sites;
    size_t count;
    /* [count] in the order that is being tried. */
    struct vgg_site **order;
    struct vgg_weighted *convs, *linears;
    size_t conv_count, linear_count;
};

static const char digits[] = "0123456789";

/* ---- places ---- */

/* The number that a component of a name is; -1: it is none. */
static int read_number(const char *component, size_t length)
{
    return length > 0 && length < 7 && strspn(component, digits) >= length &&
                   (length == 1 || component[0] != '0')
               ? atoi(component)
               : -1;
}

/* The beginning of the last component of name[length]. */
static size_t find_component(const char *name, size_t length)
{
    while (length > 0 && name[length - 1] != '.') {
        length--;
    }
    return length;
}

static struct vgg_place find_place(const char *name)
{
    const size_t length = strlen(name), last = find_component(name, length);
    struct vgg_place place = {.parent = last > 0 ? last - 1 : 0,
                              .number = read_number(name + last, length - last)};
    if (place.number < 0 && last > 1) {
        const size_t before = find_component(name, last - 1);
        const int number = read_number(name + before, last - 1 - before);
        if (number >= 0 && before > 0) {
            place = (struct vgg_place){.parent = before - 1, .number = number, .unit = true};
        }
    }
    return place;
}

bool vgg_site_is_beside(const struct vgg_site *a, const struct vgg_site *b)
{
    return a->place.parent == b->place.parent && a->place.unit == b->place.unit &&
           memcmp(a->name, b->name, a->place.parent) == 0;
}

int vgg_site_count_between(const struct vgg_site *a, const struct vgg_site *b)
{
    return vgg_site_is_beside(a, b) && a->place.number >= 0 && b->place.number >= 0 &&
                   b->place.number > a->place.number
               ? b->place.number - a->place.number - 1
               : -1;
}

/* ---- collecting ---- */

/* The length of the module's name if the tensor is its LEAF; 0: it is not. */
static size_t module_length(const char *name, const char *leaf)
{
    const size_t length = strlen(name), tail = strlen(leaf);
    return length > tail && length - tail <= MAX_NAME && strcmp(name + length - tail, leaf) == 0
               ? length - tail
               : 0;
}

static bool has(const struct vgg_tensor_list *tensors, const char *module, const char *leaf)
{
    return vgg_tensor_list_findf(tensors, "%s.%s", module, leaf) != NULL;
}

/* Refuses a side of a weight that is no number of channels or features: LIMIT. */
static vgg_status read_width(const struct search *search, const struct vgg_tensor *weight, int dim,
                             int *out)
{
    char shape[VGG_SHAPE_TEXT_BYTES];
    if (weight->shape[dim] < 1 || weight->shape[dim] > VGG_MAX_CHANNELS) {
        return vgg_fail(search->load->err, VGG_ERR_LIMIT,
                        "%s: %s: expected sides of 1 to %d, found %s", search->load->path,
                        weight->name, VGG_MAX_CHANNELS,
                        vgg_shape_text(weight->shape, weight->ndim, shape));
    }
    *out = (int)weight->shape[dim];
    return VGG_OK;
}

/* Adds the module of a tensor to the list, if the tensor shows one.
 *   length  of the module's name */
static vgg_status add_site(struct search *search, const struct vgg_tensor *tensor, size_t length)
{
    struct vgg_site *site = &search->sites[search->count];
    *site =
        (struct vgg_site){.name = vgg_arena_copy_string(search->load->arena, tensor->name, length)};
    if (site->name == NULL) {
        return vgg_load_fail_memory(search->load, length + 1, "a name");
    }
    const bool statistics = has(search->tensors, site->name, "running_mean");
    site->weight = has(search->tensors, site->name, "weight") ? tensor : NULL;
    site->bias = has(search->tensors, site->name, "bias");
    site->place = find_place(site->name);
    if (tensor->ndim == 1) {
        if (!statistics && site->bias) {
            return VGG_OK; /* LayerNorm or the like: binding refuses it */
        }
        site->kind = statistics ? VGG_SITE_NORM : VGG_SITE_PRELU;
    } else {
        site->kind = tensor->ndim == 4 ? VGG_SITE_CONV : VGG_SITE_LINEAR;
        vgg_status status = read_width(search, tensor, 1, &site->in_channels);
        if (status != VGG_OK) {
            return status;
        }
    }
    search->count++;
    return read_width(search, tensor, 0, &site->out_channels);
}

/* A layer has at most three modules with weights. */
static vgg_status check_count(const struct search *search)
{
    const size_t max = 3 * (size_t)search->load->limits->layers;
    return search->count <= max
               ? VGG_OK
               : vgg_fail(search->load->err, VGG_ERR_LIMIT,
                          "%s: %zu modules with weights, limit is %u layers", search->load->path,
                          search->count, search->load->limits->layers);
}

static vgg_status collect(struct search *search)
{
    vgg_status status = VGG_OK;
    for (size_t i = 0; i < search->tensors->count && status == VGG_OK; i++) {
        const struct vgg_tensor *tensor = search->tensors->items[i];
        size_t length = module_length(tensor->name, ".weight");
        if (length > 0 && (tensor->ndim == 4 || tensor->ndim == 2 || tensor->ndim == 1)) {
            status = add_site(search, tensor, length);
            continue;
        }
        length = module_length(tensor->name, ".running_mean");
        if (length > 0 && tensor->ndim == 1 &&
            vgg_tensor_list_findf(search->tensors, "%.*s.weight", (int)length, tensor->name) ==
                NULL) {
            status = add_site(search, tensor, length);
        }
    }
    return status;
}

/* ---- order ---- */

/* Compares names by the numbers in them: conv2 before conv10. */
static int compare_numbers(const void *a, const void *b)
{
    const char *x = (*(const struct vgg_site *const *)a)->name;
    const char *y = (*(const struct vgg_site *const *)b)->name;
    while (*x != '\0' && *y != '\0') {
        if (strchr(digits, *x) != NULL && strchr(digits, *y) != NULL) {
            x += strspn(x, "0");
            y += strspn(y, "0");
            const size_t left = strspn(x, digits), right = strspn(y, digits);
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
    search->conv_count = search->linear_count = 0;
    for (size_t i = 0; i < search->count; i++) {
        struct vgg_site *site = search->order[i];
        const struct vgg_weighted weighted = {.site = site, .groups = 1};
        if (site->kind == VGG_SITE_CONV) {
            search->convs[search->conv_count++] = weighted;
        } else if (site->kind == VGG_SITE_LINEAR) {
            search->linears[search->linear_count++] = weighted;
        }
    }
}

static vgg_status fail_shape(const struct search *search, const struct vgg_site *before,
                             const struct vgg_site *site)
{
    char shape[VGG_SHAPE_TEXT_BYTES], given[VGG_SHAPE_TEXT_BYTES];
    const struct vgg_tensor *weight = site->weight;
    const bool beside = site->kind == VGG_SITE_LINEAR && before->kind == VGG_SITE_LINEAR &&
                        site->in_channels == before->in_channels;
    return vgg_fail_hint(
        search->load->err, VGG_ERR_FORMAT, beside ? VGG_HINT_SPEC : VGG_HINT_NONE,
        "%.100s %s cannot follow %.100s %s%s", weight->name,
        vgg_shape_text(weight->shape, weight->ndim, shape), before->weight->name,
        vgg_shape_text(before->weight->shape, before->weight->ndim, given),
        beside ? ", which takes the same features: if these are two outputs, describe one of them, "
                 "and name the other as \"unused\""
               : "");
}

/* Checks that each convolution takes the output of the one before it. A filter of one channel on as many channels
 * as it puts out, or a multiple, is depthwise. */
static vgg_status check_convs(const struct search *search)
{
    for (size_t i = 1; i < search->conv_count; i++) {
        const struct vgg_site *before = search->convs[i - 1].site, *site = search->convs[i].site;
        const int channels = before->out_channels;
        const bool depthwise = site->in_channels == 1 && site->out_channels % channels == 0;
        if (site->in_channels != channels && !depthwise) {
            return fail_shape(search, before, site);
        }
        search->convs[i].groups = site->in_channels == channels ? 1 : channels;
    }
    return VGG_OK;
}

/* Whether a linear layer can follow, in a net whose convolutions put out this number of channels. */
static bool can_follow(const struct vgg_site *before, const struct vgg_site *site, int channels)
{
    return before != NULL ? site->in_channels == before->out_channels
                          : site->in_channels % channels == 0;
}

/* Completes an order of the linear layers in which each takes the output of the one before it.
 *   done  the number of layers that have their place */
static bool search_linears(struct search *search, size_t done, int channels)
{
    struct vgg_weighted *linears = search->linears;
    if (done == search->linear_count) {
        return true;
    }
    for (size_t i = done; i < search->linear_count; i++) {
        const struct vgg_site *before = done > 0 ? linears[done - 1].site : NULL;
        if (!can_follow(before, linears[i].site, channels)) {
            continue;
        }
        const struct vgg_weighted chosen = linears[i];
        memmove(&linears[done + 1], &linears[done], (i - done) * sizeof *linears);
        linears[done] = chosen;
        if (search_linears(search, done + 1, channels)) {
            return true;
        }
        memmove(&linears[done], &linears[done + 1], (i - done) * sizeof *linears);
        linears[i] = chosen;
    }
    return false;
}

const char *vgg_sites_show_origin(int features, int channels, char out[VGG_ORIGIN_BYTES])
{
    out[0] = '\0';
    if (features % 49 == 0 && features / 49 != channels) {
        snprintf(out, VGG_ORIGIN_BYTES,
                 ", which is %d x 7x7: made for features that end in %d channels", features / 49,
                 features / 49);
    }
    return out;
}

/* Fails because no whole number of the last convolution's pixels makes the classifier's features. */
static vgg_status fail_features(const struct search *search, const struct vgg_site *conv,
                                const struct vgg_site *linear)
{
    char origin[VGG_ORIGIN_BYTES];
    return vgg_fail(
        search->load->err, VGG_ERR_MISMATCH,
        "%s: %s: expected as in_features the %d channels of %s times a square number of "
        "pixels (%lld for 7x7), found %d%s",
        search->load->path, linear->weight->name, conv->out_channels, conv->weight->name,
        49LL * conv->out_channels, linear->in_channels,
        vgg_sites_show_origin(linear->in_channels, conv->out_channels, origin));
}

static vgg_status check_linears(struct search *search)
{
    const struct vgg_site *before = NULL;
    const struct vgg_site *last = search->convs[search->conv_count - 1].site;
    for (size_t i = 0; i < search->linear_count; i++) {
        const struct vgg_site *site = search->linears[i].site;
        if (!can_follow(before, site, last->out_channels)) {
            if (search->linear_count <= MAX_SEARCHED &&
                search_linears(search, 0, last->out_channels)) {
                return VGG_OK;
            }
            return before != NULL ? fail_shape(search, before, site)
                                  : fail_features(search, last, site);
        }
        before = site;
    }
    return VGG_OK;
}

static vgg_status check_order(struct search *search)
{
    sort_by_kind(search);
    if (search->conv_count == 0) {
        return vgg_fail(search->load->err, VGG_ERR_FORMAT, "%s", "");
    }
    vgg_status status = check_convs(search);
    status = status ? status : check_linears(search);
    return status ? status
                  : vgg_norm_sites_attach(search->load, &(struct vgg_norm_search){
                                                            search->order, search->count,
                                                            search->convs, search->conv_count,
                                                            search->linears, search->linear_count});
}

/* Finds an order of the modules in which they make a chain. */
static vgg_status find_order(struct search *search, bool *by_number)
{
    const bool sorted = is_sorted(search->tensors);
    struct vgg_error first = {0};
    struct vgg_error *err = search->load->err;
    vgg_status status = VGG_OK;
    /* In a file sorted alphabetically conv10 stands before conv2, so that numbers are tried first. */
    for (int attempt = 0; attempt < 2; attempt++) {
        *by_number = (attempt == 0) == sorted;
        for (size_t i = 0; i < search->count; i++) {
            search->order[i] = &search->sites[i];
        }
        if (*by_number) {
            qsort(search->order, search->count, sizeof(struct vgg_site *), compare_numbers);
        }
        const vgg_status tried = check_order(search);
        if (tried == VGG_OK || tried == VGG_ERR_MEMORY) {
            return tried;
        }
        if (attempt == 0 && err != NULL) {
            first = *err;
        }
        status = attempt == 0 ? tried : status;
    }
    if (err != NULL) {
        *err = first; /* the more likely order's */
    }
    return status;
}

/* Whether a name has a digit. */
static bool has_number(const struct vgg_site *site)
{
    return strpbrk(site->name, digits) != NULL;
}

/* Whether an alphabetical file, in which the order of the modules is lost, has convolutions without numbers that could
 * change places. */
static bool is_unordered(const struct search *search)
{
    size_t alike = 0;
    for (size_t i = 0; i < search->conv_count; i++) {
        const struct vgg_site *site = search->convs[i].site;
        alike += !has_number(site) && site->in_channels == site->out_channels;
    }
    return is_sorted(search->tensors) && alike > 1;
}

static vgg_status allocate(struct search *search)
{
    const size_t count = search->tensors->count + 1;
    search->sites = vgg_load_alloc(search->load, count, sizeof *search->sites);
    search->order = vgg_load_alloc(search->load, count, sizeof(struct vgg_site *));
    search->convs = vgg_load_alloc(search->load, count, sizeof *search->convs);
    search->linears = vgg_load_alloc(search->load, count, sizeof *search->linears);
    return search->sites != NULL && search->order != NULL && search->convs != NULL &&
                   search->linears != NULL
               ? VGG_OK
               : vgg_load_fail_memory(search->load, count * sizeof *search->sites, "the layers");
}

vgg_status vgg_sites_find(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                          struct vgg_sites *out)
{
    struct search search = {.load = load, .tensors = tensors};
    *out = (struct vgg_sites){0};
    vgg_status status = allocate(&search);
    status = status ? status : collect(&search);
    status = status ? status : check_count(&search);
    status = status ? status : find_order(&search, &out->by_number);
    if (status != VGG_OK) {
        return status;
    }
    const size_t layers = search.conv_count + search.linear_count;
    if (layers > load->limits->layers) {
        return vgg_fail(load->err, VGG_ERR_LIMIT, "%s: the net has %zu layers, limit is %u",
                        load->path, layers, load->limits->layers);
    }
    out->convs = search.convs;
    out->conv_count = search.conv_count;
    out->linears = search.linears;
    out->linear_count = search.linear_count;
    out->unordered = is_unordered(&search);
    return VGG_OK;
}
