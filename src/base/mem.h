/* SPDX-License-Identifier: MIT */
/* Memory: checked sizes, aligned blocks, and arenas that free many small things at once. */
#ifndef VGG_BASE_MEM_H
#define VGG_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vgg/context.h"

/* Products and sums of sizes that may come from a file: false, and *out untouched, on overflow. */
static inline bool vgg_size_mul(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}
/* a * b; on overflow a number that no allocation can satisfy. */
static inline size_t vgg_size_mul_capped(size_t a, size_t b)
{
    const size_t max = SIZE_MAX / 8;
    size_t product;
    return vgg_size_mul(a, b, &product) && product < max ? product : max;
}
static inline bool vgg_size_add(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

/* Smallest multiple of step (a power of two) that is >= size; the caller knows it cannot overflow. */
static inline size_t vgg_size_round_up(size_t size, size_t step)
{
    return (size + step - 1) & ~(step - 1);
}

/* Cache line and widest vector in bytes: the alignment of every kernel buffer. */
#define VGG_ALIGN_BYTES 64

/* All memory of the library is allocated and freed by these functions. The allocator is the caller's; NULL or a cleared
 * one is malloc. They return NULL when there is no memory or count * bytes overflows. */
void *vgg_mem_alloc(const struct vgg_allocator *allocator, size_t count, size_t bytes);
void *vgg_mem_alloc_cleared(const struct vgg_allocator *allocator, size_t count, size_t bytes);
/* A larger block with the first old_bytes of this one, which is freed; after a failure it stays. block may be NULL. */
void *vgg_mem_grow(const struct vgg_allocator *allocator, void *block, size_t old_bytes,
                   size_t bytes);
/* Frees a block of any of these functions. NULL is allowed. */
void vgg_mem_free(const struct vgg_allocator *allocator, void *block);

/* A block aligned to VGG_ALIGN_BYTES, not cleared. */
void *vgg_aligned_alloc(const struct vgg_allocator *allocator, size_t bytes);
/* The same in huge pages if the system has them, for memory that is used repeatedly: address translation is faster.
 * Getting them can be slow: 4 ms each from a hypervisor that has reclaimed them. */
void *vgg_huge_alloc(const struct vgg_allocator *allocator, size_t bytes);

/* The allocator of a context, which may be NULL. */
static inline const struct vgg_allocator *vgg_allocator_of(const struct vgg_context *context)
{
    return context != NULL ? &context->allocator : NULL;
}

/* The limits of a context, or the defaults. */
static inline void vgg_limits_take(const struct vgg_context *context, struct vgg_limits *out)
{
    if (context != NULL && context->limits != NULL) {
        *out = *context->limits;
    } else {
        vgg_limits_init(out);
    }
}

/* An arena owns blocks that are freed together. Zero-initialise it; it grows as needed. */
struct vgg_arena {
    struct vgg_arena_chunk *chunks;
    const struct vgg_context *context; /* NULL: malloc, and no log */
};
/* Cleared memory, aligned for any object; NULL when there is no memory. count * bytes is checked. */
void *vgg_arena_alloc(struct vgg_arena *arena, size_t count, size_t bytes);
/* A NUL-terminated copy of length bytes. */
char *vgg_arena_copy_string(struct vgg_arena *arena, const char *text, size_t length);
void vgg_arena_destroy(struct vgg_arena *arena);

#endif
