/* SPDX-License-Identifier: MIT */
/* What an expression in the code of a TorchScript archive stands for. Code is not run: a tensor that depends on the
 * net's input is known by the step that makes it. */
#ifndef VGG_CHECKPOINT_SCRIPT_TERM_H
#define VGG_CHECKPOINT_SCRIPT_TERM_H

#include "checkpoint/pickle/value.h"

enum vgg_term_kind {
    /* A number, a condition or a type that depends on the input's size, or is of no use. */
    VGG_TERM_UNKNOWN,
    VGG_TERM_NONE,
    VGG_TERM_BOOL,
    VGG_TERM_INT,
    VGG_TERM_REAL,
    VGG_TERM_TEXT,
    /* A list or tuple. */
    VGG_TERM_LIST,
    /* "torch.relu": a function, a class or what contains them. */
    VGG_TERM_NAME,
    VGG_TERM_MODULE,
    VGG_TERM_METHOD,
    /* A parameter, a buffer, or a constant of the code. */
    VGG_TERM_TENSOR,
    /* A constant that is a layer with its weights. */
    VGG_TERM_PACKED,
    /* The output of a step. */
    VGG_TERM_DATA,
    /* The result of an operation on data that is no step. */
    VGG_TERM_DERIVED,
    /* A side of data, see `dim`. */
    VGG_TERM_SIZE,
};

/* Values of `dim`. */
enum {
    VGG_SIZE_ALL = -1,   /* the whole shape */
    VGG_SIZE_IMAGE = -2, /* height and width */
    VGG_SIZE_COUNT = -3, /* the number of elements */
};

struct vgg_local_response;

/* What an operation that is no step has made of [images, channels, height, width]. */
enum vgg_term_form {
    VGG_FORM_OTHER,
    /* Nothing. */
    VGG_FORM_IMAGE,
    /* [images, channels, places]: means of the height or of the width, or all places one after the other. */
    VGG_FORM_LINE,
    /* The means of the height, [images, channels, 1, width], and of the width. */
    VGG_FORM_ROW,
    VGG_FORM_COLUMN,
    /* [images, height, width, channels] */
    VGG_FORM_CHANNELS_LAST,
};

struct vgg_term {
    enum vgg_term_kind kind;
    union {
        bool boolean;
        int64_t integer;
        double real;
        /* TEXT, NAME. */
        struct vgg_span text;
        struct {
            struct vgg_term *items;
            size_t count;
            /* Data among the items, as vgg_term_find_data finds them. */
            int64_t first, second;
        } list;
        /* An OBJECT. */
        const struct vgg_value *module;
        struct {
            const struct vgg_value *module;
            struct vgg_span name;
        } method;
        struct {
            /* Whose attribute `key` it is; NULL: a constant. */
            const struct vgg_value *module;
            struct vgg_span key;
            const struct vgg_value *value;
            bool transposed;
        } tensor;
        const struct vgg_value *packed;
        /* 0: the net's input; k: the output of the k-th step. */
        size_t data;
        struct {
            struct vgg_span operation;
            /* Two that it takes; the same if it takes one. */
            size_t first, second;
            /* A step with the same input that this can be joined to; 0: none. */
            size_t twin;
            /* What of a LocalResponseNorm it is; NULL: nothing. */
            const struct vgg_local_response *response;
            enum vgg_term_form form;
        } derived;
        /* 0: images of the batch; 1: channels, … */
        int64_t dim;
    };
};

/* An argument of a call. */
struct vgg_argument {
    /* Of `name=value`; empty: it is known by its place. */
    struct vgg_span name;
    struct vgg_term value;
};

struct vgg_arguments {
    struct vgg_argument *items;
    size_t count, max;
};

/* An argument by its place or name; NULL: it has its default. */
const struct vgg_term *vgg_arguments_get(const struct vgg_arguments *arguments, size_t place,
                                         const char *key);

enum { VGG_NO_DATA = -1 };

/* Finds the data that a term depends on.
 *   first, second  must be VGG_NO_DATA at first; receive the first two that are different
 * Returns whether there are any. */
bool vgg_term_find_data(const struct vgg_term *term, int64_t *first, int64_t *second);

/* A list of items, which it borrows. */
struct vgg_term vgg_term_make_list(struct vgg_term *items, size_t count);

/* Reads a number as Python writes it; false: it is none, or too large. */
bool vgg_term_read_number(struct vgg_span digits, bool negative, struct vgg_term *out);

/* A function that computes numbers, conditions or a tensor's other view from numbers and sizes: "torch.size",
 * "torch.__is__". Returns false if the function is none of these. */
bool vgg_term_compute(struct vgg_span name, const struct vgg_arguments *arguments,
                      struct vgg_term *out);

#endif
