/* SPDX-License-Identifier: MIT */
/* Layers that torch.utils.mobile_optimizer.optimize_for_mobile packed: constants with weights and settings. */
#include "checkpoint/script/mobile.h"

#include "checkpoint/locate/rebuild.h"
#include "checkpoint/script/operations.h"

enum { PARTS_MAX = 8, BOUNDS = 2, LIST_MAX = 4 };

/* A class of packed layers: its state is a tuple of the parameters of a function, then the bounds of the output. */
static const struct packed {
    const char *call, *class_name, *function;
    const char *params[PARTS_MAX - BOUNDS];
    size_t param_count;
} packed[] = {
    {"ops.prepacked.conv2d_clamp_run",
     "Conv2dOpContext",
     "torch.conv2d",
     {"weight", "bias", "stride", "padding", "dilation", "groups"},
     6},
    {"ops.prepacked.linear_clamp_run", "LinearOpContext", "torch.linear", {"weight", "bias"}, 2},
};
enum { PACKED_COUNT = sizeof packed / sizeof packed[0] };

static struct vgg_span make_span(const char *text)
{
    return (struct vgg_span){text, (uint32_t)strlen(text)};
}

static bool is_state_of(const struct vgg_value *value, const struct packed *class)
{
    const struct vgg_value *state = value->kind == VGG_VALUE_OBJECT ? value->object.state : NULL;
    return state != NULL && state->kind == VGG_VALUE_TUPLE &&
           state->list.count == class->param_count + BOUNDS &&
           vgg_span_equals(value->object.callee->global.module,
                           "__torch__.torch.classes.xnnpack") &&
           vgg_span_equals(value->object.callee->global.name, class->class_name);
}

bool vgg_mobile_is_layer(const struct vgg_value *value)
{
    return is_state_of(value, &packed[0]) || is_state_of(value, &packed[1]);
}

static struct vgg_term make_number(const struct vgg_value *value)
{
    switch (value->kind) {
    case VGG_VALUE_NONE:
        return (struct vgg_term){.kind = VGG_TERM_NONE};
    case VGG_VALUE_INT:
        return (struct vgg_term){.kind = VGG_TERM_INT, .integer = value->integer};
    case VGG_VALUE_FLOAT:
        return (struct vgg_term){.kind = VGG_TERM_REAL, .real = value->real};
    default:
        return (struct vgg_term){0};
    }
}

/* A part of the state as an argument.
 *   items  memory for a list */
static struct vgg_term make_term(const struct vgg_value *value, struct vgg_term items[LIST_MAX])
{
    if (vgg_value_is_tensor(value)) {
        return (struct vgg_term){.kind = VGG_TERM_TENSOR, .tensor = {.value = value}};
    }
    if (value->kind != VGG_VALUE_LIST || value->list.count > LIST_MAX) {
        return make_number(value);
    }
    for (size_t i = 0; i < value->list.count; i++) {
        items[i] = make_number(value->list.items[i]);
    }
    return vgg_term_make_list(items, value->list.count);
}

/* Adds the step of the bounds. */
static bool call_clamp(struct vgg_recorder *recorder, struct vgg_span name,
                       struct vgg_value *const bounds[BOUNDS], struct vgg_term *out)
{
    struct vgg_argument items[1 + BOUNDS] = {{.value = *out}};
    const struct vgg_arguments arguments = {items, 1 + BOUNDS, 1 + BOUNDS};
    if (bounds[0]->kind == VGG_VALUE_NONE && bounds[1]->kind == VGG_VALUE_NONE) {
        return true;
    }
    for (size_t i = 0; i < BOUNDS; i++) {
        items[1 + i].value = make_number(bounds[i]);
    }
    return vgg_operation_call(vgg_operation_find(make_span("torch.clamp")), name, &arguments,
                              recorder, out);
}

bool vgg_mobile_call(struct vgg_recorder *recorder, struct vgg_span name,
                     const struct vgg_arguments *arguments, bool *known, struct vgg_term *out)
{
    struct vgg_argument items[PARTS_MAX];
    struct vgg_term lists[PARTS_MAX][LIST_MAX];
    const struct packed *class = packed;
    while (class < packed + PACKED_COUNT && !vgg_span_equals(name, class->call)) {
        class ++;
    }
    const struct vgg_value *layer =
        arguments->count == 2 && arguments->items[1].value.kind == VGG_TERM_PACKED
            ? arguments->items[1].value.packed
            : NULL;
    *known = class < packed + PACKED_COUNT && layer != NULL && is_state_of(layer, class);
    if (!*known) {
        return true;
    }
    struct vgg_value *const *parts = layer->object.state->list.items;
    items[0] = (struct vgg_argument){.value = arguments->items[0].value};
    for (size_t i = 0; i < class->param_count; i++) {
        items[1 + i] = (struct vgg_argument){.name = make_span(class->params[i]),
                                             .value = make_term(parts[i], lists[i])};
    }
    const struct vgg_arguments all = {items, 1 + class->param_count, PARTS_MAX};
    return vgg_operation_call(vgg_operation_find(make_span(class->function)), name, &all, recorder,
                              out) &&
           call_clamp(recorder, name, &parts[class->param_count], out);
}
