/* SPDX-License-Identifier: MIT */
/* The pickle machine's loop: fetch an opcode and its operand, check frame and limits, run it. */
#include "checkpoint/pickle/pickle.h"

#include <inttypes.h>

#include "checkpoint/pickle/ops.h"

static struct vgg_span read_bytes(struct vgg_cursor *in, uint64_t length)
{
    in->ok = in->ok && length <= UINT32_MAX;
    const uint8_t *bytes = vgg_cursor_take(in, length);
    return (struct vgg_span){(const char *)bytes, bytes != NULL ? (uint32_t)length : 0};
}

static struct vgg_span read_line(struct vgg_cursor *in)
{
    const uint8_t *start = in->data + in->offset;
    const uint8_t *end = in->ok ? memchr(start, '\n', vgg_cursor_left(in)) : NULL;
    if (end == NULL || end - start > UINT16_MAX) {
        in->ok = false;
        return (struct vgg_span){NULL, 0};
    }
    in->offset += (size_t)(end - start) + 1;
    return (struct vgg_span){(const char *)start, (uint32_t)(end - start)};
}

static struct vgg_pickle_operand read_operand(struct vgg_cursor *in,
                                              enum vgg_pickle_operand_kind kind)
{
    struct vgg_pickle_operand operand = {0};
    switch (kind) {
    case OPERAND_NOTHING:
        break;
    case OPERAND_U1:
        operand.number = vgg_cursor_le(in, 1);
        break;
    case OPERAND_U2:
        operand.number = vgg_cursor_le(in, 2);
        break;
    case OPERAND_U4:
    case OPERAND_S4:
        operand.number = vgg_cursor_le(in, 4);
        break;
    case OPERAND_U8:
        operand.number = vgg_cursor_le(in, 8);
        break;
    case OPERAND_BYTES_8:
        operand.text = read_bytes(in, 8);
        break;
    case OPERAND_BYTES1:
        operand.text = read_bytes(in, vgg_cursor_le(in, 1));
        break;
    case OPERAND_BYTES4:
        operand.text = read_bytes(in, vgg_cursor_le(in, 4));
        break;
    case OPERAND_BYTES8:
        operand.text = read_bytes(in, vgg_cursor_le(in, 8));
        break;
    case OPERAND_LINE:
        operand.text = read_line(in);
        break;
    case OPERAND_LINES:
        operand.text = read_line(in);
        operand.second = read_line(in);
        break;
    }
    return operand;
}

static vgg_status step(struct vgg_pickle_machine *m)
{
    m->opcode_offset = m->in.offset;
    uint8_t code = (uint8_t)vgg_cursor_le(&m->in, 1);
    const struct vgg_pickle_opcode *opcode = &vgg_pickle_opcodes[code];
    if (!m->in.ok) {
        return vgg_pickle_fail(m, VGG_ERR_FORMAT, "truncated: no STOP");
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
    if (!m->in.ok) {
        return vgg_pickle_fail(m, VGG_ERR_FORMAT, "truncated inside %s", opcode->name);
    }
    if (in_frame && m->in.offset > m->frame_end) {
        return vgg_pickle_fail(m, VGG_ERR_FORMAT, "%s goes past the end of its frame",
                               opcode->name);
    }
    if (m->in.offset > m->load->limits->pickle_bytes) {
        return vgg_pickle_fail(m, VGG_ERR_LIMIT, "larger than the limit of %" PRIu64 " bytes",
                               m->load->limits->pickle_bytes);
    }
    return opcode->run(m, &operand);
}

vgg_status vgg_pickle_read(const struct vgg_load *load, const struct vgg_pickle_source *source,
                           struct vgg_pickle *out)
{
    vgg_status status = VGG_OK;
    struct vgg_pickle_machine m = {.load = load, .source = source};
    m.in = vgg_cursor_make(source->data, source->size);
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
