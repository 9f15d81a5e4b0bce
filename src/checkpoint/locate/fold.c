/* SPDX-License-Identifier: MIT */
/* Finds and computes weights that are stored as two tensors, by weight_norm or prune. */
#include "checkpoint/locate/fold.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* The names of the parts of a weight P: where P is BEFORE LEAF, they are BEFORE INFIX LEAF and an ending. */
static const struct {
    enum vgg_fold_kind kind;
    const char *infix, *a, *b;
} styles[] = {
    {VGG_FOLD_PRUNE, "", "_orig", "_mask"},
    {VGG_FOLD_WEIGHT_NORM, "", "_g", "_v"},
    {VGG_FOLD_WEIGHT_NORM, "parametrizations.", ".original0", ".original1"},
};

/* Whether a name has this ending; *stem receives the length of the rest, which is not empty. */
static bool split_name(const char *name, const char *end, size_t *stem)
{
    const size_t length = strlen(name), tail = strlen(end);
    *stem = length > tail ? length - tail : 0;
    return *stem > 0 && vgg_ends_with(name, length, end);
}

struct by_name {
    const char *name;
    size_t index;
};

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct by_name *)a)->name, ((const struct by_name *)b)->name);
}

struct finder {
    const struct vgg_load *load;
    struct vgg_fold_list *list;
    struct by_name *sorted; /* [sorted_count] */
    size_t sorted_count;
};

static void sort(struct finder *finder)
{
    finder->sorted_count = finder->list->count;
    for (size_t i = 0; i < finder->sorted_count; i++) {
        finder->sorted[i] = (struct by_name){finder->list->tensors[i].name, i};
    }
    qsort(finder->sorted, finder->sorted_count, sizeof *finder->sorted, compare);
}

/* The index of the tensor called stem + ending, or SIZE_MAX. */
static size_t find(const struct finder *finder, const char *stem, size_t length, const char *ending)
{
    char name[1200];
    if (length + strlen(ending) >= sizeof name) {
        return SIZE_MAX;
    }
    memcpy(name, stem, length);
    strcpy(name + length, ending);
    const struct by_name wanted = {name, 0};
    const struct by_name *found =
        bsearch(&wanted, finder->sorted, finder->sorted_count, sizeof wanted, compare);
    return found != NULL ? found->index : SIZE_MAX;
}

static vgg_status fail(const struct finder *finder, vgg_status code, const char *name,
                       const char *what)
{
    return vgg_fail(finder->load->err, code, "%s: %s: %s", finder->load->path, name, what);
}

/* Makes BEFORE LEAF of BEFORE INFIX LEAF; NULL without memory. */
static const char *whole_name(const struct finder *finder, const char *stem, size_t length,
                              const char *infix)
{
    const size_t skip = strlen(infix);
    size_t leaf = length;
    char *name = vgg_arena_copy_string(finder->load->arena, stem, length);
    while (leaf > 0 && stem[leaf - 1] != '.') {
        leaf--;
    }
    if (name != NULL && skip > 0 && leaf >= skip && memcmp(stem + leaf - skip, infix, skip) == 0) {
        memmove(name + leaf - skip, name + leaf, length - leaf + 1);
    }
    return name;
}

/* Whether g can hold the norms of v: it is a scalar, or has one element on all axes except at most one, whose length is
 * that of v. */
static bool is_norm_of(const struct vgg_tensor *g, const struct vgg_tensor *v)
{
    int norm_axes = 0;
    if (g->ndim == 0) {
        return true;
    }
    for (int i = 0; i < g->ndim && g->ndim == v->ndim; i++) {
        if (g->shape[i] != 1 && (g->shape[i] != v->shape[i] || norm_axes++ > 0)) {
            return false;
        }
    }
    return g->ndim == v->ndim;
}

static bool same_shape(const struct vgg_tensor *a, const struct vgg_tensor *b)
{
    return a->ndim == b->ndim &&
           memcmp(a->shape, b->shape, (size_t)a->ndim * sizeof a->shape[0]) == 0;
}

/* Appends the tensor that is computed from a pair. */
static vgg_status add_whole(struct finder *finder, enum vgg_fold_kind kind, const char *name,
                            const struct vgg_tensor *a, const struct vgg_tensor *b)
{
    bool norm = kind == VGG_FOLD_WEIGHT_NORM;
    if (norm ? !is_norm_of(a, b) : !same_shape(a, b)) {
        return fail(finder, VGG_ERR_FORMAT, name,
                    norm ? "weight_norm's g and v have incompatible shapes"
                         : "prune's orig and mask have different shapes");
    }
    struct vgg_tensor whole = norm ? *b : *a;
    whole.name = name;
    whole.dtype = VGG_DTYPE_F32;
    int64_t stride = 1;
    for (int i = whole.ndim - 1; i >= 0; i--) {
        whole.stride[i] = stride;
        stride *= whole.shape[i] > 0 ? whole.shape[i] : 1;
    }
    finder->list->tensors[finder->list->count++] = whole;
    return VGG_OK;
}

/* Refuses weights that PyTorch computes in each run, and that do not follow from these tensors alone. */
static vgg_status refuse_others(const struct finder *finder, const struct vgg_tensor *tensor,
                                bool hidden)
{
    static const char infix[] = "parametrizations.";
    size_t stem;
    const char *name = tensor->name;
    if (!hidden && split_name(name, "_orig", &stem) && find(finder, name, stem, "_u") != SIZE_MAX) {
        return fail(finder, VGG_ERR_UNSUPPORTED, name,
                    "spectral_norm is not supported: call torch.nn.utils.remove_spectral_norm on "
                    "the layer and save again");
    }
    const char *parametrized = strstr(name, infix);
    if (!hidden && parametrized != NULL && (parametrized == name || parametrized[-1] == '.')) {
        return fail(finder, VGG_ERR_UNSUPPORTED, name,
                    strstr(name, ".0._u") != NULL || split_name(name, ".original", &stem)
                        ? "spectral_norm or another parametrization is not supported: call "
                          "torch.nn.utils.parametrize.remove_parametrizations on the layer and "
                          "save again"
                        : "this parametrization is not supported: call "
                          "torch.nn.utils.parametrize.remove_parametrizations on the layer and "
                          "save again");
    }
    return VGG_OK;
}

/* Whether a tensor can be the first part of a pair of this style; *stem receives the length of P's name. */
static bool is_first_part(const struct finder *finder, size_t i, size_t style, size_t *stem)
{
    const char *name = finder->list->tensors[i].name, *infix = styles[style].infix;
    return !finder->list->hidden[i] && split_name(name, styles[style].a, stem) &&
           (infix[0] == '\0' || strstr(name, infix) != NULL);
}

/* Finds the pair whose first part is tensor i, if it is one, and appends what it makes. */
static vgg_status fold_pair(struct finder *finder, size_t i, size_t style)
{
    struct vgg_fold_list *list = finder->list;
    const char *name = list->tensors[i].name;
    size_t stem;
    if (!is_first_part(finder, i, style, &stem)) {
        return VGG_OK;
    }
    const size_t j = find(finder, name, stem, styles[style].b);
    if (j == SIZE_MAX || list->hidden[j]) {
        return VGG_OK;
    }
    const char *whole = whole_name(finder, name, stem, styles[style].infix);
    if (whole == NULL) {
        return vgg_load_fail_memory(finder->load, stem, "a name");
    }
    const enum vgg_fold_kind kind = styles[style].kind;
    vgg_status status = add_whole(finder, kind, whole, &list->tensors[i], &list->tensors[j]);
    if (status == VGG_OK) {
        list->hidden[i] = list->hidden[j] = true;
        list->folds[list->fold_count++] = (struct vgg_fold){kind, i, j, list->count - 1};
    }
    return status;
}

vgg_status vgg_folds_find(const struct vgg_load *load, struct vgg_fold_list *list)
{
    const size_t max = 2 * list->count + 1;
    const struct vgg_allocator *allocator = vgg_load_allocator(load);
    struct finder finder = {.load = load, .list = list};
    vgg_status status = VGG_OK;
    list->fold_count = 0;
    finder.sorted = vgg_mem_alloc(allocator, max, sizeof *finder.sorted);
    if (finder.sorted == NULL) {
        return vgg_load_fail_memory(load, max * sizeof *finder.sorted, "the pairs");
    }
    for (size_t s = 0; s < sizeof styles / sizeof styles[0] && status == VGG_OK; s++) {
        sort(&finder);
        for (size_t i = 0; i < finder.sorted_count && status == VGG_OK; i++) {
            status = fold_pair(&finder, i, s);
        }
    }
    sort(&finder);
    for (size_t i = 0; i < list->count && status == VGG_OK; i++) {
        status = refuse_others(&finder, &list->tensors[i], list->hidden[i]);
    }
    vgg_mem_free(allocator, finder.sorted);
    return status;
}

/* out[] *= mask */
static vgg_status apply_mask(const struct vgg_load *load, const struct vgg_tensor *mask, float *out)
{
    const struct vgg_allocator *allocator = vgg_load_allocator(load);
    const size_t count = (size_t)vgg_tensor_get_count(mask);
    float *values = vgg_mem_alloc(allocator, count, sizeof *values);
    if (values == NULL) {
        return vgg_load_fail_memory(load, count * sizeof *values, "a mask");
    }
    vgg_tensor_read_f32(mask, values);
    for (size_t i = 0; i < count; i++) {
        out[i] *= values[i];
    }
    vgg_mem_free(allocator, values);
    return VGG_OK;
}

/* out[outer][norm][inner] *= g[norm] / ‖out[:][norm][:]‖ */
static vgg_status normalise(const struct vgg_load *load, const struct vgg_tensor *g,
                            const struct vgg_tensor *v, float *out)
{
    const struct vgg_allocator *allocator = vgg_load_allocator(load);
    size_t outer = 1, norms = 1, inner = (size_t)vgg_tensor_get_count(v);
    for (int i = 0; i < g->ndim && norms == 1; i++) {
        inner /= v->shape[i] > 0 ? (size_t)v->shape[i] : 1;
        if (g->shape[i] != 1) {
            norms = (size_t)g->shape[i];
        } else {
            outer *= (size_t)v->shape[i];
        }
    }
    if (norms == 1) { /* one for the whole tensor */
        outer = 1;
        inner = (size_t)vgg_tensor_get_count(v);
    }
    float *scale = vgg_mem_alloc(allocator, norms, sizeof *scale);
    if (scale == NULL) {
        return vgg_load_fail_memory(load, norms * sizeof *scale, "weight_norm's g");
    }
    vgg_tensor_read_f32(g, scale);
    for (size_t k = 0; k < norms; k++) {
        double sum = 0;
        for (size_t o = 0; o < outer; o++) {
            const float *row = out + (o * norms + k) * inner;
            for (size_t i = 0; i < inner; i++) {
                sum += (double)row[i] * (double)row[i];
            }
        }
        const float factor = scale[k] / (float)sqrt(sum);
        for (size_t o = 0; o < outer; o++) {
            float *row = out + (o * norms + k) * inner;
            for (size_t i = 0; i < inner; i++) {
                row[i] *= factor;
            }
        }
    }
    vgg_mem_free(allocator, scale);
    return VGG_OK;
}

vgg_status vgg_fold_compute(const struct vgg_load *load, const struct vgg_fold *fold,
                            const struct vgg_tensor *tensors, float *out)
{
    const struct vgg_tensor *a = &tensors[fold->a], *b = &tensors[fold->b];
    if (fold->kind == VGG_FOLD_PRUNE) {
        vgg_tensor_read_f32(a, out);
        return apply_mask(load, b, out);
    }
    vgg_tensor_read_f32(b, out);
    return vgg_tensor_get_count(b) > 0 ? normalise(load, a, b, out) : VGG_OK;
}
