/* SPDX-License-Identifier: MIT */
/* The functions of PyTorch that are layers: their parameters, and the module that computes the same. */
#include "checkpoint/script/operations.h"

#include "checkpoint/script/joins.h"
#include "checkpoint/script/state.h"

enum handling {
    PLAIN,   /* every parameter but the input is a setting of the module */
    POOL,    /* its stride is its kernel by default, its kernel can be the whole image */
    PAIR,    /* a PLAIN or POOL that also returns positions */
    DROP,    /* a Dropout, which leaves its input as it is */
    SAME,    /* returns its input */
    VIEW,    /* a Flatten with a shape of its own */
    SQUEEZE, /* a Flatten of 1x1 pixels */
    SELECT,  /* the same by an index */
    SLICE,   /* returns its input if it takes all of it */
    MEAN,    /* of height and width */
    CLAMP,   /* ReLU or ReLU6, by its bounds */
    CONV,    /* with weights */
    LINEAR,
    NORM,
    PRELU,
};

/* Where a function is defined. */
enum place { TORCH = 1, FUNCTIONAL = 2, BOTH = 3 };

struct vgg_operation {
    const char *name;
    enum place place;
    /* The class of PyTorch's module. */
    const char *type;
    enum handling handling;
    /* As Python has them, without spaces. Settings are called as those of the module. */
    const char *params;
};

static const struct vgg_operation operations[] = {
#include "checkpoint/script/operations.inc"
};

/* A call: each parameter with its value. */
enum { PARAMS_MAX = 16 };
struct call {
    const struct vgg_operation *operation;
    struct vgg_span name;
    struct vgg_recorder *recorder;
    struct vgg_setting_term settings[PARAMS_MAX];
    size_t count;
    /* Changes its input in place. */
    bool in_place;
    /* Has the input of the last step, and can be joined to it. */
    bool is_other_pool;
};

/* ---- names ---- */

/* Takes a beginning off a name. */
static bool skip(struct vgg_span *name, const char *prefix)
{
    const uint32_t length = (uint32_t)strlen(prefix);
    if (name->length <= length || memcmp(name->bytes, prefix, length) != 0) {
        return false;
    }
    name->bytes += length;
    name->length -= length;
    return true;
}

/* "relu_": the variant that changes its input. */
static bool is_in_place(struct vgg_span name)
{
    return name.length > 1 && name.bytes[name.length - 1] == '_';
}

const struct vgg_operation *vgg_operation_find(struct vgg_span name)
{
    skip(&name, "__torch__.");
    const enum place place = skip(&name, "torch.nn.functional.") ? FUNCTIONAL
                             : skip(&name, "torch.")             ? TORCH
                                                                 : 0;
    name.length -= is_in_place(name);
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        if ((operations[i].place & place) != 0 && vgg_span_equals(name, operations[i].name)) {
            return &operations[i];
        }
    }
    return NULL;
}

bool vgg_operation_is_of_torch(struct vgg_span name)
{
    return skip(&name, "__torch__.torch.nn.functional.");
}

/* ---- parameters ---- */

/* A default value: a number, a text, None, a bool, or []. */
static struct vgg_term read_default(struct vgg_span text)
{
    struct vgg_term out = {.kind = VGG_TERM_TEXT, .text = text};
    const bool negative = text.bytes[0] == '-';
    if (vgg_span_equals(text, "None")) {
        return (struct vgg_term){.kind = VGG_TERM_NONE};
    }
    if (vgg_span_equals(text, "True") || vgg_span_equals(text, "False")) {
        return (struct vgg_term){.kind = VGG_TERM_BOOL, .boolean = text.bytes[0] == 'T'};
    }
    if (vgg_span_equals(text, "[]")) {
        return vgg_term_make_list(NULL, 0);
    }
    vgg_term_read_number((struct vgg_span){text.bytes + negative, text.length - negative}, negative,
                         &out);
    return out;
}

static bool stop_call(const struct call *call)
{
    return vgg_recorder_stop(call->recorder, VGG_SCRIPT_UNKNOWN,
                             "%.*s: a call that is not understood",
                             VGG_SHOWN(call->name.bytes, call->name.length, 64));
}

/* Finds the value of the next parameter among the arguments. */
static bool find_argument(const struct vgg_arguments *arguments, size_t place,
                          struct vgg_span param, struct vgg_term *out)
{
    for (size_t i = 0; i < arguments->count; i++) {
        const struct vgg_argument *argument = &arguments->items[i];
        const bool named = argument->name.length > 0;
        if (named ? vgg_span_compare(argument->name, param) == 0 : i == place) {
            *out = argument->value;
            return true;
        }
    }
    return false;
}

/* Gives each parameter its argument or its default. */
static bool bind(struct call *call, const struct vgg_arguments *arguments)
{
    const char *at = call->operation->params;
    size_t used = 0;
    while (*at != '\0') {
        const size_t length = strcspn(at, ","), name = strcspn(at, "=,");
        struct vgg_setting_term *setting = &call->settings[call->count];
        setting->key = (struct vgg_span){at, (uint32_t)name};
        if (find_argument(arguments, call->count, setting->key, &setting->term)) {
            used++;
        } else if (name < length) {
            setting->term =
                read_default((struct vgg_span){at + name + 1, (uint32_t)(length - name - 1)});
        } else {
            return stop_call(call);
        }
        call->count++;
        at += length + (at[length] == ',');
    }
    return used == arguments->count || stop_call(call);
}

static struct vgg_term *get(struct call *call, const char *key)
{
    for (size_t i = 0; i < call->count; i++) {
        if (vgg_span_equals(call->settings[i].key, key)) {
            return &call->settings[i].term;
        }
    }
    return NULL;
}

static bool is_none(const struct vgg_term *term)
{
    return term == NULL || term->kind == VGG_TERM_NONE;
}

/* Whether a term is this number; a parameter that the function does not have is. */
static bool is_number(const struct vgg_term *term, double number)
{
    return term == NULL || (term->kind == VGG_TERM_INT && (double)term->integer == number) ||
           (term->kind == VGG_TERM_REAL && term->real == number) ||
           (term->kind == VGG_TERM_BOOL && term->boolean == (number != 0));
}

/* ---- results ---- */

/* Leaves a call as an operation that is no step. */
static bool derive(struct call *call, struct vgg_term *out)
{
    const size_t data = get(call, "input")->data;
    *out = (struct vgg_term){.kind = VGG_TERM_DERIVED,
                             .derived = {.operation = call->name, .first = data, .second = data}};
    return true;
}

/* Adds a step of a class with these settings. */
static bool add_step(struct call *call, const char *name, const char *type,
                     const struct vgg_setting_term *settings, size_t count)
{
    struct vgg_script_step step = {
        .name = name, .type = type, .alias = call->in_place || call->operation->handling == DROP};
    return vgg_state_make(call->recorder, call->name, settings, count, &step.state) &&
           vgg_recorder_add(call->recorder, &step);
}

static bool give_data(const struct call *call, struct vgg_term *out)
{
    *out = (struct vgg_term){.kind = VGG_TERM_DATA, .data = call->recorder->count};
    return true;
}

/* The settings that a module of the class has, which are those after the tensors. */
static bool add_with_settings(struct call *call, const char *name, struct vgg_term *out)
{
    static const char *const tensors[] = {"input",        "weight",      "bias",
                                          "running_mean", "running_var", NULL};
    struct vgg_setting_term settings[PARAMS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < call->count; i++) {
        size_t t = 0;
        while (tensors[t] != NULL && !vgg_span_equals(call->settings[i].key, tensors[t])) {
            t++;
        }
        if (tensors[t] == NULL) {
            settings[count++] = call->settings[i];
        }
    }
    return add_step(call, name, call->operation->type, settings, count) && give_data(call, out);
}

static bool add_flatten(struct call *call, struct vgg_term *out)
{
    const struct vgg_setting_term settings[] = {
        {{"start_dim", 9}, {.kind = VGG_TERM_INT, .integer = 1}},
        {{"end_dim", 7}, {.kind = VGG_TERM_INT, .integer = -1}}};
    return add_step(call, NULL, "Flatten", settings, 2) && give_data(call, out);
}

/* A pool of the whole image into one pixel. */
static bool add_global_pool(struct call *call, const char *type)
{
    const struct vgg_setting_term setting = {{"output_size", 11},
                                             {.kind = VGG_TERM_INT, .integer = 1}};
    return add_step(call, NULL, type, &setting, 1);
}

/* ---- functions of shape ---- */

/* Whether the last step pools the whole image into one pixel. */
static bool is_one_pixel(const struct vgg_recorder *recorder)
{
    if (recorder->count == 0) {
        return false;
    }
    const struct vgg_script_step *step = &recorder->steps[recorder->count - 1];
    const struct vgg_value *size = vgg_value_get(step->state, "output_size");
    if (size == NULL) {
        return false;
    }
    bool one = size->kind == VGG_VALUE_INT ? size->integer == 1 : size->list.count > 0;
    for (size_t i = 0; size->kind == VGG_VALUE_LIST && i < size->list.count; i++) {
        const struct vgg_value *side = size->list.items[i];
        one = one && side->kind == VGG_VALUE_INT && side->integer == 1;
    }
    return one;
}

static bool call_view(struct call *call, struct vgg_term *out)
{
    const struct vgg_term *shape = get(call, "shape");
    if (shape->kind != VGG_TERM_LIST || shape->list.count != 2) {
        return derive(call, out);
    }
    const struct vgg_term *images = &shape->list.items[0], *features = &shape->list.items[1];
    const bool keeps_images = images->kind == VGG_TERM_SIZE && images->dim == 0;
    /* [-1, features] is the same if there are as many features; a linear layer behind it says so. */
    const bool any_images = images->kind == VGG_TERM_INT && images->integer == -1 &&
                            features->kind == VGG_TERM_INT && features->integer > 0;
    return keeps_images || any_images ? add_flatten(call, out) : derive(call, out);
}

/* Dimensions of [images, channels, height, width], counted from either end. */
static bool is_height(const struct vgg_term *dim)
{
    return is_number(dim, 2) || is_number(dim, -2);
}

static bool is_width(const struct vgg_term *dim)
{
    return is_number(dim, 3) || is_number(dim, -1);
}

static bool call_squeeze(struct call *call, struct vgg_term *out)
{
    const struct vgg_term *dim = get(call, "dim");
    const bool image = is_none(dim) || is_height(dim) || is_width(dim);
    if (vgg_recorder_is_flat(call->recorder, call->recorder->count)) {
        return give_data(call, out);
    }
    return image && is_one_pixel(call->recorder) ? add_flatten(call, out) : derive(call, out);
}

/* x[:, :, 0, 0] of 1x1 pixels: first x[:, :, 0], then [:, :, 0] of that. */
static bool call_select(struct call *call, struct vgg_term *out)
{
    struct vgg_term *dim = get(call, "dim"), *index = get(call, "index");
    const bool first = is_number(index, 0) || is_number(index, -1);
    if (!first || !(is_number(dim, 2) || is_number(dim, 3))) {
        return derive(call, out);
    }
    return call_squeeze(call, out);
}

/* x[:] */
static bool call_slice(struct call *call, struct vgg_term *out)
{
    const struct vgg_term *start = get(call, "start"), *end = get(call, "end");
    const bool all = (is_none(start) || is_number(start, 0)) && is_number(get(call, "step"), 1) &&
                     (is_none(end) || is_number(end, (double)INT64_MAX));
    return all ? give_data(call, out) : derive(call, out);
}

/* The mean of height and width. */
static bool call_mean(struct call *call, struct vgg_term *out)
{
    const struct vgg_term *dim = get(call, "dim"), *keep = get(call, "keepdim");
    if (dim->kind != VGG_TERM_LIST || dim->list.count != 2 || !is_none(get(call, "dtype")) ||
        vgg_recorder_is_flat(call->recorder, call->recorder->count) ||
        keep->kind != VGG_TERM_BOOL) {
        return derive(call, out);
    }
    const struct vgg_term *a = &dim->list.items[0], *b = &dim->list.items[1];
    const bool image = (is_height(a) && is_width(b)) || (is_width(a) && is_height(b));
    if (!image) {
        return derive(call, out);
    }
    const bool added = add_global_pool(call, "AdaptiveAvgPool2d");
    return added && (keep->boolean ? give_data(call, out) : add_flatten(call, out));
}

static bool call_clamp(struct call *call, struct vgg_term *out)
{
    const struct vgg_term *max = get(call, "max_val");
    const bool positive = !is_none(get(call, "min_val")) && is_number(get(call, "min_val"), 0);
    if (!positive || !(is_none(max) || is_number(max, 6))) {
        return derive(call, out);
    }
    return add_step(call, NULL, is_none(max) ? "ReLU" : "ReLU6", NULL, 0) && give_data(call, out);
}

/* Whether a pool's kernel is the image: its size, or height and width of its input. */
static bool is_image(const struct vgg_term *kernel)
{
    if (kernel->kind == VGG_TERM_LIST && kernel->list.count == 2) {
        const struct vgg_term *h = &kernel->list.items[0], *w = &kernel->list.items[1];
        return h->kind == VGG_TERM_SIZE && h->dim == 2 && w->kind == VGG_TERM_SIZE && w->dim == 3;
    }
    return kernel->kind == VGG_TERM_SIZE && kernel->dim == VGG_SIZE_IMAGE;
}

/* Whether a term is 0, or a list of zeros. */
static bool is_zero(const struct vgg_term *term)
{
    bool zero = term->kind == VGG_TERM_LIST || is_number(term, 0);
    for (size_t i = 0; term->kind == VGG_TERM_LIST && i < term->list.count; i++) {
        zero = zero && is_number(&term->list.items[i], 0);
    }
    return zero;
}

/* Leaves a pool to be joined to the last step. */
static bool call_other_pool(struct call *call, struct vgg_term *out)
{
    derive(call, out);
    out->derived.twin = call->recorder->count;
    return true;
}

static bool call_pool(struct call *call, struct vgg_term *out)
{
    if (call->is_other_pool) {
        return call_other_pool(call, out);
    }
    const struct vgg_term *kernel = get(call, "kernel_size");
    struct vgg_term *stride = get(call, "stride");
    if (kernel == NULL) {
        return add_with_settings(call, NULL, out);
    }
    if (is_image(kernel)) {
        const bool max = strcmp(call->operation->type, "MaxPool2d") == 0;
        if (!is_zero(get(call, "padding"))) {
            return derive(call, out);
        }
        return add_global_pool(call, max ? "AdaptiveMaxPool2d" : "AdaptiveAvgPool2d") &&
               give_data(call, out);
    }
    if (is_none(stride) || (stride->kind == VGG_TERM_LIST && stride->list.count == 0)) {
        *stride = *kernel;
    }
    return add_with_settings(call, NULL, out);
}

/* Data, and positions that nothing can be done with. */
static bool call_pair(struct call *call, struct vgg_arena *arena, struct vgg_term *out)
{
    struct vgg_term *pair = vgg_arena_alloc(arena, 2, sizeof *pair);
    if (pair == NULL) {
        return vgg_recorder_stop_memory(call->recorder);
    }
    if (!call_pool(call, &pair[0])) {
        return false;
    }
    *out = vgg_term_make_list(pair, 2);
    return true;
}

/* ---- functions with weights ---- */

static bool call_weighted(struct call *call, enum vgg_weighted_kind kind, struct vgg_term *out)
{
    const char *name;
    struct vgg_term *weight = get(call, "weight");
    const bool transposed = vgg_span_ends_with(call->name, "addmm");
    if (weight->kind == VGG_TERM_TENSOR) {
        if (weight->tensor.transposed != transposed) {
            return derive(call, out);
        }
        weight->tensor.transposed = false;
    }
    return vgg_state_find_owner(call->recorder, kind, call->settings, call->count, &name) &&
           add_with_settings(call, name, out);
}

/* ---- calls ---- */

/* Whether a parameter has another value than a module computes with. */
static bool has_other_number(struct call *call)
{
    static const struct {
        const char *key;
        double expected;
        /* An LRN and an ELU have an alpha and a beta that their modules have, too. */
        bool only_linear;
    } fixed[] = {
        {"transposed", 0, false}, {"return_indices", 0, false},
        {"scale", 1, false},      {"input_scale", 1, false},
        {"beta", 1, true},        {"alpha", 1, true},
    };
    const bool linear = call->operation->handling == LINEAR;
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        const bool applies = linear || !fixed[i].only_linear;
        if (applies && !is_number(get(call, fixed[i].key), fixed[i].expected)) {
            return true;
        }
    }
    return false;
}

/* Parameters that make a function something that the module does not do. */
static bool is_other(struct call *call)
{
    enum { FLOAT32 = 6 };
    const struct vgg_term *mode = get(call, "mode"), *value = get(call, "value");
    const struct vgg_term *dtype = get(call, "dtype");
    const bool constant =
        mode == NULL || (mode->kind == VGG_TERM_TEXT && vgg_span_equals(mode->text, "constant"));
    const bool zeros = is_none(value) || is_number(value, 0);
    const bool float32 = is_none(dtype) || is_number(dtype, FLOAT32);
    return has_other_number(call) || !constant || !zeros || !float32;
}

/* A net that was traced while it was trained drops values and takes the statistics of each batch. */
static bool check_training(struct call *call)
{
    const struct vgg_term *training = get(call, "training");
    return is_number(training, 0) ||
           vgg_recorder_stop(call->recorder, VGG_SCRIPT_REFUSED,
                             "%.*s in training mode: the net was traced without eval()",
                             VGG_SHOWN(call->name.bytes, call->name.length, 64));
}

static bool dispatch(struct call *call, struct vgg_term *out)
{
    switch (call->operation->handling) {
    case PLAIN:
    case DROP:
        return add_with_settings(call, NULL, out);
    case POOL:
        return call_pool(call, out);
    case PAIR:
        return call_pair(call, call->recorder->arena, out);
    case SAME:
        return give_data(call, out);
    case VIEW:
        return call_view(call, out);
    case SQUEEZE:
        return call_squeeze(call, out);
    case SELECT:
        return call_select(call, out);
    case SLICE:
        return call_slice(call, out);
    case MEAN:
        return call_mean(call, out);
    case CLAMP:
        return call_clamp(call, out);
    case CONV:
        return call_weighted(call, VGG_WEIGHTED_CONV, out);
    case LINEAR:
        return call_weighted(call, VGG_WEIGHTED_LINEAR, out);
    case NORM:
        return call_weighted(call, VGG_WEIGHTED_NORM, out);
    case PRELU:
        return call_weighted(call, VGG_WEIGHTED_PRELU, out);
    }
    return derive(call, out);
}

static bool is_other_pool(struct call *call)
{
    const struct vgg_term *size = get(call, "output_size");
    return size != NULL &&
           vgg_join_is_other_pool(call->recorder, call->operation->type, get(call, "input"), size);
}

bool vgg_operation_call(const struct vgg_operation *operation, struct vgg_span name,
                        const struct vgg_arguments *arguments, struct vgg_recorder *recorder,
                        struct vgg_term *out)
{
    struct call call = {.operation = operation, .name = name, .recorder = recorder};
    if (!bind(&call, arguments)) {
        return false;
    }
    call.is_other_pool = is_other_pool(&call);
    if (!call.is_other_pool && !vgg_recorder_check_input(recorder, name, get(&call, "input"))) {
        return false;
    }
    const struct vgg_term *in_place = get(&call, "inplace");
    call.in_place = is_in_place(name) || (in_place != NULL && !is_number(in_place, 0));
    if (is_other(&call)) {
        return derive(&call, out);
    }
    return check_training(&call) && dispatch(&call, out);
}
