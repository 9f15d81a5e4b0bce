/* SPDX-License-Identifier: MIT */
/* TorchScript archives whose weights are constants of the code: those of torch.jit.freeze. */
#include "checkpoint/script/frozen.h"

#include "checkpoint/script/constants.h"
#include "checkpoint/script/script.h"

/* A dict of named values. */
static vgg_status make_dict(const struct vgg_load *load, const struct vgg_named_list *tensors,
                            struct vgg_value **out)
{
    const size_t count = tensors->count;
    struct vgg_value *values = vgg_load_alloc(load, 1 + count, sizeof *values);
    struct vgg_value **items = vgg_load_alloc(load, 2 * count, sizeof *items);
    if (values == NULL || items == NULL) {
        return vgg_load_fail_memory(load, count * sizeof *values, "the constants");
    }
    for (size_t i = 0; i < count; i++) {
        const char *name = tensors->items[i].name;
        values[1 + i] =
            (struct vgg_value){.kind = VGG_VALUE_TEXT, .text = {name, (uint32_t)strlen(name)}};
        items[2 * i] = &values[1 + i];
        items[2 * i + 1] = (struct vgg_value *)tensors->items[i].value;
    }
    values[0] = (struct vgg_value){.kind = VGG_VALUE_DICT, .list = {items, 2 * count, 2 * count}};
    *out = &values[0];
    return VGG_OK;
}

static vgg_status fail(const struct vgg_archive *archive, const struct vgg_value *module,
                       const struct vgg_script *script)
{
    const struct vgg_span name = module->object.callee->global.name;
    return vgg_fail(archive->load.err, VGG_ERR_UNSUPPORTED,
                    "%s: a TorchScript module (%.*s) without weights: if torch.jit.freeze or "
                    "optimize_for_inference made them constants of its code, save the module as it "
                    "was before, or its state_dict(); the code is no chain of layers: %s",
                    archive->load.path, VGG_SHOWN(name.bytes, name.length, 64), script->reason);
}

vgg_status vgg_frozen_read(struct vgg_archive *archive, struct vgg_pickle *pickle,
                           struct vgg_storages *storages, struct vgg_script *script)
{
    struct vgg_pickle constants;
    struct vgg_storages found;
    struct vgg_named_list tensors = {0};
    *script = (struct vgg_script){0};
    if (archive->read_member == NULL || vgg_source_of(pickle->root) != VGG_SOURCE_SCRIPT) {
        return VGG_OK;
    }
    vgg_status status = vgg_constants_read(archive, &constants, &found);
    if (status != VGG_OK || found.count == 0) {
        return status;
    }
    status = vgg_script_read_frozen(archive, pickle->root, constants.root, script, &tensors);
    if (status != VGG_OK) {
        return status;
    }
    if (script->outcome != VGG_SCRIPT_FOLLOWED || tensors.count == 0) {
        return fail(archive, pickle->root, script);
    }
    status = make_dict(&archive->load, &tensors, &pickle->root);
    *storages = found;
    archive->storage_folder = "constants/";
    return status;
}
