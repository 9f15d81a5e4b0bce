/* SPDX-License-Identifier: MIT */
/* The caller's allocator or malloc; aligned blocks and arenas. */
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HUGE_PAGE_BYTES = 2 << 20 };

static bool is_custom(const struct vgg_allocator *allocator)
{
    return allocator != NULL && allocator->allocate != NULL;
}

static void *allocate(const struct vgg_allocator *allocator, size_t bytes)
{
    return allocator->allocate(allocator->user, bytes > 0 ? bytes : 1, _Alignof(max_align_t));
}

void *vgg_mem_alloc(const struct vgg_allocator *allocator, size_t count, size_t bytes)
{
    size_t total;
    if (!vgg_size_mul(count, bytes, &total)) {
        return NULL;
    }
    return is_custom(allocator) ? allocate(allocator, total) : malloc(total > 0 ? total : 1);
}

void *vgg_mem_alloc_cleared(const struct vgg_allocator *allocator, size_t count, size_t bytes)
{
    size_t total;
    if (!vgg_size_mul(count, bytes, &total)) {
        return NULL;
    }
    if (!is_custom(allocator)) {
        return calloc(1, total > 0 ? total : 1); /* fresh pages need no clearing */
    }
    void *block = allocate(allocator, total);
    if (block != NULL) {
        memset(block, 0, total);
    }
    return block;
}

void *vgg_mem_grow(const struct vgg_allocator *allocator, void *block, size_t old_bytes,
                   size_t bytes)
{
    if (!is_custom(allocator)) {
        return realloc(block, bytes);
    }
    void *grown = allocate(allocator, bytes);
    if (grown != NULL && block != NULL) {
        memcpy(grown, block, old_bytes);
        vgg_mem_free(allocator, block);
    }
    return grown;
}

void vgg_mem_free(const struct vgg_allocator *allocator, void *block)
{
    if (is_custom(allocator)) {
        if (block != NULL) {
            allocator->release(allocator->user, block);
        }
        return;
    }
    free(block);
}

void *vgg_aligned_alloc(const struct vgg_allocator *allocator, size_t bytes)
{
    size_t rounded;
    if (!vgg_size_add(bytes, VGG_ALIGN_BYTES - 1, &rounded)) {
        return NULL;
    }
    rounded &= ~(size_t)(VGG_ALIGN_BYTES - 1);
    rounded = rounded > 0 ? rounded : VGG_ALIGN_BYTES;
    return is_custom(allocator) ? allocator->allocate(allocator->user, rounded, VGG_ALIGN_BYTES)
                                : aligned_alloc(VGG_ALIGN_BYTES, rounded);
}

void *vgg_huge_alloc(const struct vgg_allocator *allocator, size_t bytes)
{
    if (bytes > PTRDIFF_MAX - HUGE_PAGE_BYTES) {
        return NULL; /* no allocator has as much, and AddressSanitizer's would end the process */
    }
    /* A smaller block would not fill its page; a caller's allocator decides for itself. */
    if (is_custom(allocator) || bytes < 2 * HUGE_PAGE_BYTES) {
        return vgg_aligned_alloc(allocator, bytes);
    }
    const size_t rounded = vgg_size_round_up(bytes, HUGE_PAGE_BYTES);
    void *block = aligned_alloc(HUGE_PAGE_BYTES, rounded);
#ifdef MADV_HUGEPAGE
    if (block != NULL) {
        (void)madvise(block, rounded, MADV_HUGEPAGE); /* a system without them may refuse */
    }
#endif
    return block;
}

struct vgg_arena_chunk {
    struct vgg_arena_chunk *next;
    size_t used;
    size_t capacity;
    max_align_t data[];
};

enum { CHUNK_BYTES = 16 * 1024 };

void *vgg_arena_alloc(struct vgg_arena *arena, size_t count, size_t bytes)
{
    size_t total;
    if (!vgg_size_mul(count, bytes, &total) || total > SIZE_MAX / 2) {
        return NULL;
    }
    total = vgg_size_round_up(total > 0 ? total : 1, _Alignof(max_align_t));
    struct vgg_arena_chunk *chunk = arena->chunks;
    if (chunk == NULL || chunk->capacity - chunk->used < total) {
        size_t capacity = total > CHUNK_BYTES ? total : CHUNK_BYTES;
        chunk =
            vgg_mem_alloc_cleared(vgg_allocator_of(arena->context), 1, sizeof *chunk + capacity);
        if (chunk == NULL) {
            return NULL;
        }
        chunk->capacity = capacity;
        chunk->next = arena->chunks;
        arena->chunks = chunk;
    }
    void *block = (char *)chunk->data + chunk->used;
    chunk->used += total;
    return block;
}

char *vgg_arena_copy_string(struct vgg_arena *arena, const char *text, size_t length)
{
    char *copy = vgg_arena_alloc(arena, length + 1, 1);
    if (copy != NULL) {
        memcpy(copy, text, length);
    }
    return copy;
}

void vgg_arena_destroy(struct vgg_arena *arena)
{
    struct vgg_arena_chunk *chunk = arena->chunks;
    while (chunk != NULL) {
        struct vgg_arena_chunk *next = chunk->next;
        vgg_mem_free(vgg_allocator_of(arena->context), chunk);
        chunk = next;
    }
    arena->chunks = NULL;
}
