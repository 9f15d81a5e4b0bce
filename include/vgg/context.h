/* SPDX-License-Identifier: MIT */
/* What the caller lends to the library: limits, memory, a place for messages. */
#ifndef VGG_CONTEXT_H
#define VGG_CONTEXT_H

#include "vgg/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where memory comes from. Give both functions or neither; without them it is malloc and free.
 *
 * Covered: everything that grows with a file, an image or a net and is the library's own, and the PNG
 * decoder. Not covered: libjpeg-turbo, libzip and cJSON while a file is being read (they offer no hook,
 * or one for the whole process; all they take is freed before the call returns), the stacks of threads,
 * which the system gives, and checkpoint files, which are mapped. */
struct vgg_allocator {
    /* A block of `bytes` (> 0) at a multiple of `alignment` (a power of two, at most 64), not cleared;
     * NULL when there is none, which the library reports as VGG_ERR_MEMORY. May be called from every
     * thread that calls the library, and from no other. */
    void *(*allocate)(void *user, size_t bytes, size_t alignment);
    /* Takes back a block; never called with NULL. */
    void (*release)(void *user, void *block);
    void *user;
};

enum vgg_log_level {
    VGG_LOG_INFO,    /* what was found or decided, and why */
    VGG_LOG_WARNING, /* something that may not be what the user means */
    VGG_LOG_ERROR,   /* the whole text of an error that is too long for struct vgg_error */
};

/* Receives one message: UTF-8 without control characters or a newline, valid during the call. Called
 * from the thread that calls the library. It must not call the library with the object in the making. */
typedef void vgg_log_fn(void *user, enum vgg_log_level level, const char *message);

/* Everything may be zero. It is copied, and need not outlive the call; what its pointers lead to must
 * outlive all that is made with it, but the limits, which are read during the call only. A model uses its
 * checkpoint's context, a session its model's. */
struct vgg_context {
    const struct vgg_limits *limits; /* NULL: the defaults */
    struct vgg_allocator allocator;
    vgg_log_fn *log; /* NULL: nobody listens */
    void *log_user;
    uint64_t reserved[6]; /* zero */
};

#ifdef __cplusplus
}
#endif
#endif
