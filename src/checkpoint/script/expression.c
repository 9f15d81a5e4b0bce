/* SPDX-License-Identifier: MIT */
/* Reads an expression in the code of a TorchScript archive: what it stands for, and the steps that its calls take. */
#include "checkpoint/script/expression.h"

#include <stdlib.h>

#include "checkpoint/locate/rebuild.h"
#include "checkpoint/script/constants.h"
#include "checkpoint/script/joins.h"
#include "checkpoint/script/local_response.h"
#include "checkpoint/script/mobile.h"
#include "checkpoint/script/operations.h"
#include "checkpoint/script/shapes.h"

enum { DEPTH_MAX = 300 };

bool vgg_follower_pay(struct vgg_follower *follower, size_t steps)
{
    if (follower->steps_left < steps) {
        return vgg_recorder_stop(follower->recorder, VGG_SCRIPT_UNKNOWN, "the code is too long");
    }
    follower->steps_left -= steps;
    return true;
}

bool vgg_follower_enter(struct vgg_follower *follower)
{
    return follower->depth++ < DEPTH_MAX ||
           vgg_recorder_stop(follower->recorder, VGG_SCRIPT_UNKNOWN,
                             "calls are nested more than %d deep", DEPTH_MAX);
}

bool vgg_frame_stop(const struct vgg_follower *follower, const struct vgg_frame *frame)
{
    const struct vgg_code_function *function = frame->function;
    const struct vgg_span at = vgg_token_span(frame->at);
    return vgg_recorder_stop(follower->recorder, VGG_SCRIPT_UNKNOWN,
                             "%.*s%s%.*s is not understood at \"%.*s\"",
                             VGG_SHOWN(function->class_name.bytes, function->class_name.length, 64),
                             function->class_name.length > 0 ? "." : "",
                             VGG_SHOWN(function->name.bytes, function->name.length, 64),
                             frame->at->kind == VGG_TOKEN_END || frame->at->kind == VGG_TOKEN_LINE
                                 ? 0
                                 : vgg_shown_length(at.bytes, at.length, 32),
                             at.bytes);
}

bool vgg_frame_expect(struct vgg_follower *follower, struct vgg_frame *frame, char mark)
{
    if (!vgg_token_is_mark(frame->at, mark)) {
        return vgg_frame_stop(follower, frame);
    }
    frame->at++;
    return vgg_follower_pay(follower, 1);
}

/* ---- variables ---- */

bool vgg_frame_set(struct vgg_follower *follower, struct vgg_frame *frame, struct vgg_span name,
                   const struct vgg_term *value)
{
    if (frame->count == frame->capacity) {
        const size_t capacity = frame->capacity > 0 ? 2 * frame->capacity : 16;
        struct vgg_variable *grown = vgg_arena_alloc(follower->scratch, capacity, sizeof *grown);
        if (grown == NULL) {
            return vgg_recorder_stop_memory(follower->recorder);
        }
        if (frame->count > 0) {
            memcpy(grown, frame->variables, frame->count * sizeof *grown);
        }
        frame->variables = grown;
        frame->capacity = capacity;
    }
    frame->variables[frame->count++] = (struct vgg_variable){name, *value};
    return true;
}

/* The last value of a variable; NULL: there is none. */
static const struct vgg_term *find_variable(struct vgg_follower *follower,
                                            const struct vgg_frame *frame, struct vgg_span name)
{
    size_t i = frame->count;
    while (i > 0 && vgg_span_compare(frame->variables[i - 1].name, name) != 0) {
        i--;
    }
    return vgg_follower_pay(follower, frame->count - i) && i > 0 ? &frame->variables[i - 1].value
                                                                 : NULL;
}

/* ---- attributes ---- */

static struct vgg_term make_scalar(const struct vgg_value *value)
{
    switch (value->kind) {
    case VGG_VALUE_NONE:
        return (struct vgg_term){.kind = VGG_TERM_NONE};
    case VGG_VALUE_BOOL:
        return (struct vgg_term){.kind = VGG_TERM_BOOL, .boolean = value->boolean};
    case VGG_VALUE_INT:
        return (struct vgg_term){.kind = VGG_TERM_INT, .integer = value->integer};
    case VGG_VALUE_FLOAT:
        return (struct vgg_term){.kind = VGG_TERM_REAL, .real = value->real};
    case VGG_VALUE_TEXT:
        return (struct vgg_term){.kind = VGG_TERM_TEXT, .text = value->text};
    default:
        return (struct vgg_term){0};
    }
}

/* A tuple or list of numbers. */
static bool make_list(struct vgg_follower *follower, const struct vgg_value *value,
                      struct vgg_term *out)
{
    /* More than any setting of a supported module has. */
    enum { ITEMS_MAX = 64 };
    const size_t count = value->list.count;
    if (count > ITEMS_MAX) {
        *out = (struct vgg_term){0};
        return true;
    }
    struct vgg_term *items = vgg_arena_alloc(follower->scratch, count + 1, sizeof *items);
    if (items == NULL) {
        return vgg_recorder_stop_memory(follower->recorder);
    }
    for (size_t i = 0; i < count; i++) {
        items[i] = make_scalar(value->list.items[i]);
    }
    *out = vgg_term_make_list(items, count);
    return vgg_follower_pay(follower, count);
}

static bool get_attribute(struct vgg_follower *follower, const struct vgg_value *module,
                          struct vgg_span key, struct vgg_term *out)
{
    const struct vgg_value *state = module->object.state, *value = NULL;
    for (size_t i = 0; i < state->list.count && value == NULL; i += 2) {
        const struct vgg_value *name = state->list.items[i];
        if (name->kind == VGG_VALUE_TEXT && vgg_span_compare(name->text, key) == 0) {
            value = state->list.items[i + 1];
        }
    }
    if (value == NULL) {
        *out = (struct vgg_term){.kind = VGG_TERM_METHOD, .method = {module, key}};
    } else if (vgg_value_is_tensor(value)) {
        *out = (struct vgg_term){.kind = VGG_TERM_TENSOR,
                                 .tensor = {.module = module, .key = key, .value = value}};
    } else if (vgg_source_of(value) == VGG_SOURCE_SCRIPT) {
        *out = (struct vgg_term){.kind = VGG_TERM_MODULE, .module = value};
    } else if (vgg_span_equals(key, "training")) {
        /* A net is always run as after eval(). */
        *out = (struct vgg_term){.kind = VGG_TERM_BOOL, .boolean = false};
    } else if (value->kind == VGG_VALUE_TUPLE || value->kind == VGG_VALUE_LIST) {
        return make_list(follower, value, out);
    } else {
        *out = make_scalar(value);
    }
    return vgg_follower_pay(follower, 1 + state->list.count);
}

/* CONSTANTS.c3. */
static struct vgg_term get_constant(const struct vgg_follower *follower, struct vgg_span digits)
{
    const struct vgg_value *constants = follower->constants;
    struct vgg_term index;
    const bool known = constants != NULL && vgg_term_read_number(digits, false, &index) &&
                       index.kind == VGG_TERM_INT && index.integer >= 0 &&
                       (uint64_t)index.integer < constants->list.count;
    const struct vgg_value *value = known ? constants->list.items[index.integer] : NULL;
    double real;
    if (value == NULL) {
        return (struct vgg_term){0};
    }
    if (vgg_value_is_tensor(value) && vgg_constants_get_real(follower->archive, value, &real)) {
        return (struct vgg_term){.kind = VGG_TERM_REAL, .real = real};
    }
    if (!follower->is_frozen) {
        return (struct vgg_term){0};
    }
    if (vgg_mobile_is_layer(value)) {
        return (struct vgg_term){.kind = VGG_TERM_PACKED, .packed = value};
    }
    return vgg_value_is_tensor(value)
               ? (struct vgg_term){.kind = VGG_TERM_TENSOR, .tensor = {.value = value}}
               : (struct vgg_term){0};
}

/* ---- expressions ---- */

/* The result of an operation that is neither a step nor known. */
static struct vgg_term derive(struct vgg_span operation, const struct vgg_arguments *arguments)
{
    int64_t first = VGG_NO_DATA, second = VGG_NO_DATA;
    for (size_t i = 0; i < arguments->count; i++) {
        const struct vgg_term *value = &arguments->items[i].value;
        /* What was derived first says best what is not understood. */
        if (value->kind == VGG_TERM_DERIVED) {
            operation = value->derived.operation;
        }
        vgg_term_find_data(value, &first, &second);
    }
    if (first == VGG_NO_DATA) {
        return (struct vgg_term){0};
    }
    second = second != VGG_NO_DATA ? second : first;
    return (struct vgg_term){
        .kind = VGG_TERM_DERIVED,
        .derived = {.operation = operation, .first = (size_t)first, .second = (size_t)second}};
}

static struct vgg_term derive_from(const char *operation, const struct vgg_term *term)
{
    struct vgg_argument argument = {.value = *term};
    return derive((struct vgg_span){operation, (uint32_t)strlen(operation)},
                  &(struct vgg_arguments){&argument, 1, 1});
}

static bool add_argument(struct vgg_follower *follower, struct vgg_arguments *arguments,
                         const struct vgg_argument *argument)
{
    if (arguments->count == arguments->max) {
        const size_t max = arguments->max > 0 ? 2 * arguments->max : 8;
        struct vgg_argument *grown = vgg_arena_alloc(follower->scratch, max, sizeof *grown);
        if (grown == NULL) {
            return vgg_recorder_stop_memory(follower->recorder);
        }
        if (arguments->count > 0) {
            memcpy(grown, arguments->items, arguments->count * sizeof *grown);
        }
        arguments->items = grown;
        arguments->max = max;
    }
    arguments->items[arguments->count++] = *argument;
    return vgg_follower_pay(follower, 2);
}

/* Reads expressions with commas between them up to a closing bracket, and the bracket. In a dict, keys and values are
 * one list. */
static bool read_arguments(struct vgg_follower *follower, struct vgg_frame *frame, char close,
                           struct vgg_arguments *out)
{
    *out = (struct vgg_arguments){0};
    while (!vgg_token_is_mark(frame->at, close)) {
        struct vgg_argument argument = {0};
        if (frame->at[0].kind == VGG_TOKEN_NAME && vgg_token_is_mark(&frame->at[1], '=')) {
            argument.name = vgg_token_span(frame->at);
            frame->at += 2;
        }
        if (!vgg_expression_read(follower, frame, &argument.value) ||
            !add_argument(follower, out, &argument)) {
            return false;
        }
        const bool more = vgg_token_is_mark(frame->at, ',') ||
                          (close == '}' && vgg_token_is_mark(frame->at, ':'));
        if (!more) {
            break;
        }
        frame->at++;
    }
    return vgg_frame_expect(follower, frame, close);
}

static bool make_items(struct vgg_follower *follower, const struct vgg_arguments *arguments,
                       struct vgg_term *out)
{
    struct vgg_term *items =
        vgg_arena_alloc(follower->scratch, arguments->count + 1, sizeof *items);
    if (items == NULL) {
        return vgg_recorder_stop_memory(follower->recorder);
    }
    for (size_t i = 0; i < arguments->count; i++) {
        items[i] = arguments->items[i].value;
    }
    *out = vgg_term_make_list(items, arguments->count);
    return true;
}

/* A list, a tuple, an expression in brackets, or a dict, of which only the data matter. */
static bool read_bracket(struct vgg_follower *follower, struct vgg_frame *frame,
                         struct vgg_term *out)
{
    const char open = frame->at->bytes[0];
    const char close = open == '(' ? ')' : open == '[' ? ']' : '}';
    struct vgg_arguments items;
    frame->at++;
    if (!read_arguments(follower, frame, close, &items)) {
        return false;
    }
    const bool single = open == '(' && items.count == 1 && !vgg_token_is_mark(frame->at - 2, ',');
    if (single) {
        *out = items.items[0].value;
        return true;
    }
    if (open == '{') {
        *out = derive((struct vgg_span){"dict", 4}, &items);
        return true;
    }
    return make_items(follower, &items, out);
}

/* A variable, a constant, or a name with dots. */
static bool read_name(struct vgg_follower *follower, struct vgg_frame *frame, struct vgg_term *out)
{
    struct vgg_span name = vgg_token_span(frame->at);
    const struct vgg_term *variable = find_variable(follower, frame, name);
    frame->at++;
    if (variable != NULL) {
        *out = *variable;
        return true;
    }
    if (vgg_span_equals(name, "None")) {
        *out = (struct vgg_term){.kind = VGG_TERM_NONE};
        return true;
    }
    if (vgg_span_equals(name, "True") || vgg_span_equals(name, "False")) {
        *out = (struct vgg_term){.kind = VGG_TERM_BOOL, .boolean = name.bytes[0] == 'T'};
        return true;
    }
    while (vgg_token_is_mark(frame->at, '.') && frame->at[1].kind == VGG_TOKEN_NAME &&
           frame->at[1].bytes == name.bytes + name.length + 1) {
        name.length += 1 + frame->at[1].length;
        frame->at += 2;
    }
    static const char constants[] = "CONSTANTS.c";
    const size_t length = sizeof constants - 1;
    if (name.length > length && memcmp(name.bytes, constants, length) == 0) {
        *out = get_constant(follower,
                            (struct vgg_span){name.bytes + length, name.length - (uint32_t)length});
        return true;
    }
    *out = (struct vgg_term){.kind = VGG_TERM_NAME, .text = name};
    return true;
}

static bool read_primary(struct vgg_follower *follower, struct vgg_frame *frame,
                         struct vgg_term *out)
{
    const struct vgg_token *token = frame->at;
    const bool negative = vgg_token_is_mark(token, '-');
    *out = (struct vgg_term){0};
    if (token->kind == VGG_TOKEN_NAME) {
        return read_name(follower, frame, out);
    }
    if (token->kind == VGG_TOKEN_TEXT) {
        *out = (struct vgg_term){.kind = VGG_TERM_TEXT, .text = vgg_token_span(token)};
        frame->at++;
        return true;
    }
    if (token[negative].kind == VGG_TOKEN_NUMBER) {
        frame->at += negative;
        if (!vgg_term_read_number(vgg_token_span(frame->at), negative, out)) {
            return vgg_frame_stop(follower, frame);
        }
        frame->at++;
        return true;
    }
    const bool bracket = vgg_token_is_mark(token, '(') || vgg_token_is_mark(token, '[') ||
                         vgg_token_is_mark(token, '{');
    return bracket ? read_bracket(follower, frame, out) : vgg_frame_stop(follower, frame);
}

struct vgg_term vgg_expression_get_item(const struct vgg_term *term, int64_t index)
{
    if (term->kind == VGG_TERM_LIST) {
        const int64_t count = (int64_t)term->list.count;
        const int64_t i = index < 0 ? index + count : index;
        return i >= 0 && i < count ? term->list.items[i] : (struct vgg_term){0};
    }
    if (term->kind == VGG_TERM_SIZE && index >= 0 && index < 4) {
        const int64_t first = term->dim == VGG_SIZE_IMAGE ? 2 : 0;
        return (struct vgg_term){.kind = VGG_TERM_SIZE, .dim = first + index};
    }
    return derive_from("an index", term);
}

static bool read_subscript(struct vgg_follower *follower, struct vgg_frame *frame,
                           struct vgg_term *term)
{
    struct vgg_arguments index;
    frame->at++;
    if (!read_arguments(follower, frame, ']', &index)) {
        return false;
    }
    const bool number = index.count == 1 && index.items[0].value.kind == VGG_TERM_INT;
    *term = number ? vgg_expression_get_item(term, index.items[0].value.integer)
                   : derive_from("an index", term);
    return true;
}

/* ---- calls ---- */

static bool call_method(struct vgg_follower *follower, const struct vgg_term *callee,
                        const struct vgg_arguments *arguments, struct vgg_term *out)
{
    const struct vgg_value *type = callee->method.module->object.callee;
    const struct vgg_span name = callee->method.name;
    const struct vgg_code_function *function =
        vgg_code_find(follower->code, type->global.module, type->global.name, name);
    if (function == NULL) {
        return vgg_recorder_stop(follower->recorder, VGG_SCRIPT_UNKNOWN,
                                 "%.*s.%.*s: the code is not in the archive",
                                 VGG_SHOWN(type->global.name.bytes, type->global.name.length, 64),
                                 VGG_SHOWN(name.bytes, name.length, 64));
    }
    return follower->run(follower, function, callee->method.module, arguments, out);
}

/* getattr(self, "0") */
static bool call_getattr(struct vgg_follower *follower, const struct vgg_arguments *arguments,
                         struct vgg_term *out)
{
    const bool good = arguments->count == 2 && arguments->items[0].value.kind == VGG_TERM_MODULE &&
                      arguments->items[1].value.kind == VGG_TERM_TEXT;
    return good ? get_attribute(follower, arguments->items[0].value.module,
                                arguments->items[1].value.text, out)
                : vgg_recorder_stop(follower->recorder, VGG_SCRIPT_UNKNOWN,
                                    "getattr of something that is no module");
}

/* The user's own function; NULL: there is none of this name. */
static const struct vgg_code_function *find_function(struct vgg_follower *follower,
                                                     struct vgg_span name)
{
    uint32_t dot = name.length;
    while (dot > 0 && name.bytes[dot - 1] != '.') {
        dot--;
    }
    return dot > 0 && vgg_is_torchscript(name)
               ? vgg_code_find(follower->code, (struct vgg_span){name.bytes, dot - 1},
                               (struct vgg_span){"", 0},
                               (struct vgg_span){name.bytes + dot, name.length - dot})
               : NULL;
}

/* The dimensions of data: images of 3, or rows. */
static struct vgg_term count_dims(const struct vgg_recorder *recorder,
                                  const struct vgg_arguments *arguments)
{
    enum { ROWS = 2, IMAGES = 4 };
    if (arguments->count != 1 || arguments->items[0].value.kind != VGG_TERM_DATA) {
        return (struct vgg_term){0};
    }
    const bool flat = vgg_recorder_is_flat(recorder, arguments->items[0].value.data);
    return (struct vgg_term){.kind = VGG_TERM_INT, .integer = flat ? ROWS : IMAGES};
}

/* Whether a function changes what it is given: "torch.mul_", "torch.append", any function with out=. */
static bool is_change(struct vgg_span name, const struct vgg_arguments *arguments)
{
    static const char *const lists[] = {
        "torch.append", "torch.insert", "torch.extend", "torch.pop",     "torch.clear",
        "torch.remove", "torch.sort",   "torch.Delete", "torch.reverse", "torch._set_item"};
    for (size_t i = 0; i < arguments->count; i++) {
        if (vgg_span_equals(arguments->items[i].name, "out")) {
            return true;
        }
    }
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        if (vgg_span_equals(name, lists[i])) {
            return true;
        }
    }
    return vgg_span_ends_with(name, "_") && !vgg_span_ends_with(name, "__");
}

/* Stops at a change that is no step: the rest of the code would be followed as if it had not happened. */
static bool check_change(struct vgg_follower *follower, struct vgg_span name,
                         const struct vgg_arguments *arguments, const struct vgg_term *result)
{
    if (result->kind == VGG_TERM_DATA || !is_change(name, arguments)) {
        return true;
    }
    return result->kind == VGG_TERM_DERIVED
               ? vgg_recorder_stop_derived(follower->recorder, result)
               : vgg_recorder_stop(follower->recorder, VGG_SCRIPT_UNKNOWN, "%.*s changes a value",
                                   VGG_SHOWN(name.bytes, name.length, 64));
}

static bool call_name(struct vgg_follower *follower, struct vgg_span name,
                      const struct vgg_arguments *arguments, struct vgg_term *out)
{
    if (vgg_span_equals(name, "getattr")) {
        return call_getattr(follower, arguments, out);
    }
    if (vgg_span_equals(name, "ops.prim.RaiseException")) {
        return vgg_recorder_stop(follower->recorder, VGG_SCRIPT_UNKNOWN, "the code raises");
    }
    if (vgg_span_equals(name, "torch.dim")) {
        *out = count_dims(follower->recorder, arguments);
        return true;
    }
    if (vgg_term_compute(name, arguments, out)) {
        return true;
    }
    bool known;
    if (!vgg_join_call(follower->recorder, name, arguments, &known, out) ||
        (!known && !vgg_local_response_call(follower->recorder, name, arguments, &known, out)) ||
        (!known && !vgg_shapes_call(follower->recorder, name, arguments, &known, out)) ||
        (!known && !vgg_mobile_call(follower->recorder, name, arguments, &known, out))) {
        return false;
    }
    if (known) {
        return true;
    }
    const struct vgg_operation *operation = vgg_operation_find(name);
    *out = derive(name, arguments);
    if (operation != NULL && out->kind == VGG_TERM_DERIVED) {
        return vgg_operation_call(operation, name, arguments, follower->recorder, out) &&
               check_change(follower, name, arguments, out);
    }
    /* A function of PyTorch with data that is no layer is refused by its own name, not by that of its parts. */
    const bool own = out->kind != VGG_TERM_DERIVED || !vgg_operation_is_of_torch(name);
    const struct vgg_code_function *function = own ? find_function(follower, name) : NULL;
    return function != NULL ? follower->run(follower, function, NULL, arguments, out)
                            : check_change(follower, name, arguments, out);
}

static bool read_call(struct vgg_follower *follower, struct vgg_frame *frame, struct vgg_term *term)
{
    const struct vgg_term callee = *term;
    struct vgg_arguments arguments;
    frame->at++;
    if (!read_arguments(follower, frame, ')', &arguments)) {
        return false;
    }
    if (callee.kind == VGG_TERM_METHOD) {
        return call_method(follower, &callee, &arguments, term);
    }
    if (callee.kind == VGG_TERM_NAME) {
        return call_name(follower, callee.text, &arguments, term);
    }
    return vgg_frame_stop(follower, frame);
}

static bool read_attribute(struct vgg_follower *follower, struct vgg_frame *frame,
                           struct vgg_term *term)
{
    const struct vgg_token *name = frame->at + 1;
    if (name->kind != VGG_TOKEN_NAME) {
        return vgg_frame_stop(follower, frame);
    }
    frame->at += 2;
    if (term->kind == VGG_TERM_MODULE) {
        return get_attribute(follower, term->module, vgg_token_span(name), term);
    }
    *term = derive_from("an attribute", term);
    return true;
}

static bool read_expression(struct vgg_follower *follower, struct vgg_frame *frame,
                            struct vgg_term *out)
{
    bool good = read_primary(follower, frame, out);
    while (good && frame->at->kind == VGG_TOKEN_MARK) {
        if (!vgg_follower_pay(follower, 1)) {
            return false;
        }
        switch (frame->at->bytes[0]) {
        case '.':
            good = read_attribute(follower, frame, out);
            break;
        case '(':
            good = read_call(follower, frame, out);
            break;
        case '[':
            good = read_subscript(follower, frame, out);
            break;
        default:
            return true;
        }
    }
    return good;
}

bool vgg_expression_read(struct vgg_follower *follower, struct vgg_frame *frame,
                         struct vgg_term *out)
{
    const bool good = vgg_follower_enter(follower) && vgg_follower_pay(follower, 1) &&
                      read_expression(follower, frame, out);
    follower->depth--;
    return good;
}
