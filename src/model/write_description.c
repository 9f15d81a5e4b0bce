/* SPDX-License-Identifier: MIT */
/* Writes a model's description into a file, for people to read and to edit. */
#include "base/outfile.h"
#include "model/model_types.h"
#include "model/spec/write_spec.h"

vgg_status vgg_model_write_spec(const vgg_model *model, const char *path, struct vgg_error *err)
{
    const struct vgg_allocator *allocator = vgg_allocator_of(&model->context);
    struct vgg_spec spec = model->spec;
    struct vgg_bytes json = {.ok = true, .allocator = allocator};
    struct vgg_outfile out;
    spec.input = (struct vgg_pixels){model->height, model->width};
    if (spec.int8) {
        return vgg_fail(err, VGG_ERR_ARGUMENT,
                        "%s: an int8 net has a description of its own, which no other file can use",
                        model->path);
    }
    vgg_spec_write(&spec, VGG_SPEC_LINES, &json);
    vgg_status status = json.ok ? vgg_outfile_open(path, VGG_OUTFILE_APPEND, allocator, &out, err)
                                : vgg_fail_memory(err, path, json.size, "the description");
    if (status == VGG_OK) {
        vgg_outfile_write(&out, json.data, json.size);
        status = vgg_outfile_commit(&out, err);
    }
    vgg_mem_free(allocator, json.data);
    return status;
}
