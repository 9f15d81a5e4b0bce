/* SPDX-License-Identifier: MIT */
/* The values that every function which reads a net needs: file name, limits, memory and error. */
#ifndef VGG_MODEL_SPEC_LOAD_H
#define VGG_MODEL_SPEC_LOAD_H

#include "base/mem.h"
#include "base/status.h"

struct vgg_load {
    /* The file that is read, for messages. */
    const char *path;
    const struct vgg_limits *limits;
    /* Owns everything that results point to. */
    struct vgg_arena *arena;
    /* May be NULL. */
    struct vgg_error *err;
};

/* Allocates from the arena; NULL without memory. */
static inline void *vgg_load_alloc(const struct vgg_load *load, size_t count, size_t size)
{
    return vgg_arena_alloc(load->arena, count, size);
}

/* MEMORY, with the file and what the bytes are for. */
static inline vgg_status vgg_load_fail_memory(const struct vgg_load *load, size_t bytes,
                                              const char *thing)
{
    return vgg_fail_memory(load->err, load->path, bytes, thing);
}

#endif
