/* SPDX-License-Identifier: MIT */
/* The stack of a pickle that is followed. */
#include "checkpoint/scan/walk_stack.h"

void vgg_walk_misuse(struct vgg_pickle_walk *walk)
{
    if (walk->misused_at == SIZE_MAX) {
        walk->misused_at = walk->opcode_offset;
    }
    if (!walk->expected || walk->in_doubt) {
        walk->stop = true;
        walk->end = VGG_WALK_BROKEN;
    }
}

static void fail_full(struct vgg_pickle_walk *walk, bool full)
{
    walk->stop = true;
    walk->end = VGG_WALK_LIMIT;
    if (!full) {
        walk->job->status =
            vgg_load_fail_memory(walk->job->load, sizeof(struct vgg_light), "the scan");
    }
}

void vgg_walk_push(struct vgg_pickle_walk *walk, struct vgg_light value)
{
    bool full;
    walk->loaders += value.kind == VGG_LIGHT_NAME && value.name > 0 &&
                     walk->names.records[value.name - 1].verdict.use == VGG_SCAN_USE_LOAD_BYTES;
    if (!vgg_light_push(walk->job->load, &walk->stack, value, &full)) {
        fail_full(walk, full);
    }
}

struct vgg_light vgg_walk_peek(struct vgg_pickle_walk *walk, size_t below)
{
    for (size_t i = 0; i <= below; i++) {
        if (i >= walk->stack.count ||
            walk->stack.items[walk->stack.count - 1 - i].kind == VGG_LIGHT_MARK) {
            vgg_walk_misuse(walk);
            return (struct vgg_light){.kind = VGG_LIGHT_UNKNOWN};
        }
    }
    return walk->stack.items[walk->stack.count - 1 - below];
}

void vgg_walk_drop(struct vgg_pickle_walk *walk, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (walk->stack.count == 0 ||
            walk->stack.items[walk->stack.count - 1].kind == VGG_LIGHT_MARK) {
            vgg_walk_misuse(walk);
            return;
        }
        walk->stack.count--;
    }
}

size_t vgg_walk_above_mark(const struct vgg_pickle_walk *walk)
{
    size_t count = 0;
    while (count < walk->stack.count &&
           walk->stack.items[walk->stack.count - 1 - count].kind != VGG_LIGHT_MARK) {
        count++;
    }
    return count;
}

void vgg_walk_pop_mark(struct vgg_pickle_walk *walk)
{
    walk->stack.count -= vgg_walk_above_mark(walk);
    if (walk->stack.count == 0) {
        vgg_walk_misuse(walk);
        return;
    }
    walk->stack.count--;
}

void vgg_walk_drop_mark_below(struct vgg_pickle_walk *walk)
{
    const size_t count = walk->stack.count;
    if (count < 2 || walk->stack.items[count - 2].kind != VGG_LIGHT_MARK) {
        vgg_walk_misuse(walk);
        return;
    }
    walk->stack.items[count - 2] = walk->stack.items[count - 1];
    walk->stack.count--;
}

void vgg_walk_tuple(struct vgg_pickle_walk *walk, size_t count)
{
    size_t found = 0;
    while (found < count && found < walk->stack.count &&
           walk->stack.items[walk->stack.count - 1 - found].kind != VGG_LIGHT_MARK) {
        found++;
    }
    if (found < count) {
        vgg_walk_misuse(walk);
    }
    const struct vgg_light tuple =
        vgg_light_tuple(found > 0 ? walk->stack.items + walk->stack.count - found : NULL, found);
    walk->stack.count -= found;
    vgg_walk_push(walk, tuple);
}

void vgg_walk_memoize(struct vgg_pickle_walk *walk, uint64_t index)
{
    const struct vgg_light value = vgg_walk_peek(walk, 0);
    if (!vgg_light_put(walk->job->load, &walk->memo, index, value)) {
        fail_full(walk, false);
    }
}

void vgg_walk_recall(struct vgg_pickle_walk *walk, uint64_t index)
{
    if (index < walk->memo.max && !vgg_light_has(&walk->memo, index)) {
        vgg_walk_misuse(walk);
    }
    vgg_walk_push(walk, vgg_light_get(&walk->memo, index));
}
