/* SPDX-License-Identifier: MIT */
/* The pickle machine's loop: fetch an opcode and its operand, check frame and limits, run it. */
#include "checkpoint/pickle/pickle.h"

#include <inttypes.h>

#include "checkpoint/pickle/ops.h"

static struct vgg_pickle_operand read_operand(struct vgg_pickle_input *in,
                                              enum vgg_pickle_operand_kind kind)
{
    struct vgg_pickle_operand operand = {0};
    switch (kind) {
    case OPERAND_NOTHING:
        break;
    case OPERAND_U1:
        operand.number = vgg_pickle_input_le(in, 1);
        break;
    case OPERAND_U2:
        operand.number = vgg_pickle_input_le(in, 2);
        break;
    case OPERAND_U4:
    case OPERAND_S4:
        operand.number = vgg_pickle_input_le(in, 4);
        break;
    case OPERAND_U8:
        operand.number = vgg_pickle_input_le(in, 8);
        break;
    case OPERAND_BYTES_8:
        operand.text = vgg_pickle_input_bytes(in, 8);
        break;
    case OPERAND_BYTES1:
        operand.text = vgg_pickle_input_bytes(in, vgg_pickle_input_le(in, 1));
        break;
    case OPERAND_BYTES4:
        operand.text = vgg_pickle_input_bytes(in, vgg_pickle_input_le(in, 4));
        break;
    case OPERAND_BYTES8:
        operand.text = vgg_pickle_input_bytes(in, vgg_pickle_input_le(in, 8));
        break;
    case OPERAND_LINE:
        operand.text = vgg_pickle_input_line(in);
        break;
    case OPERAND_LINES:
        operand.text = vgg_pickle_input_line(in);
        operand.second = vgg_pickle_input_line(in);
        break;
    }
    return operand;
}

/* Reports that the input failed.
 *   opcode  whose operand was read; NULL: an opcode itself */
static vgg_status fail_input(struct vgg_pickle_machine *m, const struct vgg_pickle_opcode *opcode)
{
    switch (m->in.status) {
    case VGG_ERR_MEMORY:
        return vgg_load_fail_memory(m->load, m->in.next_window, "the pickle");
    case VGG_ERR_LIMIT:
        return vgg_pickle_fail(m, VGG_ERR_LIMIT, "larger than the limit of %" PRIu64 " bytes",
                               m->load->limits->pickle_bytes);
    default:
        return opcode == NULL
                   ? vgg_pickle_fail(m, VGG_ERR_FORMAT, "truncated: no STOP")
                   : vgg_pickle_fail(m, VGG_ERR_FORMAT, "truncated inside %s", opcode->name);
    }
}

static vgg_status step(struct vgg_pickle_machine *m)
{
    m->opcode_offset = m->in.offset;
    uint8_t code = (uint8_t)vgg_pickle_input_le(&m->in, 1);
    const struct vgg_pickle_opcode *opcode = &vgg_pickle_opcodes[code];
    if (m->in.status != VGG_OK) {
        return fail_input(m, NULL);
    }
    if (opcode->name == NULL) {
        return vgg_pickle_fail(m, VGG_ERR_FORMAT, "unknown opcode 0x%02x", code);
    }
    if (opcode->run == NULL) {
        return vgg_pickle_fail(m, VGG_ERR_UNSUPPORTED, "opcode %s, which a checkpoint may not use",
                               opcode->name);
    }
    if (m->opcode_offset == 0 && code != 0x80) {
        return vgg_pickle_fail(m, VGG_ERR_UNSUPPORTED, "protocol 0 or 1, expected 2 to 5");
    }
    if (m->steps++ >= m->load->limits->pickle_opcodes) {
        return vgg_pickle_fail(m, VGG_ERR_LIMIT, "more opcodes than the limit of %" PRIu32,
                               m->load->limits->pickle_opcodes);
    }
    bool in_frame = m->opcode_offset < m->frame_end;
    struct vgg_pickle_operand operand = read_operand(&m->in, opcode->operand);
    if (m->in.status != VGG_OK) {
        return fail_input(m, opcode);
    }
    if (in_frame && m->in.offset > m->frame_end) {
        return vgg_pickle_fail(m, VGG_ERR_FORMAT, "%s goes past the end of its frame",
                               opcode->name);
    }
    return opcode->run(m, &operand);
}

vgg_status vgg_pickle_read(const struct vgg_load *load, const struct vgg_pickle_source *source,
                           struct vgg_pickle *out)
{
    vgg_status status = VGG_OK;
    struct vgg_pickle_machine m = {.load = load, .source = source};
    m.in = vgg_pickle_input_make(load, source);
    /* Allocated at once, because handlers return NULL for too few items. */
    m.stack.capacity = 64;
    const struct vgg_allocator *allocator = vgg_load_allocator(load);
    m.stack.items = vgg_mem_alloc(allocator, m.stack.capacity, sizeof *m.stack.items);
    if (m.stack.items == NULL) {
        return vgg_load_fail_memory(load, m.stack.capacity * sizeof *m.stack.items, "the pickle");
    }
    while (status == VGG_OK && !m.stopped) {
        status = step(&m);
    }
    if (status != VGG_OK) {
        goto done;
    }
    struct vgg_value **persistents = vgg_load_alloc(load, m.persistents.count, sizeof *persistents);
    if (persistents == NULL) {
        status =
            vgg_load_fail_memory(load, m.persistents.count * sizeof *persistents, "the pickle");
        goto done;
    }
    if (m.persistents.count > 0) {
        memcpy(persistents, m.persistents.items, m.persistents.count * sizeof *persistents);
    }
    *out = (struct vgg_pickle){.root = m.stack.items[0],
                               .persistents = persistents,
                               .persistent_count = m.persistents.count,
                               .size = m.in.offset};
done:
    vgg_mem_free(allocator, m.stack.items);
    vgg_mem_free(allocator, m.marks);
    vgg_mem_free(allocator, m.memo.items);
    vgg_mem_free(allocator, m.persistents.items);
    return status;
}
