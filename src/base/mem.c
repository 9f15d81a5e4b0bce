/* Aligned blocks and arenas. */
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void *vgg_aligned_alloc(size_t bytes)
{
    size_t rounded;
    if (!vgg_size_add(bytes, VGG_ALIGN_BYTES - 1, &rounded)) {
        return NULL;
    }
    rounded &= ~(size_t)(VGG_ALIGN_BYTES - 1);
    return aligned_alloc(VGG_ALIGN_BYTES, rounded > 0 ? rounded : VGG_ALIGN_BYTES);
}

void vgg_aligned_free(void *block)
{
    free(block);
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
    total = vgg_size_round_up(total > 0 ? total : 1, sizeof(max_align_t));
    struct vgg_arena_chunk *chunk = arena->chunks;
    if (chunk == NULL || chunk->capacity - chunk->used < total) {
        size_t capacity = total > CHUNK_BYTES ? total : CHUNK_BYTES;
        chunk = calloc(1, sizeof *chunk + capacity);
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
        free(chunk);
        chunk = next;
    }
    arena->chunks = NULL;
}
