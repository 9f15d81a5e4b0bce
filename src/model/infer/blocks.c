/* SPDX-License-Identifier: MIT */
/* Finds blocks of convolutions in their names: "conv1_1, conv1_2, conv2_1 …". */
#include "model/infer/blocks.h"

#include <string.h>

static const char digits[] = "0123456789";

static const char *name_of(const struct vgg_outline *outline, size_t i)
{
    return outline->convs[i].layer->site->name;
}

/* Length of the beginning that the names of all convolutions share, without a number at its end. */
static size_t find_common(const struct vgg_outline *outline)
{
    const char *first = name_of(outline, 0);
    size_t common = strlen(first);
    for (size_t i = 1; i < outline->sites->conv_count; i++) {
        size_t length = 0;
        while (length < common && name_of(outline, i)[length] == first[length]) {
            length++;
        }
        common = length;
    }
    while (common > 0 && strchr(digits, first[common - 1]) != NULL) {
        common--;
    }
    return common;
}

/* Length of the name of a convolution's block: up to the first of two numbers in its name, "conv1" of conv1_2, or the
 * Sequential that contains it. 0: the name has no block. */
static size_t block_of(const struct vgg_site *site, size_t common)
{
    const char *number = strpbrk(site->name + common, digits);
    if (number != NULL) {
        number += strspn(number, digits);
        if (strpbrk(number, digits) != NULL) {
            return (size_t)(number - site->name);
        }
    }
    return site->place.number >= 0 ? site->place.parent : 0;
}

static bool same_block(const struct vgg_site *a, const struct vgg_site *b, size_t common)
{
    const size_t length = block_of(a, common);
    return length > 0 && length == block_of(b, common) && memcmp(a->name, b->name, length) == 0;
}

bool vgg_outline_has_unknown(const struct vgg_outline *outline)
{
    for (size_t i = 0; i + 1 < outline->sites->conv_count; i++) {
        if (outline->convs[i].gap == VGG_GAP_UNKNOWN) {
            return true;
        }
    }
    return false;
}

bool vgg_blocks_take_pools(struct vgg_outline *outline, struct vgg_blocks *out)
{
    const size_t count = outline->sites->conv_count, common = find_common(outline);
    size_t blocks = 1;
    for (size_t i = 0; i < count; i++) {
        const struct vgg_site *site = outline->convs[i].layer->site;
        if (block_of(site, common) == 0) {
            return false;
        }
        blocks += i > 0 && !same_block(outline->convs[i - 1].layer->site, site, common);
    }
    if (blocks == 1 || blocks == count) {
        return false;
    }
    for (size_t i = 0; i + 1 < count; i++) {
        struct vgg_unit *unit = &outline->convs[i];
        if (unit->gap == VGG_GAP_UNKNOWN) {
            const bool same =
                same_block(unit->layer->site, outline->convs[i + 1].layer->site, common);
            unit->gap = same ? VGG_GAP_NONE : VGG_GAP_POOL;
        }
    }
    *out = (struct vgg_blocks){
        .count = blocks,
        .name = name_of(outline, 0),
        .length = (int)block_of(outline->convs[0].layer->site, common),
    };
    return true;
}
