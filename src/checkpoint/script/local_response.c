/* SPDX-License-Identifier: MIT */
/* Recognises a LocalResponseNorm by its arithmetic: a trace has the operations of the module, and not its name.
 *
 *   x.mul(x).unsqueeze(1)                       a dimension in front of the channels
 *   .view(N, 1, C, H, -1)                       the same shape
 *   pad(…, (0, 0, 0, 0, size / 2, (size - 1) / 2))
 *   avg_pool3d(…, (size, 1, 1), stride=1)       or with the padding of an odd size itself
 *   .squeeze(1).view(N, C, H, W)
 *   x.div(….mul(alpha).add(k).pow(beta))
 *
 * Any other operation between them leaves a value that no layer can take. */
#include "checkpoint/script/local_response.h"

#include "checkpoint/script/state.h"

/* The last operation that was followed. */
enum stage { SQUARED, UNSQUEEZED, PADDED, AVERAGED, SQUEEZED, SCALED, SHIFTED, RAISED };

struct vgg_local_response {
    enum stage stage;
    /* The padding before and after the channels, the number of channels that the mean is of. */
    int64_t before, after, size;
    double alpha, k, beta;
};

static bool is_integer(const struct vgg_term *term, int64_t integer)
{
    return term->kind == VGG_TERM_INT && term->integer == integer;
}

/* Whether a parameter has its default, or this number. */
static bool is_default(const struct vgg_term *term, int64_t integer)
{
    return term == NULL || term->kind == VGG_TERM_NONE || is_integer(term, integer) ||
           (term->kind == VGG_TERM_REAL && term->real == (double)integer) ||
           (term->kind == VGG_TERM_BOOL && term->boolean == (integer != 0));
}

static bool get_number(const struct vgg_term *term, double *out)
{
    *out = term->kind == VGG_TERM_INT ? (double)term->integer : term->real;
    return term->kind == VGG_TERM_INT || term->kind == VGG_TERM_REAL;
}

static bool is_size(const struct vgg_term *term, int64_t dim)
{
    return term->kind == VGG_TERM_SIZE && term->dim == dim;
}

/* ---- the operations ---- */

typedef bool follow_fn(struct vgg_local_response *norm, const struct vgg_arguments *arguments);

static bool follow_unsqueeze(struct vgg_local_response *norm, const struct vgg_arguments *arguments)
{
    const struct vgg_term *dim = vgg_arguments_get(arguments, 1, "dim");
    (void)norm;
    return dim != NULL && is_integer(dim, 1);
}

/* A view of five dimensions before the mean, and of four after it; each keeps the shape. */
static bool is_same_view(const struct vgg_local_response *norm,
                         const struct vgg_arguments *arguments)
{
    const struct vgg_term *shape = vgg_arguments_get(arguments, 1, "size");
    if (shape == NULL) {
        return false;
    }
    if (norm->stage == SQUEEZED && is_size(shape, VGG_SIZE_ALL)) {
        return true;
    }
    if (shape->kind != VGG_TERM_LIST) {
        return false;
    }
    const struct vgg_term *items = shape->list.items;
    if (norm->stage == UNSQUEEZED && shape->list.count == 5) {
        return is_size(&items[0], 0) && is_integer(&items[1], 1) && is_size(&items[2], 1) &&
               is_size(&items[3], 2) && is_integer(&items[4], -1);
    }
    return norm->stage == SQUEEZED && shape->list.count == 4 && is_size(&items[0], 0) &&
           is_size(&items[1], 1) && is_size(&items[2], 2) && is_size(&items[3], 3);
}

static bool follow_view(struct vgg_local_response *norm, const struct vgg_arguments *arguments)
{
    return is_same_view(norm, arguments);
}

/* Zeros before and after the channels alone. */
static bool read_padding(struct vgg_local_response *norm, const struct vgg_term *padding)
{
    enum { SIDES = 6 };
    if (padding == NULL || padding->kind != VGG_TERM_LIST || padding->list.count != SIDES) {
        return false;
    }
    for (size_t i = 0; i < SIDES; i++) {
        const struct vgg_term *side = &padding->list.items[i];
        if (side->kind != VGG_TERM_INT || side->integer < 0 || (i < 4 && side->integer != 0)) {
            return false;
        }
    }
    norm->before = padding->list.items[4].integer;
    norm->after = padding->list.items[5].integer;
    return true;
}

static bool follow_pad(struct vgg_local_response *norm, const struct vgg_arguments *arguments)
{
    const struct vgg_term *mode = vgg_arguments_get(arguments, 2, "mode");
    const bool constant =
        mode == NULL || (mode->kind == VGG_TERM_TEXT && vgg_span_equals(mode->text, "constant"));
    return constant && is_default(vgg_arguments_get(arguments, 3, "value"), 0) &&
           read_padding(norm, vgg_arguments_get(arguments, 1, "pad"));
}

static bool follow_constant_pad(struct vgg_local_response *norm,
                                const struct vgg_arguments *arguments)
{
    return is_default(vgg_arguments_get(arguments, 2, "value"), 0) &&
           read_padding(norm, vgg_arguments_get(arguments, 1, "pad"));
}

/* Whether a list of channels, height and width has this number for height and width. */
static bool keeps_image(const struct vgg_term *list, int64_t number)
{
    return list->kind == VGG_TERM_LIST && list->list.count == 3 &&
           list->list.items[0].kind == VGG_TERM_INT && is_integer(&list->list.items[1], number) &&
           is_integer(&list->list.items[2], number);
}

static bool follow_average(struct vgg_local_response *norm, const struct vgg_arguments *arguments)
{
    const struct vgg_term *kernel = vgg_arguments_get(arguments, 1, "kernel_size");
    const struct vgg_term *stride = vgg_arguments_get(arguments, 2, "stride");
    const struct vgg_term *padding = vgg_arguments_get(arguments, 3, "padding");
    if (kernel == NULL || stride == NULL || !keeps_image(kernel, 1) || !keeps_image(stride, 1) ||
        !is_integer(&stride->list.items[0], 1)) {
        return false;
    }
    if (padding != NULL) {
        if (!keeps_image(padding, 0) || (padding->list.items[0].integer != 0 && norm->before > 0)) {
            return false;
        }
        norm->before += padding->list.items[0].integer;
        norm->after += padding->list.items[0].integer;
    }
    norm->size = kernel->list.items[0].integer;
    return norm->size > 0 && norm->before == norm->size / 2 &&
           norm->after == (norm->size - 1) / 2 &&
           is_default(vgg_arguments_get(arguments, 4, "ceil_mode"), 0) &&
           is_default(vgg_arguments_get(arguments, 5, "count_include_pad"), 1) &&
           (vgg_arguments_get(arguments, 6, "divisor_override") == NULL ||
            vgg_arguments_get(arguments, 6, "divisor_override")->kind == VGG_TERM_NONE);
}

static bool follow_squeeze(struct vgg_local_response *norm, const struct vgg_arguments *arguments)
{
    return follow_unsqueeze(norm, arguments);
}

/* A function of the value and one number. */
static bool read_operand(const struct vgg_arguments *arguments, double *out)
{
    return arguments->count >= 2 && arguments->items[1].name.length == 0 &&
           get_number(&arguments->items[1].value, out);
}

static bool follow_mul(struct vgg_local_response *norm, const struct vgg_arguments *arguments)
{
    return arguments->count == 2 && read_operand(arguments, &norm->alpha);
}

static bool follow_add(struct vgg_local_response *norm, const struct vgg_arguments *arguments)
{
    return read_operand(arguments, &norm->k) &&
           is_default(vgg_arguments_get(arguments, 2, "alpha"), 1);
}

static bool follow_pow(struct vgg_local_response *norm, const struct vgg_arguments *arguments)
{
    return arguments->count == 2 && read_operand(arguments, &norm->beta);
}

static const struct {
    const char *name;
    enum stage first, last, next;
    follow_fn *follow;
} operations[] = {
    {"torch.unsqueeze", SQUARED, SQUARED, UNSQUEEZED, follow_unsqueeze},
    {"torch.view", UNSQUEEZED, UNSQUEEZED, UNSQUEEZED, follow_view},
    {"torch.reshape", UNSQUEEZED, UNSQUEEZED, UNSQUEEZED, follow_view},
    {"torch.pad", UNSQUEEZED, UNSQUEEZED, PADDED, follow_pad},
    {"torch.constant_pad_nd", UNSQUEEZED, UNSQUEEZED, PADDED, follow_constant_pad},
    {"torch.avg_pool3d", UNSQUEEZED, PADDED, AVERAGED, follow_average},
    {"torch.squeeze", AVERAGED, AVERAGED, SQUEEZED, follow_squeeze},
    {"torch.view", SQUEEZED, SQUEEZED, SQUEEZED, follow_view},
    {"torch.reshape", SQUEEZED, SQUEEZED, SQUEEZED, follow_view},
    {"torch.mul", SQUEEZED, SQUEEZED, SCALED, follow_mul},
    {"torch.add", SCALED, SCALED, SHIFTED, follow_add},
    {"torch.pow", SHIFTED, SHIFTED, RAISED, follow_pow},
};

/* ---- the layer ---- */

static bool begin(struct vgg_recorder *recorder, struct vgg_span name, size_t data,
                  struct vgg_term *out)
{
    struct vgg_local_response *norm = vgg_arena_alloc(recorder->arena, 1, sizeof *norm);
    if (norm == NULL) {
        return vgg_recorder_stop_memory(recorder);
    }
    *norm = (struct vgg_local_response){.stage = SQUARED};
    *out = (struct vgg_term){
        .kind = VGG_TERM_DERIVED,
        .derived = {.operation = name, .first = data, .second = data, .response = norm}};
    return true;
}

static bool follow(struct vgg_recorder *recorder, struct vgg_span name,
                   const struct vgg_arguments *arguments, bool *known, struct vgg_term *out)
{
    const struct vgg_term *input = &arguments->items[0].value;
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        struct vgg_local_response norm = *input->derived.response;
        if (norm.stage < operations[i].first || norm.stage > operations[i].last ||
            !vgg_span_equals(name, operations[i].name) || !operations[i].follow(&norm, arguments)) {
            continue;
        }
        struct vgg_local_response *next = vgg_arena_alloc(recorder->arena, 1, sizeof *next);
        if (next == NULL) {
            return vgg_recorder_stop_memory(recorder);
        }
        norm.stage = operations[i].next;
        *next = norm;
        *out = *input;
        out->derived.response = next;
        *known = true;
        return true;
    }
    return true;
}

static bool add_layer(struct vgg_recorder *recorder, struct vgg_span name,
                      const struct vgg_local_response *norm, struct vgg_term *out)
{
    const struct vgg_setting_term settings[] = {
        {{"size", 4}, {.kind = VGG_TERM_INT, .integer = norm->size}},
        {{"alpha", 5}, {.kind = VGG_TERM_REAL, .real = norm->alpha}},
        {{"beta", 4}, {.kind = VGG_TERM_REAL, .real = norm->beta}},
        {{"k", 1}, {.kind = VGG_TERM_REAL, .real = norm->k}},
    };
    struct vgg_script_step step = {.type = "LocalResponseNorm"};
    const bool good = vgg_state_make(recorder, name, settings, 4, &step.state) &&
                      vgg_recorder_add(recorder, &step);
    *out = (struct vgg_term){.kind = VGG_TERM_DATA, .data = recorder->count};
    return good;
}

bool vgg_local_response_call(struct vgg_recorder *recorder, struct vgg_span name,
                             const struct vgg_arguments *arguments, bool *known,
                             struct vgg_term *out)
{
    *known = false;
    if (arguments->count < 2 || arguments->items[0].name.length > 0) {
        return true;
    }
    const struct vgg_term *a = &arguments->items[0].value, *b = &arguments->items[1].value;
    const bool is_last = a->kind == VGG_TERM_DATA && a->data == recorder->count &&
                         !vgg_recorder_is_flat(recorder, a->data);
    if (a->kind == VGG_TERM_DERIVED && a->derived.response != NULL) {
        return follow(recorder, name, arguments, known, out);
    }
    if (!is_last || arguments->count != 2) {
        return true;
    }
    if (vgg_span_equals(name, "torch.mul") && b->kind == VGG_TERM_DATA && b->data == a->data) {
        *known = true;
        return begin(recorder, name, a->data, out);
    }
    *known = vgg_span_equals(name, "torch.div") && b->kind == VGG_TERM_DERIVED &&
             b->derived.response != NULL && b->derived.response->stage == RAISED &&
             b->derived.first == a->data && b->derived.second == a->data;
    return !*known || add_layer(recorder, name, b->derived.response, out);
}
