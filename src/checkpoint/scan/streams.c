/* SPDX-License-Identifier: MIT */
/* Sequences of pickles. */
#include "checkpoint/scan/streams.h"

#include <inttypes.h>

#include "checkpoint/pickle/ops.h"
#include "checkpoint/scan/pickle_walk.h"

/* torch.save's stream: a magic number, a protocol, facts about the system, the object, the keys of the storages. */
enum { STREAM_PICKLES = 5, DIMS_MAX = 64 };

static const uint8_t magic[] = {0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};

static struct vgg_pickle_walk make_walk(struct vgg_scan_job *job, const struct vgg_scan_item *item,
                                        size_t offset, bool expected)
{
    struct vgg_pickle_walk walk = {.job = job, .item = item, .expected = expected};
    walk.in = vgg_cursor_make(item->data, item->size);
    walk.in.offset = offset;
    return walk;
}

/* Reports a pickle that Python does not read to its end. */
static void report_end(struct vgg_scan_job *job, const struct vgg_pickle_walk *walk)
{
    const struct vgg_scan_item *item = walk->item;
    struct vgg_scan_place place = {
        .rule = VGG_SCAN_RULE_BROKEN, .severity = VGG_SCAN_UNREAD, .offset = walk->end_offset};
    if (walk->end == VGG_WALK_LIMIT) {
        vgg_scan_unread(job, item, walk->end_offset,
                        "the pickle has more opcodes or values than the limit");
    } else if (walk->misused_at != SIZE_MAX) {
        place.offset = walk->misused_at;
        vgg_scan_report(job, item, &place,
                        "an opcode does not find what it needs: Python runs what stands before");
    } else if (walk->end == VGG_WALK_CUT && item->cut) {
        vgg_scan_unread(job, item, walk->end_offset,
                        "the pickle is larger than what is looked into");
    } else if (walk->end != VGG_WALK_STOPPED) {
        vgg_scan_report(job, item, &place, "the pickle %s: Python runs what stands before",
                        walk->end == VGG_WALK_CUT ? "is truncated"
                                                  : "goes on with what is no opcode");
    }
}

/* Whether a pickle that ends with the bytes that were unpacked may go on in those that were not: what begins as one by
 * chance mostly has a text of an impossible length. */
static bool may_go_on(const struct vgg_pickle_walk *walk)
{
    const struct vgg_scan_item *item = walk->item;
    struct vgg_cursor in = vgg_cursor_make(item->data, item->size);
    if (walk->end != VGG_WALK_CUT || !item->cut) {
        return false;
    }
    in.offset = walk->end_offset;
    const enum vgg_pickle_operand_kind kind =
        vgg_pickle_opcodes[(uint8_t)vgg_cursor_le(&in, 1)].operand;
    if (kind != OPERAND_BYTES4 && kind != OPERAND_BYTES8) {
        return true;
    }
    return vgg_cursor_le(&in, kind == OPERAND_BYTES4 ? 4 : 8) <= item->whole_size;
}

/* Follows one pickle; as joblib reads it too, where that differs. */
static struct vgg_pickle_walk follow(struct vgg_scan_job *job, const struct vgg_scan_item *item,
                                     size_t offset, bool expected)
{
    struct vgg_pickle_walk walk = make_walk(job, item, offset, expected);
    vgg_pickle_walk_run(&walk);
    vgg_pickle_walk_finish(&walk);
    if (walk.has_arrays && job->status == VGG_OK) {
        struct vgg_pickle_walk again = make_walk(job, item, offset, expected);
        again.joblib = true;
        again.report_from = walk.first_array;
        vgg_pickle_walk_run(&again);
        vgg_pickle_walk_finish(&again);
        walk = again;
    }
    if (expected) {
        report_end(job, &walk);
    } else if (walk.end == VGG_WALK_LIMIT || may_go_on(&walk)) {
        vgg_scan_unread(job, item, walk.end_offset,
                        "a pickle that is larger than what is looked into");
    }
    /* What a hidden pickle did is reported, too, where it is cut. */
    job->result->pickles += walk.end == VGG_WALK_STOPPED || expected || walk.names.acts > 0;
    return walk;
}

/* Moves over the raw bytes that follow a pickle in torch's tar. */
static void skip_record(const struct vgg_scan_item *item, const struct vgg_pickle_walk *walk,
                        size_t *offset)
{
    struct vgg_cursor in = vgg_cursor_make(item->data, item->size);
    in.offset = *offset;
    if (walk->top.kind != VGG_LIGHT_TUPLE || walk->top.name == 0) {
        return;
    }
    if (walk->top_use == VGG_SCAN_USE_STORAGE_TYPE && walk->top_bytes > 0) {
        const uint64_t count = vgg_cursor_le(&in, 8);
        uint64_t bytes;
        if (!__builtin_mul_overflow(count, walk->top_bytes, &bytes)) {
            vgg_cursor_take(&in, bytes);
        }
    } else if (walk->top_use == VGG_SCAN_USE_TENSOR_TYPE) {
        const uint64_t dims = vgg_cursor_le(&in, 4);
        vgg_cursor_take(&in, 4 + 16 * (dims < DIMS_MAX ? dims : 0) + 8);
    }
    *offset = in.offset;
}

static bool is_stream(const struct vgg_scan_item *item, size_t offset, size_t end)
{
    for (size_t i = offset; i + sizeof magic <= end && i < offset + 16; i++) {
        if (memcmp(item->data + i, magic, sizeof magic) == 0) {
            return true;
        }
    }
    return false;
}

bool vgg_scan_pickles(struct vgg_scan_job *job, const struct vgg_scan_item *item, size_t offset,
                      bool expected)
{
    const uint64_t before = job->result->pickles;
    const size_t start = offset;
    bool stream = false;
    for (size_t i = 0; offset < item->size && job->status == VGG_OK; i++) {
        const bool records = item->role == VGG_SCAN_RECORDS;
        const bool sure = i == 0 ? expected : (stream && i < STREAM_PICKLES) || records;
        const struct vgg_pickle_walk walk = follow(job, item, offset, sure);
        if (walk.end != VGG_WALK_STOPPED) {
            break;
        }
        stream = stream || (i == 0 && is_stream(item, start, walk.end_offset));
        offset = walk.end_offset;
        if (records) {
            skip_record(item, &walk, &offset);
        }
    }
    return job->result->pickles > before;
}
