/* SPDX-License-Identifier: MIT */
/* The bytes of a pickle as the machine reads them: each once, from memory that cannot change.
 *
 * The end of a pickle in a mapped file is known only when its STOP is read, and gigabytes of weights may follow. It is
 * therefore copied in windows that end with a page. */
#ifndef VGG_CHECKPOINT_PICKLE_INPUT_H
#define VGG_CHECKPOINT_PICKLE_INPUT_H

#include "base/load.h"
#include "checkpoint/pickle/source.h"
#include "checkpoint/pickle/value.h"

struct vgg_pickle_input {
    const struct vgg_load *load;
    const struct vgg_pickle_source *source;
    size_t offset; /* of the next byte */
    /* Private bytes, of the source's begin … end. */
    const uint8_t *window;
    size_t begin, end;
    size_t next_window; /* bytes of the next one */
    /* VGG_OK until a read fails, which later ones do, too: FORMAT (the source ends), LIMIT (pickle_bytes), MEMORY. */
    vgg_status status;
};

struct vgg_pickle_input vgg_pickle_input_make(const struct vgg_load *load,
                                              const struct vgg_pickle_source *source);

/* Bytes of the source that are left; the limit is not regarded. */
static inline size_t vgg_pickle_input_left(const struct vgg_pickle_input *in)
{
    return in->source->size - in->offset;
}

/* An unsigned little-endian number of 1 to 8 bytes; 0 after a failure. */
uint64_t vgg_pickle_input_le(struct vgg_pickle_input *in, unsigned bytes);
/* Bytes that stay valid as long as the arena, or the source if it is private; empty after a failure. */
struct vgg_span vgg_pickle_input_bytes(struct vgg_pickle_input *in, uint64_t length);
/* A line of at most 65535 bytes, without its end. */
struct vgg_span vgg_pickle_input_line(struct vgg_pickle_input *in);

#endif
