/* SPDX-License-Identifier: MIT */
/* Reads the operands of pickle opcodes. */
#include "checkpoint/pickle/operand.h"

static struct vgg_span read_bytes(struct vgg_cursor *in, uint64_t length)
{
    in->ok = in->ok && length <= UINT32_MAX;
    const uint8_t *bytes = vgg_cursor_take(in, length);
    return (struct vgg_span){(const char *)bytes, bytes != NULL ? (uint32_t)length : 0};
}

static struct vgg_span read_line(struct vgg_cursor *in, bool open_end)
{
    const size_t left = vgg_cursor_left(in);
    const uint8_t *start = in->data + in->offset;
    const uint8_t *end = in->ok && left > 0 ? memchr(start, '\n', left) : NULL;
    if (end == NULL && open_end && left > 0) {
        end = start + left - 1;
    }
    in->ok = in->ok && end != NULL && end - start <= INT32_MAX;
    if (!in->ok) {
        return (struct vgg_span){NULL, 0};
    }
    in->offset += (size_t)(end - start) + 1;
    return (struct vgg_span){(const char *)start, (uint32_t)(end - start)};
}

struct vgg_pickle_operand vgg_pickle_read_operand(struct vgg_cursor *in,
                                                  enum vgg_pickle_operand_kind kind, bool open_end)
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
        operand.text = read_line(in, open_end);
        break;
    case OPERAND_LINES:
        operand.text = read_line(in, open_end);
        operand.second = read_line(in, open_end);
        break;
    }
    return operand;
}
