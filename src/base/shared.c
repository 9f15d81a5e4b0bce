/* SPDX-License-Identifier: MIT */
/* Objects with several owners: the first makes them, the last frees them. */
#include "base/shared.h"

#include <pthread.h>

struct entry {
    struct entry *next;
    void *object;
    size_t owners;
};

struct vgg_shared {
    struct vgg_allocator allocator;
    pthread_mutex_t mutex;
    struct entry *first;
};

struct vgg_shared *vgg_shared_create(const struct vgg_allocator *allocator)
{
    struct vgg_shared *shared = vgg_mem_alloc_cleared(allocator, 1, sizeof *shared);
    if (shared != NULL) {
        shared->allocator = *allocator;
        pthread_mutex_init(&shared->mutex, NULL);
    }
    return shared;
}

void vgg_shared_destroy(struct vgg_shared *shared)
{
    if (shared != NULL) {
        const struct vgg_allocator allocator = shared->allocator;
        pthread_mutex_destroy(&shared->mutex);
        vgg_mem_free(&allocator, shared);
    }
}

static struct entry *find(const struct vgg_shared *shared, const struct vgg_shared_kind *kind,
                          const void *wanted)
{
    struct entry *entry = shared->first;
    while (entry != NULL && !kind->is_same(entry->object, wanted)) {
        entry = entry->next;
    }
    return entry;
}

/* Makes an object and its entry, which has no owner yet. */
static vgg_status add(struct vgg_shared *shared, const struct vgg_shared_kind *kind,
                      const void *wanted, struct entry **out, struct vgg_error *err)
{
    struct entry *entry = vgg_mem_alloc_cleared(&shared->allocator, 1, sizeof *entry);
    if (entry == NULL) {
        return vgg_fail(err, VGG_ERR_MEMORY, "out of memory");
    }
    vgg_status status = kind->make(wanted, &entry->object, err);
    if (status != VGG_OK) {
        vgg_mem_free(&shared->allocator, entry);
        return status;
    }
    entry->next = shared->first;
    shared->first = *out = entry;
    return VGG_OK;
}

vgg_status vgg_shared_get(struct vgg_shared *shared, const struct vgg_shared_kind *kind,
                          const void *wanted, void **object, struct vgg_error *err)
{
    vgg_status status = VGG_OK;
    pthread_mutex_lock(&shared->mutex);
    struct entry *entry = find(shared, kind, wanted);
    if (entry == NULL) {
        status = add(shared, kind, wanted, &entry, err);
    }
    if (status == VGG_OK) {
        entry->owners++;
        *object = entry->object;
    }
    pthread_mutex_unlock(&shared->mutex);
    return status;
}

void vgg_shared_release(struct vgg_shared *shared, const struct vgg_shared_kind *kind, void *object)
{
    pthread_mutex_lock(&shared->mutex);
    struct entry **link = &shared->first;
    while ((*link)->object != object) {
        link = &(*link)->next;
    }
    struct entry *entry = *link;
    entry->owners--;
    const bool last = entry->owners == 0;
    if (last) {
        *link = entry->next;
        vgg_mem_free(&shared->allocator, entry);
    }
    pthread_mutex_unlock(&shared->mutex);
    if (last) {
        kind->destroy(object);
    }
}
