/* SPDX-License-Identifier: MIT */
/* Fuzz target: a bare pickle, with storages made up for it, up to the model. */
#include <stdlib.h>
#include <string.h>

#include "checkpoint/checkpoint.h"
#include "fuzz.h"

enum { STORAGE_BYTES_MAX = 1 << 16 };

/* Gives the storages that are wanted zeros, unless they are large. */
static vgg_status locate(struct vgg_storages *storages, struct vgg_arena *arena)
{
    for (size_t i = 0; i < storages->count; i++) {
        struct vgg_storage *storage = &storages->items[i];
        if (storage->wanted) {
            if (storage->bytes > STORAGE_BYTES_MAX) {
                return VGG_ERR_LIMIT;
            }
            storage->data = vgg_arena_alloc(arena, 1, (size_t)storage->bytes);
            if (storage->data == NULL) {
                return VGG_ERR_MEMORY;
            }
        }
    }
    return VGG_OK;
}

static vgg_status read_pickle(const struct vgg_load *load, const struct vgg_pickle_source *source,
                              struct vgg_storages *storages, struct vgg_state_dict *dict)
{
    struct vgg_pickle pickle;
    vgg_status status = vgg_pickle_read(load, source, &pickle);
    if (status == VGG_OK) {
        fuzz_check(pickle.size <= source->size, "a pickle ends inside its bytes");
        status = vgg_storages_collect(load, &pickle, storages);
    }
    if (status == VGG_OK) {
        status = vgg_state_dict_read(load, &pickle, NULL, dict);
    }
    if (status == VGG_OK) {
        status = locate(storages, load->arena);
    }
    return status;
}

vgg_status fuzz_one(const uint8_t *data, size_t size)
{
    static struct vgg_error err;
    struct vgg_limits limits;
    struct vgg_checkpoint checkpoint = {.path = "pickle"};
    const struct vgg_load load = {
        .path = "pickle", .limits = &limits, .arena = &checkpoint.arena, .err = &err};
    const struct vgg_pickle_source source = {.data = data, .size = size};
    struct vgg_storages storages;
    vgg_limits_init(&limits);
    limits.pickle_opcodes = 20000;
    limits.pickle_stack = 1000;
    limits.pickle_memo = 2000;
    limits.file_bytes = 1 << 20;
    vgg_status status = read_pickle(&load, &source, &storages, &checkpoint.dict);
    if (status == VGG_OK) {
        status = vgg_state_dict_bind(&load, &checkpoint.dict, &storages, true);
    }
    if (status == VGG_OK) {
        status = fuzz_use_checkpoint(&checkpoint);
    }
    vgg_arena_destroy(&checkpoint.arena);
    return status;
}
