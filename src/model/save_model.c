/* SPDX-License-Identifier: MIT */
/* Saves the tensors of a net in another format, and a description beside them if they alone would be read as another net:
 * code, modules, class names and descriptions beside the file are not in its tensors. */
#include <string.h>

#include "base/bytes.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/module.h"
#include "model/model_types.h"
#include "model/spec/write_spec.h"

/* Copies the tensors in the order in which files may have them: the widest elements first. Returns NULL without memory. */
static struct vgg_tensor *sort_tensors(const struct vgg_state_dict *dict, struct vgg_arena *arena)
{
    struct vgg_tensor *tensors = vgg_arena_alloc(arena, dict->count + 1, sizeof *tensors);
    size_t count = 0;
    for (size_t bytes = 8; tensors != NULL && bytes > 0; bytes /= 2) {
        for (size_t i = 0; i < dict->count; i++) {
            if (vgg_dtype_get_bytes(dict->tensors[i].dtype) == bytes) {
                tensors[count++] = dict->tensors[i];
            }
        }
    }
    return tensors;
}

/* Whether a file with the tensors alone is read as the net of this description. Without memory it is not. */
static bool is_read_alike(const vgg_checkpoint *checkpoint, const char *path,
                          const struct vgg_bytes *description)
{
    struct vgg_arena arena = {.context = &checkpoint->context};
    struct vgg_checkpoint bare = {
        .context = checkpoint->context,
        .path = path,
        .container = VGG_CONTAINER_ZIP,
        .dict = {.tensors = sort_tensors(&checkpoint->dict, &arena),
                 .count = checkpoint->dict.count,
                 .by_name = checkpoint->dict.by_name},
    };
    struct vgg_bytes json = {.ok = true, .allocator = description->allocator};
    vgg_model *model = NULL;
    bare.context.log = NULL;
    if (bare.dict.tensors != NULL && vgg_model_create(&bare, NULL, &model, NULL) == VGG_OK) {
        vgg_spec_write(&model->spec, VGG_SPEC_COMPACT, &json);
    }
    const bool same = json.ok && json.size == description->size &&
                      memcmp(json.data, description->data, json.size) == 0;
    vgg_model_destroy(model);
    vgg_mem_free(json.allocator, json.data);
    vgg_arena_destroy(&arena);
    return same;
}

/* Lists the tensors that the file's code does not use. Without a description, nothing else says so. */
static vgg_status list_unused(const vgg_checkpoint *checkpoint, struct vgg_arena *arena,
                              struct vgg_spec *spec, struct vgg_error *err)
{
    const size_t count = checkpoint->dict.count;
    const char **names = vgg_arena_alloc(arena, count + spec->unused_count + 1, sizeof *names);
    if (names == NULL) {
        return vgg_fail_memory(err, checkpoint->path, count * sizeof *names, "the unused tensors");
    }
    for (size_t i = 0; i < spec->unused_count; i++) {
        names[i] = spec->unused[i];
    }
    for (size_t i = 0; i < count; i++) {
        const struct vgg_tensor *tensor = &checkpoint->dict.tensors[i];
        if (!vgg_checkpoint_is_used(checkpoint, tensor->name) && !vgg_tensor_is_constant(tensor)) {
            names[spec->unused_count++] = tensor->name;
        }
    }
    spec->unused = names;
    return VGG_OK;
}

vgg_status vgg_model_save(const vgg_model *model, const vgg_checkpoint *checkpoint,
                          const char *path, bool *described, struct vgg_error *err)
{
    struct vgg_checkpoint whole = *checkpoint;
    struct vgg_bytes json = {.ok = true, .allocator = vgg_allocator_of(&model->context)};
    *described = checkpoint->description != NULL;
    if (path == NULL || *described) {
        return vgg_checkpoint_save(checkpoint, path, err);
    }
    struct vgg_arena arena = {.context = &model->context};
    struct vgg_spec spec = model->spec;
    vgg_status status = list_unused(checkpoint, &arena, &spec, err);
    if (status == VGG_OK) {
        vgg_spec_write(&spec, VGG_SPEC_COMPACT, &json);
        status = json.ok ? VGG_OK : vgg_fail_memory(err, model->path, json.size, "the description");
    }
    if (status == VGG_OK) {
        *described = !is_read_alike(checkpoint, path, &json);
        whole.description = *described ? json.data : NULL;
        whole.description_bytes = *described ? json.size : 0;
        status = vgg_checkpoint_save(&whole, path, err);
    }
    vgg_arena_destroy(&arena);
    vgg_mem_free(json.allocator, json.data);
    return status;
}
