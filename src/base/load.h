/* SPDX-License-Identifier: MIT */
/* The values that every function which reads a net needs: file name, limits, memory and error. */
#ifndef VGG_BASE_LOAD_H
#define VGG_BASE_LOAD_H

#include "base/mem.h"
#include "base/status.h"

/* The function that opens a file makes it. Everything it points to is borrowed: path and arena must outlive the results,
 * limits and err are used during the calls only. */
struct vgg_load {
    /* The file that is read, for messages. */
    const char *path;
    /* NULL where only memory is needed, and no function checks a limit. */
    const struct vgg_limits *limits;
    /* Owns everything that results point to. */
    struct vgg_arena *arena;
    /* May be NULL. */
    struct vgg_error *err;
};

/* The same without the error record: for attempts that may fail without being reported. */
static inline struct vgg_load vgg_load_quietly(const struct vgg_load *load)
{
    struct vgg_load quiet = *load;
    quiet.err = NULL;
    return quiet;
}

/* Allocates from the arena; NULL without memory. */
static inline void *vgg_load_alloc(const struct vgg_load *load, size_t count, size_t size)
{
    return vgg_arena_alloc(load->arena, count, size);
}

/* The allocator behind the arena, for what is freed before the function returns. */
static inline const struct vgg_allocator *vgg_load_allocator(const struct vgg_load *load)
{
    return vgg_allocator_of(load->arena->context);
}

/* Reports MEMORY, with the file and the purpose of the bytes. */
static inline vgg_status vgg_load_fail_memory(const struct vgg_load *load, size_t bytes,
                                              const char *thing)
{
    return vgg_fail_memory(load->err, load->path, bytes, thing);
}

#endif
