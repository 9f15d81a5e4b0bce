/* SPDX-License-Identifier: MIT */
/* Objects that several owners share: the first one makes them, the last one frees them. */
#ifndef VGG_BASE_SHARED_H
#define VGG_BASE_SHARED_H

#include "base/mem.h"
#include "base/status.h"

struct vgg_shared;

/* What is shared. */
struct vgg_shared_kind {
    /* Whether an object is the one that is wanted. */
    bool (*is_same)(const void *object, const void *wanted);
    vgg_status (*make)(const void *wanted, void **object, struct vgg_error *err);
    void (*destroy)(void *object);
};

/* The allocator is copied. NULL when there is no memory. */
struct vgg_shared *vgg_shared_create(const struct vgg_allocator *allocator);
/* All objects have been released. NULL is allowed. */
void vgg_shared_destroy(struct vgg_shared *shared);

/* Finds the object that is wanted or makes it. One object is made at a time: making one uses all cores, so two at a
 * time would not be ready earlier.
 * Errors: MEMORY, those of make. Threads: any. */
vgg_status vgg_shared_get(struct vgg_shared *shared, const struct vgg_shared_kind *kind,
                          const void *wanted, void **object, struct vgg_error *err);
/* Threads: any. */
void vgg_shared_release(struct vgg_shared *shared, const struct vgg_shared_kind *kind,
                        void *object);

#endif
