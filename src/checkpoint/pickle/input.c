/* SPDX-License-Identifier: MIT */
/* Copies the bytes of a pickle in windows. */
#include "checkpoint/pickle/input.h"

#include <string.h>

#include "base/file.h"

enum {
    /* A tar checkpoint has thousands of pickles of 60 bytes. */
    FIRST_WINDOW_BYTES = 256,
    PAGE_BYTES = 4096,
};

struct vgg_pickle_input vgg_pickle_input_make(const struct vgg_load *load,
                                              const struct vgg_pickle_source *source)
{
    return (struct vgg_pickle_input){
        .load = load,
        .source = source,
        .window = source->is_private ? source->data : NULL,
        .end = source->is_private ? source->size : 0,
        .next_window = FIRST_WINDOW_BYTES,
        .status = VGG_OK,
    };
}

/* The size of a window that begins at the next byte and holds count bytes. It ends with a page at the latest, because the
 * page after it may belong to weights, which nobody needs yet. */
static size_t size_window(const struct vgg_pickle_input *in, size_t count)
{
    const size_t left = vgg_pickle_input_left(in);
    if (count >= left) {
        return left;
    }
    const size_t in_page = (uintptr_t)(in->source->data + in->offset) % PAGE_BYTES;
    const size_t to_page_end = vgg_size_round_up(in_page + count, PAGE_BYTES) - in_page;
    const size_t wanted = count > in->next_window ? to_page_end : in->next_window;
    const size_t size = wanted < to_page_end ? wanted : to_page_end;
    return size < left ? size : left;
}

/* Copies count bytes or more, from the next one on. Bytes of the old window that were not read yet are copied again; those
 * that were read stay where they are. */
static vgg_status move_window(struct vgg_pickle_input *in, size_t count)
{
    const size_t size = size_window(in, count);
    uint8_t *window = vgg_load_alloc(in->load, size, 1);
    if (window == NULL) {
        return VGG_ERR_MEMORY;
    }
    vgg_copy_changing(in->source->data + in->offset, size, window);
    in->window = window;
    in->begin = in->offset;
    in->end = in->offset + size;
    in->next_window = in->next_window < PAGE_BYTES ? 2 * in->next_window : PAGE_BYTES;
    return VGG_OK;
}

/* The next count bytes in the window, and moves past them; NULL after a failure. */
static const uint8_t *take(struct vgg_pickle_input *in, uint64_t count)
{
    const uint64_t limit = in->load->limits->pickle_bytes;
    if (in->status == VGG_OK && count > vgg_pickle_input_left(in)) {
        in->status = VGG_ERR_FORMAT;
    } else if (in->status == VGG_OK && (in->offset > limit || count > limit - in->offset)) {
        in->status = VGG_ERR_LIMIT;
    } else if (in->status == VGG_OK && count > in->end - in->offset) {
        in->status = move_window(in, (size_t)count);
    }
    if (in->status != VGG_OK) {
        return NULL;
    }
    const uint8_t *bytes = in->window + (in->offset - in->begin);
    in->offset += (size_t)count;
    return bytes;
}

uint64_t vgg_pickle_input_le(struct vgg_pickle_input *in, unsigned bytes)
{
    const uint8_t *p = take(in, bytes);
    uint64_t value = 0;
    for (unsigned i = 0; p != NULL && i < bytes; i++) {
        value |= (uint64_t)p[i] << (8 * i);
    }
    return value;
}

struct vgg_span vgg_pickle_input_bytes(struct vgg_pickle_input *in, uint64_t length)
{
    if (in->status == VGG_OK && length > UINT32_MAX) {
        in->status = VGG_ERR_FORMAT;
    }
    const uint8_t *bytes = take(in, length);
    return (struct vgg_span){(const char *)bytes, bytes != NULL ? (uint32_t)length : 0};
}

/* The length of the line that begins at the next byte; VGG_ERR_FORMAT where max bytes do not hold its end. */
static vgg_status measure_line(struct vgg_pickle_input *in, size_t max, size_t *length)
{
    size_t seen = 0;
    while (seen <= max) {
        if (in->offset + seen == in->end) {
            if (in->end == in->source->size) {
                return VGG_ERR_FORMAT;
            }
            /* At least doubled, so that the copies of a long line take a few times its size. */
            vgg_status status = move_window(in, 2 * seen + 1);
            if (status != VGG_OK) {
                return status;
            }
        }
        const uint8_t *next = in->window + (in->offset - in->begin) + seen;
        const size_t bytes = in->end - in->offset - seen;
        const uint8_t *end = memchr(next, '\n', bytes);
        seen += end != NULL ? (size_t)(end - next) : bytes;
        if (end != NULL) {
            break;
        }
    }
    *length = seen;
    return seen <= max ? VGG_OK : VGG_ERR_FORMAT;
}

struct vgg_span vgg_pickle_input_line(struct vgg_pickle_input *in)
{
    size_t length = 0;
    in->status = in->status != VGG_OK ? in->status : measure_line(in, UINT16_MAX, &length);
    const uint8_t *line = take(in, length + 1);
    return (struct vgg_span){(const char *)line, line != NULL ? (uint32_t)length : 0};
}
