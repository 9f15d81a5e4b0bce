/* SPDX-License-Identifier: MIT */
/* The loop over the opcodes of a pickle that is followed, and the bytes that joblib puts between them. */
#include "checkpoint/scan/pickle_walk.h"

#include <inttypes.h>

#include "checkpoint/pickle/ops.h"
#include "checkpoint/scan/walk_calls.h"
#include "checkpoint/scan/walk_ops.h"

enum { NESTED_MAX = 4, STEPS_FACTOR = 32 };

static void trace(const struct vgg_pickle_walk *walk, const char *name,
                  const struct vgg_pickle_operand *operand)
{
    const struct vgg_scan_options *options = walk->job->options;
    if (options->traced == NULL || walk->opcode_offset < walk->report_from) {
        return;
    }
    size_t bytes = operand->text.length;
    if (operand->second.length > 0) { /* the second line follows the first */
        bytes = (size_t)(operand->second.bytes - operand->text.bytes) + operand->second.length;
    }
    const struct vgg_scan_opcode opcode = {.member = walk->item->member,
                                           .name = name,
                                           .operand = operand->text.bytes,
                                           .operand_bytes = bytes,
                                           .number = operand->number,
                                           .offset = walk->opcode_offset};
    options->traced(options->user, &opcode);
}

static void end_at(struct vgg_pickle_walk *walk, enum vgg_walk_end end)
{
    walk->stop = true;
    walk->end = end;
}

static bool count_step(struct vgg_pickle_walk *walk)
{
    const struct vgg_limits *limits = walk->job->load->limits;
    return walk->steps++ < limits->pickle_opcodes &&
           walk->job->steps++ < (uint64_t)STEPS_FACTOR * limits->pickle_opcodes &&
           walk->in.offset < walk->in.size;
}

/* One opcode but STOP. */
static void step(struct vgg_pickle_walk *walk)
{
    walk->opcode_offset = walk->in.offset;
    if (walk->in.offset == walk->in.size) {
        end_at(walk, VGG_WALK_CUT);
        return;
    }
    if (!count_step(walk)) {
        end_at(walk, VGG_WALK_LIMIT);
        return;
    }
    const uint8_t code = (uint8_t)vgg_cursor_le(&walk->in, 1);
    const struct vgg_pickle_opcode *opcode = &vgg_pickle_opcodes[code];
    if (opcode->name == NULL) {
        end_at(walk, VGG_WALK_BROKEN);
        return;
    }
    const struct vgg_pickle_operand operand =
        vgg_pickle_read_operand(&walk->in, opcode->operand, true);
    if (!walk->in.ok) {
        end_at(walk, VGG_WALK_CUT);
        return;
    }
    trace(walk, opcode->name, &operand);
    if (code == '.') {
        end_at(walk, VGG_WALK_STOPPED);
        if (walk->stack.count == 0) {
            walk->end = VGG_WALK_BROKEN;
        } else {
            walk->top = walk->stack.items[walk->stack.count - 1];
        }
        return;
    }
    vgg_walk_op(walk, code, &operand);
}

static void run(struct vgg_pickle_walk *walk);

/* The elements of an array of objects are a pickle with a stack and a memo of its own. */
static void run_objects(struct vgg_pickle_walk *walk)
{
    struct vgg_pickle_walk inner = *walk;
    if (walk->nested >= NESTED_MAX) {
        end_at(walk, VGG_WALK_LIMIT);
        return;
    }
    inner.nested++;
    inner.stack = (struct vgg_light_list){.max = walk->stack.max};
    inner.memo = (struct vgg_light_list){.max = walk->memo.max};
    run(&inner);
    const struct vgg_allocator *allocator = vgg_load_allocator(walk->job->load);
    vgg_mem_free(allocator, inner.stack.items);
    vgg_mem_free(allocator, inner.memo.items);
    walk->in = inner.in;
    walk->names = inner.names;
    walk->steps = inner.steps;
    walk->loaders = inner.loaders;
    walk->misused_at = inner.misused_at;
    if (inner.end != VGG_WALK_STOPPED) {
        end_at(walk, inner.end);
        walk->opcode_offset = inner.opcode_offset;
    }
}

/* Skips the bytes of the array that has just been built. */
static void skip_array(struct vgg_pickle_walk *walk)
{
    const struct vgg_walk_array array = walk->array;
    uint64_t bytes;
    if (!array.has_shape || !array.has_type) {
        end_at(walk, VGG_WALK_BROKEN);
    } else if (array.objects) {
        run_objects(walk);
    } else {
        if (array.aligned) {
            vgg_cursor_take(&walk->in, vgg_cursor_le(&walk->in, 1));
        }
        if (__builtin_mul_overflow(array.elements, array.element_bytes, &bytes) ||
            (vgg_cursor_take(&walk->in, bytes), !walk->in.ok)) {
            end_at(walk, VGG_WALK_CUT);
        }
    }
}

static void run(struct vgg_pickle_walk *walk)
{
    while (!walk->stop && walk->job->status == VGG_OK) {
        walk->array_built = false;
        step(walk);
        if (walk->array_built && walk->joblib && !walk->stop) {
            skip_array(walk);
        }
        walk->in_doubt = walk->in_doubt || (walk->array_built && !walk->joblib);
    }
}

void vgg_pickle_walk_run(struct vgg_pickle_walk *walk)
{
    const struct vgg_limits *limits = walk->job->load->limits;
    walk->stack.max = (size_t)(limits->value_bytes / sizeof(struct vgg_light));
    walk->memo.max = limits->pickle_memo;
    walk->misused_at = SIZE_MAX;
    run(walk);
    if (walk->top.name > 0) {
        const struct vgg_scan_verdict *verdict = &walk->names.records[walk->top.name - 1].verdict;
        walk->top_use = verdict->use;
        walk->top_bytes = verdict->element_bytes;
    }
    walk->end_offset = walk->end == VGG_WALK_STOPPED ? walk->in.offset : walk->opcode_offset;
}

void vgg_pickle_walk_finish(struct vgg_pickle_walk *walk)
{
    const struct vgg_allocator *allocator = vgg_load_allocator(walk->job->load);
    vgg_walk_check_loaders(walk);
    if (walk->expected || walk->end == VGG_WALK_STOPPED || walk->names.acts > 0) {
        vgg_scan_names_report(walk->job, walk->item, &walk->names);
    }
    vgg_mem_free(allocator, walk->stack.items);
    vgg_mem_free(allocator, walk->memo.items);
    vgg_mem_free(allocator, walk->names.records);
}
