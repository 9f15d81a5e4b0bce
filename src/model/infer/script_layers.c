/* SPDX-License-Identifier: MIT */
/* Describes a net by the code of a TorchScript archive. */
#include "model/infer/script_layers.h"

#include "model/infer/module_layer.h"

vgg_status vgg_script_check(const struct vgg_load *load, const struct vgg_checkpoint *checkpoint,
                            bool described, bool *followed)
{
    const struct vgg_script *script = vgg_checkpoint_get_script(checkpoint);
    const bool unknown = script->outcome == VGG_SCRIPT_UNKNOWN && !described;
    *followed = script->outcome == VGG_SCRIPT_FOLLOWED;
    if (script->outcome != VGG_SCRIPT_REFUSED && !unknown) {
        return VGG_OK;
    }
    return vgg_fail_hint(load->err, VGG_ERR_UNSUPPORTED, unknown ? VGG_HINT_LAYERS : VGG_HINT_NONE,
                         "%s: expected a chain of layers, found in the script's code: %s",
                         load->path, script->reason);
}

static vgg_status add_step(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                           struct vgg_module module, struct vgg_layer_list *list, bool *missing)
{
    struct vgg_layer layer;
    const char *name = module.name;
    module.name = name != NULL ? name : "forward";
    vgg_status status = vgg_module_read_layer(load, tensors, &module, &layer, missing);
    if (status != VGG_OK) {
        return status;
    }
    struct vgg_layer *added = vgg_layers_add(load, list, layer.kind, name);
    if (added == NULL) {
        return vgg_layers_fail(load, list);
    }
    *added = layer;
    added->name = name;
    return VGG_OK;
}

vgg_status vgg_script_list_layers(const struct vgg_load *load,
                                  const struct vgg_checkpoint *checkpoint,
                                  const struct vgg_tensor_list *tensors, struct vgg_layer_list *out,
                                  bool *missing)
{
    const size_t count = vgg_checkpoint_get_script(checkpoint)->step_count;
    vgg_status status = VGG_OK;
    for (size_t i = 0; i < count && status == VGG_OK; i++) {
        struct vgg_module module;
        vgg_checkpoint_get_step(checkpoint, i, &module);
        status = add_step(load, tensors, module, out, missing);
    }
    return status;
}
