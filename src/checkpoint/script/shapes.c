/* SPDX-License-Identifier: MIT */
/* Operations on shapes that are a layer only together: the mean of the width and then of the height, the mean of all places
 * of a flattened image, and a permutation before Flatten.
 *
 *   x.mean(3).mean(2), x.mean(-1).mean(-1)              an average pool to one pixel, and Flatten
 *   x.mean(3, keepdim=True).mean(2, keepdim=True)       the pool alone
 *   x.flatten(2).mean(2)                                both
 *   x.permute(0, 2, 3, 1).flatten(1)                    Flatten in the order height, width, channels
 *
 * Any other operation between them leaves a value that no layer can take. */
#include "checkpoint/script/shapes.h"

#include "checkpoint/script/state.h"

static bool is_integer(const struct vgg_term *term, int64_t integer)
{
    return term != NULL && term->kind == VGG_TERM_INT && term->integer == integer;
}

static bool is_size(const struct vgg_term *term, int64_t dim)
{
    return term->kind == VGG_TERM_SIZE && term->dim == dim;
}

/* ---- the layers ---- */

static bool add_step(struct vgg_recorder *recorder, struct vgg_span name, const char *type,
                     const struct vgg_setting_term *setting)
{
    struct vgg_script_step step = {.type = type};
    return vgg_state_make(recorder, name, setting, setting != NULL ? 1 : 0, &step.state) &&
           vgg_recorder_add(recorder, &step);
}

static bool add_pool(struct vgg_recorder *recorder, struct vgg_span name)
{
    return add_step(
        recorder, name, "AdaptiveAvgPool2d",
        &(struct vgg_setting_term){{"output_size", 11}, {.kind = VGG_TERM_INT, .integer = 1}});
}

static bool add_flatten(struct vgg_recorder *recorder, struct vgg_span name, bool channels_last)
{
    return add_step(recorder, name, "Flatten",
                    &(struct vgg_setting_term){{"channels_last", 13},
                                               {.kind = VGG_TERM_BOOL, .boolean = channels_last}});
}

/* ---- calls ---- */

/* What a call makes of its input: another form, or layers. */
struct result {
    enum vgg_term_form form;
    bool pool, flatten, channels_last;
};

/* The mean over one dimension, -1 to 3. */
static bool follow_mean(enum vgg_term_form form, const struct vgg_arguments *arguments,
                        struct result *out)
{
    const struct vgg_term *dims = vgg_arguments_get(arguments, 1, "dim"),
                          *keep = vgg_arguments_get(arguments, 2, "keepdim");
    const struct vgg_term *dtype = vgg_arguments_get(arguments, 3, "dtype");
    const bool keeps = keep != NULL && keep->kind == VGG_TERM_BOOL && keep->boolean;
    if (dims == NULL || dims->kind != VGG_TERM_LIST || dims->list.count != 1 ||
        (keep != NULL && keep->kind != VGG_TERM_BOOL) ||
        (dtype != NULL && dtype->kind != VGG_TERM_NONE)) {
        return false;
    }
    const struct vgg_term *dim = &dims->list.items[0];
    const bool second = is_integer(dim, 2), last = is_integer(dim, -1);
    const bool height = second || is_integer(dim, -2), width = last || is_integer(dim, 3);
    switch (form) {
    case VGG_FORM_IMAGE:
        out->form = height && keeps  ? VGG_FORM_ROW
                    : width && keeps ? VGG_FORM_COLUMN
                                     : VGG_FORM_LINE;
        return height || width;
    case VGG_FORM_LINE:
        *out = (struct result){.pool = true, .flatten = true};
        return !keeps && (second || last);
    case VGG_FORM_ROW:
    case VGG_FORM_COLUMN:
        *out = (struct result){.pool = true};
        return keeps && (form == VGG_FORM_ROW ? width : height);
    default:
        return false;
    }
}

/* Flatten of places alone, or of all in another order. */
static bool follow_flatten(enum vgg_term_form form, const struct vgg_arguments *arguments,
                           struct result *out)
{
    const struct vgg_term *start = vgg_arguments_get(arguments, 1, "start_dim"),
                          *end = vgg_arguments_get(arguments, 2, "end_dim");
    if (end != NULL && !is_integer(end, -1) && !is_integer(end, 3)) {
        return false;
    }
    if (form == VGG_FORM_IMAGE) {
        out->form = VGG_FORM_LINE;
        return is_integer(start, 2) || is_integer(start, -2);
    }
    *out = (struct result){.flatten = true, .channels_last = true};
    return form == VGG_FORM_CHANNELS_LAST && is_integer(start, 1);
}

/* The same by a view: [images, channels, -1], or [images, …] and [-1, features]. */
static bool follow_view(enum vgg_term_form form, const struct vgg_arguments *arguments,
                        struct result *out)
{
    const struct vgg_term *shape = vgg_arguments_get(arguments, 1, "shape");
    if (shape == NULL || shape->kind != VGG_TERM_LIST) {
        return false;
    }
    const struct vgg_term *items = shape->list.items;
    if (form == VGG_FORM_IMAGE) {
        out->form = VGG_FORM_LINE;
        return shape->list.count == 3 && is_size(&items[0], 0) && is_size(&items[1], 1) &&
               is_integer(&items[2], -1);
    }
    *out = (struct result){.flatten = true, .channels_last = true};
    if (form != VGG_FORM_CHANNELS_LAST || shape->list.count != 2) {
        return false;
    }
    /* [-1, features] is the same if there are as many features; a linear layer behind it says so. */
    return is_size(&items[0], 0) ||
           (is_integer(&items[0], -1) && items[1].kind == VGG_TERM_INT && items[1].integer > 0);
}

static bool follow_permute(enum vgg_term_form form, const struct vgg_arguments *arguments,
                           struct result *out)
{
    static const int64_t expected[] = {0, 2, 3, 1};
    const struct vgg_term *dims = vgg_arguments_get(arguments, 1, "dims");
    bool good = form == VGG_FORM_IMAGE && dims != NULL && dims->kind == VGG_TERM_LIST &&
                dims->list.count == 4;
    for (size_t i = 0; good && i < 4; i++) {
        const struct vgg_term *dim = &dims->list.items[i];
        good = is_integer(dim, expected[i]) || is_integer(dim, expected[i] - 4);
    }
    out->form = VGG_FORM_CHANNELS_LAST;
    return good;
}

/* Another copy of what was permuted. */
static bool follow_copy(enum vgg_term_form form, const struct vgg_arguments *arguments,
                        struct result *out)
{
    (void)arguments;
    out->form = form;
    return form == VGG_FORM_CHANNELS_LAST;
}

static const struct {
    const char *name;
    bool (*follow)(enum vgg_term_form form, const struct vgg_arguments *arguments,
                   struct result *out);
} operations[] = {
    {"torch.mean", follow_mean},       {"torch.flatten", follow_flatten},
    {"torch.view", follow_view},       {"torch.reshape", follow_view},
    {"torch.permute", follow_permute}, {"torch.contiguous", follow_copy},
    {"torch.clone", follow_copy},
};

/* The form of the output of the last step, or of what was made of it; OTHER: neither. */
static enum vgg_term_form get_form(const struct vgg_recorder *recorder, const struct vgg_term *term)
{
    const bool is_data = term->kind == VGG_TERM_DATA;
    if (!is_data && term->kind != VGG_TERM_DERIVED) {
        return VGG_FORM_OTHER;
    }
    const size_t data = is_data ? term->data : term->derived.first;
    if (vgg_recorder_resolve(recorder, data) != recorder->count ||
        vgg_recorder_is_flat(recorder, data)) {
        return VGG_FORM_OTHER;
    }
    return is_data ? VGG_FORM_IMAGE : term->derived.form;
}

bool vgg_shapes_call(struct vgg_recorder *recorder, struct vgg_span name,
                     const struct vgg_arguments *arguments, bool *known, struct vgg_term *out)
{
    struct result result = {0};
    *known = false;
    if (arguments->count == 0 || arguments->items[0].name.length > 0) {
        return true;
    }
    const struct vgg_term *input = &arguments->items[0].value;
    const enum vgg_term_form form = get_form(recorder, input);
    for (size_t i = 0; i < sizeof operations / sizeof operations[0] && !*known; i++) {
        *known = form != VGG_FORM_OTHER && vgg_span_equals(name, operations[i].name) &&
                 operations[i].follow(form, arguments, &result);
    }
    if (!*known) {
        return true;
    }
    if (result.form != VGG_FORM_OTHER) {
        const size_t data = input->kind == VGG_TERM_DATA ? input->data : input->derived.first;
        *out = (struct vgg_term){
            .kind = VGG_TERM_DERIVED,
            .derived = {.operation = name, .first = data, .second = data, .form = result.form}};
        return true;
    }
    const bool good = (!result.pool || add_pool(recorder, name)) &&
                      (!result.flatten || add_flatten(recorder, name, result.channels_last));
    *out = (struct vgg_term){.kind = VGG_TERM_DATA, .data = recorder->count};
    return good;
}
