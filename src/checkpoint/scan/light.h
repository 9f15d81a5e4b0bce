/* SPDX-License-Identifier: MIT */
/* The values of a pickle that is only followed: of each no more than what a later opcode can make of it.
 *
 * Unlike the machine of pickle/, which stops where a checkpoint ends being one, this stack goes on like Python's: what
 * is missing is UNKNOWN. */
#ifndef VGG_CHECKPOINT_SCAN_LIGHT_H
#define VGG_CHECKPOINT_SCAN_LIGHT_H

#include "base/load.h"
#include "checkpoint/pickle/value.h"

enum vgg_light_kind {
    VGG_LIGHT_UNKNOWN,
    VGG_LIGHT_MARK,
    VGG_LIGHT_PLAIN, /* a number, None …; number is that of an integer */
    VGG_LIGHT_TEXT,
    VGG_LIGHT_LINE, /* a text as protocol 0 has it; escaped: it holds escapes */
    VGG_LIGHT_BYTES,
    VGG_LIGHT_CODED,      /* bytes that the pickle has as a TEXT of their values */
    VGG_LIGHT_CODED_LINE, /* … as a LINE */
    VGG_LIGHT_TUPLE, /* text is its first text or bytes, of the kind first; number the product of its integers */
    VGG_LIGHT_CONTAINER, /* a list, dict or set */
    VGG_LIGHT_NAME,      /* something imported */
    VGG_LIGHT_MADE,      /* what calling a name returned; number is the size of a dtype's element */
    VGG_LIGHT_STORAGE, /* the id of a storage: text is its key, number its elements, name its type */
};

struct vgg_light {
    enum vgg_light_kind kind, first;
    bool escaped;
    bool latin1;   /* a tuple whose second item is the name of that encoding */
    uint16_t name; /* in the list of names, from 1; of a tuple: the last one in it */
    uint32_t items;
    struct vgg_span text;
    uint64_t number;
};

static inline bool vgg_light_is_text(struct vgg_light value)
{
    return value.kind == VGG_LIGHT_TEXT || value.kind == VGG_LIGHT_LINE;
}

static inline bool vgg_light_is_bytes(enum vgg_light_kind kind)
{
    return kind == VGG_LIGHT_BYTES || kind == VGG_LIGHT_CODED || kind == VGG_LIGHT_CODED_LINE;
}

/* A stack, and a memo. */
struct vgg_light_list {
    struct vgg_light *items;
    size_t count, capacity, max;
    size_t used; /* of a memo: entries that were set */
};

/* False when there is no memory, or the list is full. */
bool vgg_light_push(const struct vgg_load *load, struct vgg_light_list *list,
                    struct vgg_light value, bool *full);
/* Sets an entry of a memo; beyond its bound it is forgotten. False when there is no memory. */
bool vgg_light_put(const struct vgg_load *load, struct vgg_light_list *memo, uint64_t index,
                   struct vgg_light value);
bool vgg_light_has(const struct vgg_light_list *memo, uint64_t index);
/* UNKNOWN when there is none. */
struct vgg_light vgg_light_get(const struct vgg_light_list *memo, uint64_t index);

/* The tuple of count values. */
struct vgg_light vgg_light_tuple(const struct vgg_light *items, size_t count);

#endif
