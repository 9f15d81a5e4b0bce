/* SPDX-License-Identifier: MIT */
/* What an expression in the code of a TorchScript archive stands for, as far as it is a number or a condition. */
#include "checkpoint/script/term.h"

#include <errno.h>
#include <stdlib.h>

static const struct vgg_term unknown;

const struct vgg_term *vgg_arguments_get(const struct vgg_arguments *arguments, size_t place,
                                         const char *key)
{
    for (size_t i = 0; i < arguments->count; i++) {
        const struct vgg_argument *argument = &arguments->items[i];
        if (argument->name.length > 0 ? vgg_span_equals(argument->name, key) : i == place) {
            return &argument->value;
        }
    }
    return NULL;
}

static void note(int64_t found, int64_t *first, int64_t *second)
{
    if (*first == VGG_NO_DATA) {
        *first = found;
    } else if (*second == VGG_NO_DATA && found != *first) {
        *second = found;
    }
}

bool vgg_term_find_data(const struct vgg_term *term, int64_t *first, int64_t *second)
{
    if (term->kind == VGG_TERM_DATA) {
        note((int64_t)term->data, first, second);
    } else if (term->kind == VGG_TERM_DERIVED) {
        note((int64_t)term->derived.first, first, second);
        note((int64_t)term->derived.second, first, second);
    } else if (term->kind == VGG_TERM_LIST && term->list.first != VGG_NO_DATA) {
        note(term->list.first, first, second);
        note(term->list.second != VGG_NO_DATA ? term->list.second : term->list.first, first,
             second);
    }
    return *first != VGG_NO_DATA;
}

struct vgg_term vgg_term_make_list(struct vgg_term *items, size_t count)
{
    struct vgg_term list = {.kind = VGG_TERM_LIST,
                            .list = {items, count, VGG_NO_DATA, VGG_NO_DATA}};
    for (size_t i = 0; i < count; i++) {
        vgg_term_find_data(&items[i], &list.list.first, &list.list.second);
    }
    return list;
}

bool vgg_term_read_number(struct vgg_span digits, bool negative, struct vgg_term *out)
{
    char text[40], *end;
    if (digits.length >= sizeof text) {
        return false;
    }
    memcpy(text, digits.bytes, digits.length);
    text[digits.length] = '\0';
    errno = 0;
    if (strpbrk(text, ".e") == NULL) {
        const long long integer = strtoll(text, &end, 10);
        *out = (struct vgg_term){.kind = VGG_TERM_INT, .integer = negative ? -integer : integer};
    } else {
        const double real = strtod(text, &end);
        *out = (struct vgg_term){.kind = VGG_TERM_REAL, .real = negative ? -real : real};
    }
    /* A number that is too small for a double is 0. */
    return *end == '\0' && end != text && (errno == 0 || out->kind == VGG_TERM_REAL);
}

/* ---- functions of numbers ---- */

static struct vgg_term make_bool(bool boolean)
{
    return (struct vgg_term){.kind = VGG_TERM_BOOL, .boolean = boolean};
}

static struct vgg_term make_size(int64_t dim)
{
    return (struct vgg_term){.kind = VGG_TERM_SIZE, .dim = dim};
}

static bool is_known(const struct vgg_term *term)
{
    return term->kind != VGG_TERM_UNKNOWN && term->kind != VGG_TERM_SIZE &&
           term->kind != VGG_TERM_DERIVED;
}

static bool get_number(const struct vgg_term *term, double *out)
{
    switch (term->kind) {
    case VGG_TERM_BOOL:
        *out = term->boolean;
        return true;
    case VGG_TERM_INT:
        *out = (double)term->integer;
        return true;
    case VGG_TERM_REAL:
        *out = term->real;
        return true;
    default:
        return false;
    }
}

/* a is b, where one of them is None. */
static struct vgg_term compute_is(const struct vgg_arguments *arguments, bool expected)
{
    const struct vgg_term *a = &arguments->items[0].value, *b = &arguments->items[1].value;
    const bool none = a->kind == VGG_TERM_NONE || b->kind == VGG_TERM_NONE;
    /* Data are never None. */
    const bool known = (is_known(a) || a->kind == VGG_TERM_DERIVED) && is_known(b);
    if (!none || !known) {
        return unknown;
    }
    return make_bool((a->kind == b->kind) == expected);
}

/* The number of elements of data, which have some. */
static bool is_count(const struct vgg_term *term)
{
    return term->kind == VGG_TERM_SIZE && term->dim == VGG_SIZE_COUNT;
}

/* The order of two numbers or texts: -1, 0 or 1; 2: it is not known. */
static int compare(const struct vgg_term *a, const struct vgg_term *b)
{
    double x, y;
    if (a->kind == VGG_TERM_TEXT && b->kind == VGG_TERM_TEXT) {
        const int order = vgg_span_compare(a->text, b->text);
        return (order > 0) - (order < 0);
    }
    if (is_count(a) && b->kind == VGG_TERM_INT && b->integer == 0) {
        return 1;
    }
    return get_number(a, &x) && get_number(b, &y) ? (x > y) - (x < y) : 2;
}

static const struct {
    const char *name;
    /* Whether it is true for less, equal, greater. */
    bool results[3];
} comparisons[] = {
    {"torch.eq", {false, true, false}}, {"torch.ne", {true, false, true}},
    {"torch.lt", {true, false, false}}, {"torch.le", {true, true, false}},
    {"torch.gt", {false, false, true}}, {"torch.ge", {false, true, true}},
};

static bool compute_comparison(struct vgg_span name, const struct vgg_arguments *arguments,
                               struct vgg_term *out)
{
    for (size_t i = 0; i < sizeof comparisons / sizeof comparisons[0]; i++) {
        if (vgg_span_equals(name, comparisons[i].name)) {
            const int order = compare(&arguments->items[0].value, &arguments->items[1].value);
            *out = order == 2 ? unknown : make_bool(comparisons[i].results[order + 1]);
            return true;
        }
    }
    return false;
}

/* ---- arithmetic ---- */

static const char *const operators[] = {"torch.add", "torch.sub", "torch.mul", "torch.floordiv"};
enum operator_index { ADD, SUB, MUL, FLOORDIV };

/* False: the result is too large, or there is none. */
static bool compute_integer(size_t operator, int64_t a, int64_t b, int64_t *out)
{
    switch (operator) {
    case ADD:
        return !__builtin_add_overflow(a, b, out);
    case SUB:
        return !__builtin_sub_overflow(a, b, out);
    case MUL:
        return !__builtin_mul_overflow(a, b, out);
    default:
        /* Rounded down in Python, towards 0 in C. */
        *out = a >= 0 && b > 0 ? a / b : 0;
        return a >= 0 && b > 0;
    }
}

/* "torch.sub(3, 1)": of integers alone. */
static bool compute_arithmetic(struct vgg_span name, const struct vgg_arguments *arguments,
                               struct vgg_term *out)
{
    const struct vgg_term *a = &arguments->items[0].value, *b = &arguments->items[1].value;
    int64_t result;
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        if (vgg_span_equals(name, operators[i]) && a->kind == VGG_TERM_INT &&
            b->kind == VGG_TERM_INT) {
            *out = compute_integer(i, a->integer, b->integer, &result)
                       ? (struct vgg_term){.kind = VGG_TERM_INT, .integer = result}
                       : unknown;
            return true;
        }
    }
    return false;
}

/* ---- shapes ---- */

/* The shape of data, a side of it, or its height and width. */
static struct vgg_term compute_size(const struct vgg_arguments *arguments)
{
    if (arguments->items[0].value.kind != VGG_TERM_DATA) {
        return unknown;
    }
    if (arguments->count == 1) {
        return make_size(VGG_SIZE_ALL);
    }
    const struct vgg_term *dim = &arguments->items[1].value;
    return dim->kind == VGG_TERM_INT && dim->integer >= 0 ? make_size(dim->integer) : unknown;
}

/* shape[2:] is height and width. */
static struct vgg_term compute_slice(const struct vgg_arguments *arguments)
{
    const struct vgg_term *shape = &arguments->items[0].value;
    const bool image =
        shape->kind == VGG_TERM_SIZE && shape->dim == VGG_SIZE_ALL && arguments->count >= 2 &&
        arguments->items[1].value.kind == VGG_TERM_INT &&
        (arguments->items[1].value.integer == 2 || arguments->items[1].value.integer == -2);
    return image ? make_size(VGG_SIZE_IMAGE) : unknown;
}

static struct vgg_term compute_not(const struct vgg_term *term)
{
    return term->kind == VGG_TERM_BOOL ? make_bool(!term->boolean) : unknown;
}

/* The length of a list that is known. */
static struct vgg_term compute_length(const struct vgg_term *term)
{
    return term->kind == VGG_TERM_LIST
               ? (struct vgg_term){.kind = VGG_TERM_INT, .integer = (int64_t)term->list.count}
               : unknown;
}

enum computation { SAME, SECOND, SIZE, SLICE, IS, IS_NOT, NOT, LENGTH, COUNT, NUMBER };

static const struct {
    const char *name;
    enum computation computation;
    size_t arguments;
} functions[] = {
    {"int", SAME, 1},
    {"float", SAME, 1},
    {"bool", SAME, 1},
    {"ops.prim.NumToTensor", SAME, 1},
    {"torch.Int", SAME, 1},
    {"annotate", SECOND, 2},
    {"unchecked_cast", SECOND, 2},
    {"uninitialized", NUMBER, 0},
    {"torch.size", SIZE, 1},
    {"torch.slice", SLICE, 1},
    {"torch.__is__", IS, 2},
    {"torch.__isnot__", IS_NOT, 2},
    {"torch.__not__", NOT, 1},
    {"torch.len", LENGTH, 1},
    {"torch.numel", COUNT, 1},
    {"torch.format", NUMBER, 0},
    {"torch.warn", NUMBER, 0},
    {"torch.__contains__", NUMBER, 0},
    {"torch.is_floating_point", NUMBER, 0},
    {"ops.prim.dtype", NUMBER, 0},
    {"ops.prim.device", NUMBER, 0},
    {"ops.prim.layout", NUMBER, 0},
    {"ops.prim.requires_grad", NUMBER, 0},
    {"ops.prim.is_cuda", NUMBER, 0},
};

static struct vgg_term compute(enum computation computation, const struct vgg_arguments *arguments)
{
    switch (computation) {
    case SAME:
        return arguments->items[0].value;
    case SECOND:
        return arguments->items[1].value;
    case SIZE:
        return compute_size(arguments);
    case SLICE:
        return compute_slice(arguments);
    case IS:
    case IS_NOT:
        return compute_is(arguments, computation == IS);
    case NOT:
        return compute_not(&arguments->items[0].value);
    case LENGTH:
        return compute_length(&arguments->items[0].value);
    case COUNT:
        return arguments->items[0].value.kind == VGG_TERM_DATA ? make_size(VGG_SIZE_COUNT)
                                                               : unknown;
    case NUMBER:
        break;
    }
    return unknown;
}

bool vgg_term_compute(struct vgg_span name, const struct vgg_arguments *arguments,
                      struct vgg_term *out)
{
    const bool weight = arguments->count == 1 && arguments->items[0].value.kind == VGG_TERM_TENSOR;
    if (weight && vgg_span_equals(name, "torch.t")) {
        *out = arguments->items[0].value;
        out->tensor.transposed = !out->tensor.transposed;
        return true;
    }
    if (arguments->count == 2 &&
        (compute_comparison(name, arguments, out) || compute_arithmetic(name, arguments, out))) {
        return true;
    }
    int64_t first = VGG_NO_DATA, second = VGG_NO_DATA;
    if (vgg_span_equals(name, "torch.slice") &&
        vgg_term_find_data(&arguments->items[0].value, &first, &second)) {
        return false;
    }
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (vgg_span_equals(name, functions[i].name) &&
            arguments->count >= functions[i].arguments) {
            *out = compute(functions[i].computation, arguments);
            return true;
        }
    }
    return false;
}
