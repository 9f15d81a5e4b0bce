/* SPDX-License-Identifier: MIT */
/* Two functions of one input whose results are joined into one layer: AdaptiveConcatPool2d, and SiLU as a product. */
#include "checkpoint/script/joins.h"

#include "checkpoint/script/state.h"

static const char mean[] = "AdaptiveAvgPool2d", maximum[] = "AdaptiveMaxPool2d";

/* The last step, if its input is these data; else NULL. */
static struct vgg_script_step *find_last(const struct vgg_recorder *recorder, size_t input)
{
    if (recorder->count == 0) {
        return NULL;
    }
    struct vgg_script_step *last = &recorder->steps[recorder->count - 1];
    return !last->alias && vgg_recorder_resolve(recorder, input) == recorder->count - 1 ? last
                                                                                        : NULL;
}

/* ---- pools of the mean and of the maximum ---- */

/* Side `i` of a size, which can be one number for both; -1: not known. */
static int64_t get_side(const struct vgg_term *size, size_t i)
{
    const bool list = size->kind == VGG_TERM_LIST && size->list.count == 2;
    const struct vgg_term *side = list ? &size->list.items[i] : size;
    return side->kind == VGG_TERM_INT ? side->integer : -1;
}

static int64_t get_setting(const struct vgg_value *size, size_t i)
{
    const bool list = size->kind == VGG_VALUE_LIST && size->list.count == 2;
    const struct vgg_value *side = list ? size->list.items[i] : size;
    return side->kind == VGG_VALUE_INT ? side->integer : -1;
}

bool vgg_join_is_other_pool(const struct vgg_recorder *recorder, const char *type,
                            const struct vgg_term *input, const struct vgg_term *size)
{
    const bool is_mean = strcmp(type, mean) == 0;
    if (input->kind != VGG_TERM_DATA || (!is_mean && strcmp(type, maximum) != 0)) {
        return false;
    }
    const struct vgg_script_step *last = find_last(recorder, input->data);
    if (last == NULL || strcmp(last->type, is_mean ? maximum : mean) != 0) {
        return false;
    }
    const struct vgg_value *other = vgg_value_get(last->state, "output_size");
    bool same = other != NULL;
    for (size_t i = 0; i < 2 && same; i++) {
        same = get_side(size, i) > 0 && get_side(size, i) == get_setting(other, i);
    }
    return same;
}

/* Whether a term is the output of the last step, or the other pool of its input. */
static bool is_half(const struct vgg_recorder *recorder, const struct vgg_term *term)
{
    return term->kind == VGG_TERM_DATA
               ? vgg_recorder_resolve(recorder, term->data) == recorder->count
               : term->kind == VGG_TERM_DERIVED && term->derived.twin == recorder->count;
}

/* torch.cat of the maximum and the mean, in this order. */
static bool join_pools(struct vgg_recorder *recorder, const struct vgg_term *halves,
                       const struct vgg_term *dim)
{
    enum { CHANNELS = 1 };
    if (recorder->count == 0 || halves->kind != VGG_TERM_LIST || halves->list.count != 2 ||
        dim->kind != VGG_TERM_INT || dim->integer != CHANNELS) {
        return false;
    }
    const struct vgg_term *first = &halves->list.items[0], *second = &halves->list.items[1];
    struct vgg_script_step *last = &recorder->steps[recorder->count - 1];
    /* The one that is no step is the other pool. */
    const char *expected = first->kind == VGG_TERM_DATA ? maximum : mean;
    const bool joined = first->kind != second->kind && is_half(recorder, first) &&
                        is_half(recorder, second) && strcmp(last->type, expected) == 0;
    if (joined) {
        last->type = "AdaptiveConcatPool2d";
    }
    return joined;
}

/* ---- products ---- */

/* x * sigmoid(x) */
static bool join_product(struct vgg_recorder *recorder, const struct vgg_term *a,
                         const struct vgg_term *b)
{
    if (a->kind != VGG_TERM_DATA || b->kind != VGG_TERM_DATA) {
        return false;
    }
    const size_t x = a->data < b->data ? a->data : b->data;
    const size_t y = a->data < b->data ? b->data : a->data;
    struct vgg_script_step *last = find_last(recorder, x);
    if (last == NULL || y != recorder->count || strcmp(last->type, "Sigmoid") != 0) {
        return false;
    }
    last->type = "SiLU";
    return true;
}

bool vgg_join_call(struct vgg_recorder *recorder, struct vgg_span name,
                   const struct vgg_arguments *arguments, bool *known, struct vgg_term *out)
{
    *known = false;
    if (arguments->count != 2) {
        return true;
    }
    const struct vgg_term *a = &arguments->items[0].value, *b = &arguments->items[1].value;
    const bool joined = vgg_span_equals(name, "torch.cat")   ? join_pools(recorder, a, b)
                        : vgg_span_equals(name, "torch.mul") ? join_product(recorder, a, b)
                                                             : false;
    *known = joined;
    if (!joined) {
        return true;
    }
    /* What the last step was before is no longer the output of any: a use of it is one of a branch. */
    struct vgg_script_step same = {.type = "Identity"};
    const bool good =
        vgg_state_make(recorder, name, NULL, 0, &same.state) && vgg_recorder_add(recorder, &same);
    *out = (struct vgg_term){.kind = VGG_TERM_DATA, .data = recorder->count};
    return good;
}
