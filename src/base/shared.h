/* SPDX-License-Identifier: MIT */
/* Objects with several owners: the first makes them, the last frees them. */
#ifndef VGG_BASE_SHARED_H
#define VGG_BASE_SHARED_H

#include "base/mem.h"
#include "base/status.h"

struct vgg_shared;

/* A kind of shared objects. */
struct vgg_shared_kind {
    /* Whether an object is the wanted one. */
    bool (*is_same)(const void *object, const void *wanted);
    vgg_status (*make)(const void *wanted, void **object, struct vgg_error *err);
    void (*destroy)(void *object);
};

/* The allocator is copied. NULL when there is no memory. */
struct vgg_shared *vgg_shared_create(const struct vgg_allocator *allocator);
/* All objects must have been released. NULL is allowed. */
void vgg_shared_destroy(struct vgg_shared *shared);

/* Finds the wanted object or makes it. Objects are made one at a time: making one uses all cores, so two at once would
 * not be faster.
 * Errors: MEMORY, those of make. Threads: any. */
vgg_status vgg_shared_get(struct vgg_shared *shared, const struct vgg_shared_kind *kind,
                          const void *wanted, void **object, struct vgg_error *err);
/* Threads: any. */
void vgg_shared_release(struct vgg_shared *shared, const struct vgg_shared_kind *kind,
                        void *object);

#endif
