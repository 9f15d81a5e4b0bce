/* Memory: checked sizes, aligned blocks, and arenas that free many small things at once. */
#ifndef VGG_BASE_MEM_H
#define VGG_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Products and sums of sizes that may come from a file: false, and *out untouched, on overflow. */
static inline bool vgg_size_mul(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
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

/* A block aligned to VGG_ALIGN_BYTES, not cleared; NULL when there is no memory. Free with
 * vgg_aligned_free (NULL allowed). */
void *vgg_aligned_alloc(size_t bytes);
void vgg_aligned_free(void *block);

/* An arena owns blocks that live and die together. Zero-initialise it; it grows as needed. */
struct vgg_arena {
    struct vgg_arena_chunk *chunks;
};
/* Cleared memory, aligned for any object; NULL when there is no memory. count * bytes is checked. */
void *vgg_arena_alloc(struct vgg_arena *arena, size_t count, size_t bytes);
/* A NUL-terminated copy of length bytes. */
char *vgg_arena_copy_string(struct vgg_arena *arena, const char *text, size_t length);
void vgg_arena_destroy(struct vgg_arena *arena);

#endif
