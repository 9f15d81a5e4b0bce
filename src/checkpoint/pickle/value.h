/* SPDX-License-Identifier: MIT */
/* The contents of a pickle as inert data: the tree that pickle.c builds and locate/ reads. */
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
    VGG_VALUE_DICT,       /* also OrderedDict, defaultdict and other classes with items */
    VGG_VALUE_GLOBAL,     /* a name, bound to nothing */
    VGG_VALUE_OBJECT,     /* the object that Python would make by calling a GLOBAL */
    VGG_VALUE_PERSISTENT, /* something outside the pickle: a storage */
};

/* The element type of a storage, "Float" for torch.FloatStorage and torch.FloatTensor; or of a tensor in a storage
 * without a type, "float8_e5m2". */
struct vgg_element_type {
    const char *name;
    bool supported; /* false: only the size is known */
    enum vgg_dtype dtype;
    unsigned bytes;
};

/* What a name on the allow-list refers to. */
enum vgg_global_role {
    /* Harmless, and not used. */
    VGG_GLOBAL_OPAQUE,
    /* defaultdict: its arguments are not items. */
    VGG_GLOBAL_DICT,
    /* Its argument, when there is one, is a list of pairs (Python 2). */
    VGG_GLOBAL_ORDERED_DICT,
    /* (list or dict[, type]): TorchScript's lists and dicts of one type. The result is the first argument. */
    VGG_GLOBAL_TYPED,
    /* (storage, offset, size, stride) */
    VGG_GLOBAL_REBUILD_TENSOR,
    /* … requires_grad, hooks[, metadata] */
    VGG_GLOBAL_REBUILD_TENSOR_V2,
    /* … requires_grad, hooks, dtype[, metadata] */
    VGG_GLOBAL_REBUILD_TENSOR_V3,
    /* (function, class, arguments of the function, state): the tensor of a subclass */
    VGG_GLOBAL_REBUILD_FROM_TYPE,
    /* (tensor, requires_grad, hooks[, state]) */
    VGG_GLOBAL_REBUILD_PARAMETER,
    /* (tensor): a class that wraps a tensor (torch before 0.4) */
    VGG_GLOBAL_PARAMETER,
    /* (array of NumPy, dtype, device, requires_grad): a tensor of a device that has no storages */
    VGG_GLOBAL_REBUILD_FROM_ARRAY,
    /* A class whose BUILD state is (storage, offset, size, stride). */
    VGG_GLOBAL_TENSOR,
    /* A storage class, inside persistent ids. */
    VGG_GLOBAL_STORAGE,
    /* torch.Size(tuple) */
    VGG_GLOBAL_SIZE,
    /* torch.float8_e5m2 */
    VGG_GLOBAL_DTYPE,
    /* Sparse, quantised …: a tensor that cannot be read. */
    VGG_GLOBAL_OTHER_TENSOR,
    /* A layer or a whole net. */
    VGG_GLOBAL_MODULE,
    /* Not on the list: objects of such a class are inert data, and calls are refused. */
    VGG_GLOBAL_OTHER,
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
            const struct vgg_value *state;  /* the state that BUILD sets, or NULL */
        } object;
        struct {                         /* PERSISTENT */
            const struct vgg_value *id;  /* a TUPLE */
            struct vgg_storage *storage; /* found by container/storage.c */
            uint64_t offset, count;      /* the part of it that the id refers to, in elements */
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
