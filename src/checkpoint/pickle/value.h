/* SPDX-License-Identifier: MIT */
/* What a pickle holds, as inert data: the tree that pickle.c builds and locate/ reads. */
#ifndef VGG_CHECKPOINT_PICKLE_VALUE_H
#define VGG_CHECKPOINT_PICKLE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "vgg/checkpoint.h"

enum vgg_value_kind {
    VGG_VALUE_NONE,
    VGG_VALUE_BOOL,
    VGG_VALUE_INT,
    VGG_VALUE_LONG, /* an integer of more than 64 bits: little-endian two's complement */
    VGG_VALUE_FLOAT,
    VGG_VALUE_TEXT,
    VGG_VALUE_BYTES,
    VGG_VALUE_TUPLE,
    VGG_VALUE_LIST,
    VGG_VALUE_SET,
    VGG_VALUE_DICT,       /* also OrderedDict, defaultdict and whatever else has items */
    VGG_VALUE_GLOBAL,     /* a name, bound to nothing */
    VGG_VALUE_OBJECT,     /* what Python would have made by calling a GLOBAL */
    VGG_VALUE_PERSISTENT, /* something outside the pickle: a storage */
};

/* The elements of a storage, "Float" of torch.FloatStorage and torch.FloatTensor; or of a tensor in a
 * storage without a type, "float8_e5m2". */
struct vgg_element_type {
    const char *name;
    bool supported; /* dtype says how; else only the size is known */
    enum vgg_dtype dtype;
    unsigned bytes;
};

/* What a name on the allow-list stands for. */
enum vgg_global_role {
    VGG_GLOBAL_OPAQUE,         /* harmless, and of no use for weights */
    VGG_GLOBAL_DICT,           /* defaultdict: its arguments are no items */
    VGG_GLOBAL_ORDERED_DICT,   /* its argument, when there is one, is a list of pairs (Python 2) */
    VGG_GLOBAL_REBUILD_TENSOR, /* (storage, offset, size, stride) */
    VGG_GLOBAL_REBUILD_TENSOR_V2, /* … requires_grad, hooks[, metadata] */
    VGG_GLOBAL_REBUILD_TENSOR_V3, /* … requires_grad, hooks, dtype[, metadata] */
    VGG_GLOBAL_REBUILD_FROM_TYPE, /* (function, class, its arguments, state): a subclass's tensor */
    VGG_GLOBAL_REBUILD_PARAMETER, /* (tensor, requires_grad, hooks[, state]) */
    VGG_GLOBAL_PARAMETER,         /* a class round a tensor (torch before 0.4): (tensor) */
    VGG_GLOBAL_TENSOR,            /* a class whose BUILD state is (storage, offset, size, stride) */
    VGG_GLOBAL_STORAGE,           /* a storage class, inside persistent ids */
    VGG_GLOBAL_SIZE,              /* torch.Size(tuple) */
    VGG_GLOBAL_DTYPE,             /* torch.float8_e5m2 */
    VGG_GLOBAL_OTHER_TENSOR,      /* sparse, quantised …: a tensor that cannot be read */
    VGG_GLOBAL_MODULE,            /* a layer or a whole net */
    VGG_GLOBAL_OTHER, /* not on the list: may be a class, whose objects are inert data, and
                                     may not be called */
};

/* A row of the allow-list. */
struct vgg_global {
    const char *module;
    const char *name; /* NULL: every name in module and in the modules below it */
    enum vgg_global_role role;
    const struct vgg_element_type *element; /* of TENSOR, STORAGE and DTYPE */
};

/* Bytes inside the pickle, not terminated. */
struct vgg_span {
    const char *bytes;
    uint32_t length;
};

struct vgg_value {
    enum vgg_value_kind kind;
    bool seen; /* for walks that meet each value once */
    union {
        bool boolean;
        int64_t integer;
        double real;
        struct vgg_span text; /* TEXT, BYTES, LONG */
        struct {              /* TUPLE, LIST, SET; DICT: key, value, key, value … */
            struct vgg_value **items;
            size_t count, capacity;
        } list;
        struct { /* GLOBAL */
            const struct vgg_global *entry;
            struct vgg_span module, name;
        } global;
        struct {                            /* OBJECT */
            const struct vgg_value *callee; /* a GLOBAL */
            const struct vgg_value *args;   /* a TUPLE */
            const struct vgg_value *state;  /* what BUILD would have set, or NULL */
        } object;
        struct {                         /* PERSISTENT */
            const struct vgg_value *id;  /* a TUPLE */
            struct vgg_storage *storage; /* found by container/storage.c */
            uint64_t offset, count;      /* the part of it that is meant, in elements */
        } persistent;
    };
};

/* "a list", "a tuple" …, for messages. */
const char *vgg_value_kind_string(enum vgg_value_kind kind);

/* The value of a dict under a text key (the last one, as in Python), or NULL. */
const struct vgg_value *vgg_value_get(const struct vgg_value *dict, const char *key);

enum { VGG_NAME_BYTES_MAX = 1024 };

/* Whether a text can be a tensor's name: well-formed UTF-8 without control characters, not too long. */
bool vgg_span_is_name(struct vgg_span text);

static inline bool vgg_span_equals(struct vgg_span span, const char *text)
{
    return strlen(text) == span.length && memcmp(span.bytes, text, span.length) == 0;
}

static inline bool vgg_span_ends_with(struct vgg_span span, const char *end)
{
    return vgg_ends_with(span.bytes, span.length, end);
}

/* Orders by bytes, a shorter text before its continuation; for qsort and bsearch. */
static inline int vgg_span_compare(struct vgg_span a, struct vgg_span b)
{
    uint32_t common = a.length < b.length ? a.length : b.length;
    int order = memcmp(a.bytes, b.bytes, common);
    return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

#endif
